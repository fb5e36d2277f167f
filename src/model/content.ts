/** Bytes: text from a row, or a file that stays in place. `digest` is the SHA-256 (hex) of the bytes. */
export type Content =
    | { readonly text: string; readonly path?: undefined; readonly digest: string }
    | { readonly path: string; readonly text?: undefined; readonly digest: string };

export interface SourceFile {
    /** Relative to the submission, `/` between folders; never absolute, never with `..`. */
    readonly name: string;
    readonly content: Content;
}
