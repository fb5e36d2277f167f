import { createGunzip } from 'node:zlib';
import { Readable } from 'node:stream';
import { getIoCode } from '../../util/io-error.js';
import { getMessage } from '../../util/message.js';
import { shortenPath } from '../../util/shown-path.js';
import { makeDatasetError } from '../dataset-error.js';
import { type Chunk, readChunks } from '../rows/row.js';

/**
 * Reads a compressed file as chunks of unpacked bytes. Memory holds only the window that the format needs for back-references.
 * @throws UserError (exit 2) if the file is truncated or not compressed in this way
 */
export async function* unpackChunks(file: string, packing: 'gzip' | 'zstd'): AsyncIterable<Chunk> {
    let offset = 0;
    try {
        for await (const bytes of packing === 'gzip' ? gunzip(file) : unzstd(file)) {
            if (bytes.length === 0) continue;
            yield { bytes, offset };
            offset += bytes.length;
        }
    } catch (error) {
        if (isSystemError(error)) throw error;
        throw makeDatasetError(
            `${shortenPath(file)}: cannot be unpacked (${packing}: ${getMessage(error)}); is the file complete?`,
        );
    }
}

/** Errors of zlib have other codes (`Z_BUF_ERROR`). */
const isSystemError = (error: unknown): boolean => getIoCode(error)?.startsWith('E') === true;

async function* gunzip(file: string): AsyncIterable<Buffer> {
    const input = Readable.from(readBytes(file), { objectMode: false, highWaterMark: 1 });
    const unpacked = createGunzip({ chunkSize: 256 * 1024 });
    input.on('error', (error) => unpacked.destroy(error)).pipe(unpacked);
    try {
        for await (const bytes of unpacked as AsyncIterable<Buffer>) yield bytes;
    } finally {
        input.destroy();
        unpacked.destroy();
    }
}

/**
 * Compressed bytes unpacked in one step, whose output is held until it has been read. Four bytes may stand for 128 KiB, so steps
 * start small and grow with the observed output.
 */
const ZSTD_STEP = { fewest: 64, most: 16 * 1024 };

/** Bounds of a step's unpacked bytes: below `low` the next step is larger, above `high` smaller. */
const ZSTD_HELD = { low: 512 * 1024, high: 2 * 1024 * 1024 };

async function* unzstd(file: string): AsyncIterable<Buffer> {
    const { Decompress } = await import('fzstd');
    const ready: Buffer[] = [];
    let held = 0;
    const stream = new Decompress((bytes) => {
        // The library reuses its buffer.
        ready.push(Buffer.from(bytes));
        held += bytes.length;
    });
    let step = ZSTD_STEP.fewest;
    for await (const chunk of readBytes(file)) {
        for (let from = 0; from < chunk.length; ) {
            stream.push(chunk.subarray(from, from + step));
            from += step;
            if (held < ZSTD_HELD.low) step = Math.min(step * 2, ZSTD_STEP.most);
            else if (held > ZSTD_HELD.high) step = Math.max(Math.floor(step / 8), ZSTD_STEP.fewest);
            yield* ready.splice(0);
            held = 0;
        }
    }
    stream.push(new Uint8Array(0), true);
    yield* ready.splice(0);
}

async function* readBytes(file: string): AsyncIterable<Buffer> {
    for await (const { bytes } of readChunks(file)) yield bytes;
}
