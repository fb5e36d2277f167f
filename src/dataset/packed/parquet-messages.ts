/** What the thread that decodes Parquet is asked. */
export type ParquetRequest =
    | {
          readonly kind: 'describe';
          readonly id: number;
          readonly file: string;
          /** Unpacked bytes of a row group that are decoded at most. */
          readonly maxGroupBytes: number;
      }
    | {
          readonly kind: 'decode';
          readonly id: number;
          readonly file: string;
          /** Number of the row group, from 0; null: all of them, one after the other. */
          readonly group: number | null;
          /** Where its rows are written, one JSON object a line. */
          readonly to: string;
      };

export type ParquetResponse =
    | { readonly kind: 'described'; readonly id: number; readonly rowsByGroup: readonly number[] }
    | { readonly kind: 'decoded'; readonly id: number }
    /** A row group is too large; `why` says what to do. */
    | { readonly kind: 'refused'; readonly id: number; readonly why: string }
    /** `code`: of a system error, null where the file is the reason. */
    | { readonly kind: 'failed'; readonly id: number; readonly why: string; readonly code: string | null };
