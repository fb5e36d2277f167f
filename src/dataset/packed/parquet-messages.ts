/** Requests to the thread that decodes Parquet. */
export type ParquetRequest =
    | {
          readonly kind: 'describe';
          readonly id: number;
          readonly file: string;
          /** Most unpacked bytes of a row group that is decoded. */
          readonly maxGroupBytes: number;
      }
    | {
          readonly kind: 'decode';
          readonly id: number;
          readonly file: string;
          /** Index of the row group, starting at 0; null: all groups, one after the other. */
          readonly group: number | null;
          /** File that the rows are written to, one JSON object per line. */
          readonly to: string;
      };

export type ParquetResponse =
    | { readonly kind: 'described'; readonly id: number; readonly rowsByGroup: readonly number[] }
    | { readonly kind: 'decoded'; readonly id: number }
    /** A row group is too large; `why` says what to do about it. */
    | { readonly kind: 'refused'; readonly id: number; readonly why: string }
    /** `code` is that of a system error; null if the file is to blame. */
    | { readonly kind: 'failed'; readonly id: number; readonly why: string; readonly code: string | null };
