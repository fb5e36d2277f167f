import { isUtf8 } from 'node:buffer';
import { hash } from 'node:crypto';
import type { FileHandle } from 'node:fs/promises';
import { isJsonObject, type JsonObject } from '../../model/json.js';
import { makeDatasetError } from '../dataset-error.js';
import { isNestedDeeper, MAX_NESTING } from '../../util/nesting.js';
import { Field } from '../field.js';
import { MAX_ROW_BYTES } from './row.js';

/**
 * Fingerprint of a row's bytes (or of its text as UTF-8): the first 128 bits of their SHA-256 in hex, kept short because a
 * hundred thousand of them are held in memory.
 */
export function hashRow(row: Uint8Array | string): string {
    return hash('sha256', row).slice(0, 32);
}

/**
 * Parses a row and returns it as a field with an empty path.
 * @param place `problems.jsonl:12`, for messages
 * @throws UserError if it is too long, or not UTF-8, not JSON, or not an object
 */
export function parseRow(bytes: Buffer | null, place: string): Field {
    if (bytes === null) {
        throw makeDatasetError(
            `${place}: the row is longer than ${MAX_ROW_BYTES / 1024 / 1024} MiB, the limit`,
        );
    }
    if (!isUtf8(bytes))
        throw makeDatasetError(`${place}: invalid UTF-8 at byte ${invalidAt(bytes)} of the row`);
    const text = bytes.toString('utf8');
    const row = parseJson(text, place);
    // Each level takes at least two characters.
    if (text.length > 2 * MAX_NESTING && isNestedDeeper(row, MAX_NESTING))
        throw makeDatasetError(`${place}: nested more than ${MAX_NESTING} levels deep`);
    if (!isJsonObject(row)) throw makeDatasetError(`${place}: expected a JSON object`);
    return Field.of(row, place, text);
}

/** The row as an object; null if `parseRow` would report an error or has to look more closely. */
export function parseOrdinaryRow(bytes: Buffer | string): JsonObject | null {
    // A longer row may be nested too deeply.
    if (bytes.length > 2 * MAX_NESTING) return null;
    if (typeof bytes !== 'string' && !isUtf8(bytes)) return null;
    try {
        const row: unknown = JSON.parse(typeof bytes === 'string' ? bytes : bytes.toString('utf8'));
        return isJsonObject(row) ? row : null;
    } catch {
        return null;
    }
}

function parseJson(text: string, place: string): unknown {
    try {
        return JSON.parse(text);
    } catch (error) {
        const why = error instanceof Error ? error.message.split('\n', 1)[0] : String(error);
        throw makeDatasetError(`${place}: not valid JSON: ${why}`);
    }
}

/** Position of the first byte that is not UTF-8: the length of the longest valid prefix, found by bisection. */
function invalidAt(bytes: Buffer): number {
    let [valid, invalid] = [0, bytes.length];
    while (invalid - valid > 1) {
        const middle = (valid + invalid) >>> 1;
        // A cut within a character is not an error: allow up to three more bytes.
        const whole = [0, 1, 2, 3].some((more) =>
            isUtf8(bytes.subarray(0, Math.min(middle + more, bytes.length))),
        );
        if (whole) valid = middle;
        else invalid = middle;
    }
    return valid;
}

/** Reads bytes of an open file and closes it; fewer bytes if the file has become shorter. */
export async function readAt(handle: FileHandle, offset: number, length: number): Promise<Buffer> {
    try {
        return await readFully(handle, offset, length);
    } finally {
        await handle.close();
    }
}

/** Reads bytes of an open file; fewer if it has become shorter. */
export async function readFully(handle: FileHandle, offset: number, length: number): Promise<Buffer> {
    const buffer = Buffer.allocUnsafeSlow(length);
    let read = 0;
    while (read < length) {
        const { bytesRead } = await handle.read(buffer, read, length - read, offset + read);
        if (bytesRead === 0) break;
        read += bytesRead;
    }
    return buffer.subarray(0, read);
}
