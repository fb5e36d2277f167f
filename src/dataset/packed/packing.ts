import { readChunks } from '../rows/row.js';

/** How a file of dataset rows is compressed or packed. */
export type Packing = 'none' | 'gzip' | 'zstd' | 'parquet';

const BY_NAME: readonly (readonly [pattern: RegExp, packing: Packing])[] = [
    [/\.(jsonl|ndjson|json)$/i, 'none'],
    [/\.(jsonl|ndjson)\.gz$/i, 'gzip'],
    [/\.(jsonl|ndjson)\.zst$/i, 'zstd'],
    [/\.parquet$/i, 'parquet'],
];

/**
 * The first bytes of each packing (RFC 1952, RFC 8878, the Parquet format), for files whose names do not tell, such as stdin's.
 */
const BY_START: readonly (readonly [start: Buffer, packing: Packing])[] = [
    [Buffer.from([0x1f, 0x8b]), 'gzip'],
    [Buffer.from([0x28, 0xb5, 0x2f, 0xfd]), 'zstd'],
    [Buffer.from('PAR1'), 'parquet'],
];

/** Whether a file's name marks it as JSON rows, packed or not. */
export function isNamedAsRows(path: string): boolean {
    return BY_NAME.some(([pattern]) => pattern.test(path));
}

/** Detects a file's packing by its name, otherwise by its first bytes. */
export async function detectPacking(path: string): Promise<Packing> {
    const named = BY_NAME.find(([pattern]) => pattern.test(path));
    if (named !== undefined) return named[1];
    const start = await readStart(path);
    return BY_START.find(([bytes]) => start.subarray(0, bytes.length).equals(bytes))?.[1] ?? 'none';
}

/** The first bytes of a file; empty if the file is empty. */
export async function readStart(path: string): Promise<Buffer> {
    for await (const chunk of readChunks(path)) return chunk.bytes.subarray(0, 4096);
    return Buffer.alloc(0);
}
