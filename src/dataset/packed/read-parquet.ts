import { createWriteStream } from 'node:fs';
import type { FileHandle } from 'node:fs/promises';
import { pipeline } from 'node:stream/promises';
import {
    type AsyncBuffer,
    type Compressors,
    type FileMetaData,
    parquetMetadataAsync,
    parquetReadObjects,
    type RowGroup,
} from 'hyparquet';
import { compressors } from 'hyparquet-compressors';
import { decompress as decompressZstd } from 'fzstd';
import { openFile } from '../../host/open-file.js';
import { readFully } from '../rows/read-row.js';
import { printRow } from './print-row.js';

/** A row group is larger than what may be decoded at once. */
export class LargeGroupError extends Error {
    override readonly name = 'LargeGroupError';
}

/**
 * Number of rows in each row group of a Parquet file, in order.
 * @param maxGroupBytes most unpacked bytes of a row group, which is held in memory while it is decoded
 * @throws LargeGroupError, Error saying why the file cannot be read
 */
export function describeFile(file: string, maxGroupBytes: number): Promise<readonly number[]> {
    return withParquet(file, async ({ metadata }) =>
        metadata.row_groups.map((group, number) => {
            refuseLargeGroup(group, number, maxGroupBytes);
            return Number(group.num_rows);
        }),
    );
}

function refuseLargeGroup(group: RowGroup, number: number, maxGroupBytes: number): void {
    const unpacked = group.columns.reduce(
        (bytes, column) => bytes + Number(column.meta_data?.total_uncompressed_size ?? 0),
        0,
    );
    if (unpacked <= maxGroupBytes) return;
    const mib = (bytes: number): string =>
        `${(Math.round((bytes / 1024 ** 2) * 10) / 10).toLocaleString('en')} MiB`;
    throw new LargeGroupError(
        `row group ${number} holds ${mib(unpacked)} and at most ${mib(maxGroupBytes)} are read at once; ` +
            'write the file again with smaller row groups (row_group_size=100 in pyarrow)',
    );
}

/**
 * Decodes row groups of a Parquet file, already checked by `describeFile`, into JSON, one row per line.
 * @param group its index, starting at 0; null: all groups
 * @throws Error saying why the file cannot be read, or the system's error
 */
export async function decodeGroups(file: string, group: number | null, to: string): Promise<void> {
    await withParquet(file, async (opened) => {
        const groups = group === null ? opened.metadata.row_groups.keys() : [group];
        await pipeline(
            async function* () {
                for (const each of groups) yield* decodeGroup(opened, each);
            },
            createWriteStream(to, { flags: 'wx' }),
        );
    });
}

interface OpenedParquet {
    readonly file: AsyncBuffer;
    readonly metadata: FileMetaData;
}

async function withParquet<T>(path: string, use: (opened: OpenedParquet) => Promise<T>): Promise<T> {
    const handle = await openFile(path);
    try {
        const { size } = await handle.stat();
        const file: AsyncBuffer = {
            byteLength: size,
            slice: (start, end = size) => readBytes(handle, start, end),
        };
        return await use({ file, metadata: await parquetMetadataAsync(file) });
    } finally {
        await handle.close();
    }
}

async function readBytes(handle: FileHandle, start: number, end: number): Promise<ArrayBuffer> {
    const { size } = await handle.stat();
    // Checks the file's own offsets: a truncated file must not make us allocate memory that it could never fill.
    if (!(start >= 0 && end >= start && end <= size))
        throw new Error(`it names bytes ${start} to ${end} of ${size}`);
    const bytes = await readFully(handle, start, end - start);
    const copy = new ArrayBuffer(bytes.length);
    new Uint8Array(copy).set(bytes);
    return copy;
}

async function* decodeGroup({ file, metadata }: OpenedParquet, group: number): AsyncIterable<string> {
    const described = metadata.row_groups[group];
    if (described === undefined) throw new Error(`it has no row group ${group}`);
    let rowStart = 0;
    for (const before of metadata.row_groups.slice(0, group)) rowStart += Number(before.num_rows);
    const rows = await parquetReadObjects({
        file,
        metadata,
        rowStart,
        rowEnd: rowStart + Number(described.num_rows),
        compressors: BOUNDED,
    });
    for (const row of rows) yield `${printRow(row)}\n`;
}

/**
 * None of them produces more bytes than the page header states, which `maxGroupBytes` bounds for honest files and the thread's
 * memory limit for others.
 */
const BOUNDED: Compressors = {
    ...compressors,
    ZSTD: (input, length) => decompressZstd(input, new Uint8Array(length)),
};
