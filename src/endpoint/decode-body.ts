import { brotliDecompressSync, gunzipSync, inflateRawSync, inflateSync } from 'node:zlib';

/*
 * We do not ask for compression, but a proxy in between may apply it anyway.
 */

/** The body as the server wrote it, or the reason why it is unavailable. */
export type Decoded =
    | { readonly body: Buffer }
    | { readonly problem: 'too-large' }
    | { readonly problem: 'unreadable'; readonly message: string };

/**
 * Decodes a `content-encoding`.
 * @param most maximum size of the result in bytes: a small body may expand to a huge one
 */
export function decodeBody(body: Buffer, encoding: string | undefined, most: number): Decoded {
    const name = (encoding ?? '').trim().toLowerCase();
    if (name === '' || name === 'identity' || body.length === 0) return { body };
    const decode = DECODERS.get(name);
    if (decode === undefined) {
        const shown = JSON.stringify(name.slice(0, 40));
        const message = `the answer has the content-encoding ${shown}, which is not supported`;
        return { problem: 'unreadable', message };
    }
    try {
        return { body: decode(body, most) };
    } catch (error) {
        if (isTooLarge(error)) return { problem: 'too-large' };
        return {
            problem: 'unreadable',
            message: `the answer has the content-encoding ${name}, but cannot be decompressed`,
        };
    }
}

type Decoder = (body: Buffer, maxOutputLength: number) => Buffer;

const gunzip: Decoder = (body, maxOutputLength) => gunzipSync(body, { maxOutputLength });

/** The standard requires the zlib format, but some servers send raw deflate data. */
const inflate: Decoder = (body, maxOutputLength) => {
    try {
        return inflateSync(body, { maxOutputLength });
    } catch (error) {
        if (isTooLarge(error)) throw error;
        return inflateRawSync(body, { maxOutputLength });
    }
};

const isTooLarge = (error: unknown): boolean =>
    error instanceof RangeError && 'code' in error && error.code === 'ERR_BUFFER_TOO_LARGE';

const DECODERS: ReadonlyMap<string, Decoder> = new Map<string, Decoder>([
    ['gzip', gunzip],
    ['x-gzip', gunzip],
    ['deflate', inflate],
    ['br', (body, maxOutputLength) => brotliDecompressSync(body, { maxOutputLength })],
]);
