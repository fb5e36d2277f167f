import { isUtf8 } from 'node:buffer';
import { closeSync, fstatSync, openSync, readSync, statSync } from 'node:fs';
import type { FileHandle } from 'node:fs/promises';
import { openFile } from '../../host/open-file.js';
import { NotAFileError, READ_WITHOUT_BLOCKING } from '../../util/regular-file.js';
import { makeStamp } from '../../host/stamp.js';
import { SyncWhileQuick } from '../../host/sync-while-quick.js';
import type { FileStamp } from '../../model/checkpoint.js';
import { isJsonObject, type Json } from '../../model/json.js';
import { getIoCode, describeIoError, readReason } from '../../util/io-error.js';
import { isNestedDeeper, MAX_NESTING } from '../../util/nesting.js';
import { UserError } from '../../util/user-error.js';
import { JsonScanner, ScanError } from './json-scan.js';
import { groupOfKey, type ParsedResultFile, parseCheckpoint, type RawFile, parseRawFile } from './parse.js';

export type ReadResult = ParsedResultFile | { readonly kind: 'absent' };

/** Levels of a result file: an entry's result may have `MAX_NESTING`, and stands a few levels down. */
const MAX_DEPTH = MAX_NESTING + 10;

/** Larger files are read piece by piece: a V8 string ends at 512 MiB, and the earlier tools wrote files beyond that. */
const STREAM_FROM = 256 * 1024 * 1024;

/**
 * Reads a result file of ours or of the earlier tools.
 * @param id the sample it should hold; null accepts any
 * @param streamFrom size in bytes from which the file is read in pieces
 * @throws UserError (exit 2) when the file is there but cannot be read: that is not corruption
 */
export async function readCheckpointFile(
    path: string,
    id: string | null,
    streamFrom = STREAM_FROM,
): Promise<ReadResult> {
    return parseResultFile(await readRawFile(path, streamFrom), id);
}

/** Up to this many bytes, a file is read by synchronous calls. */
const SMALL = 64 * 1024;

/**
 * The same for a run, which reads the files of its samples one by one: small ones by synchronous calls, which take a fifth of the
 * time of the same round trips through the thread pool. On a busy disk these would block the run's heartbeat, so files are then
 * read asynchronously, several at a time.
 */
export class SampleFileReader {
    readonly #pace = new SyncWhileQuick();

    /** @throws as `readCheckpointFile` */
    async read(path: string, id: string): Promise<ReadResult> {
        const small = await this.#pace.call(
            () => readSmallFile(path, false),
            () => readRawFile(path),
        );
        return parseResultFile(small ?? (await readRawFile(path)), id);
    }
}

/**
 * The same for commands that read a whole directory.
 * @param isRegular whether its folder's listing calls it a regular file, which saves a stat before it is opened
 * @throws UserError (exit 2) when the file is there but cannot be read
 */
export async function readCheckpointFileAtOnce(path: string, isRegular = false): Promise<ReadResult> {
    return parseResultFile(await readRawFileAtOnce(path, isRegular), null);
}

/** As `readRawFile`, for the same commands. @throws UserError (exit 2) */
export async function readRawFileAtOnce(path: string, isRegular = false): Promise<RawResultFile | null> {
    return readSmallFile(path, isRegular) ?? (await readRawFile(path));
}

/**
 * The same for a name that its folder's listing calls a regular file, and whose stamp is not needed: only its bytes are read.
 * Null if it is not small or cannot be read: `readCheckpointFile` finds out why.
 */
export function readListedCheckpointFile(path: string): ParsedResultFile | null {
    let descriptor: number;
    try {
        descriptor = openSync(path, READ_WITHOUT_BLOCKING);
    } catch {
        return null;
    }
    buffer ??= Buffer.allocUnsafeSlow(SMALL);
    let length = 0;
    try {
        for (let count = -1; count !== 0 && length < SMALL; length += count)
            count = readSync(descriptor, buffer, length, SMALL - length, length);
    } catch (error) {
        if (getIoCode(error) === null) throw error;
        return null;
    } finally {
        closeSync(descriptor);
    }
    if (length === SMALL) return null;
    const raw = parseRaw(buffer.subarray(0, length));
    return typeof raw === 'string' ? { kind: 'corrupt', why: raw } : parseCheckpoint(raw, null, NO_STAMP);
}

/** Allocated once: it holds a file's bytes only until they are parsed. */
let buffer: Buffer | null = null;

interface RawResultFile {
    readonly raw: RawFile | string;
    readonly stamp: FileStamp;
}

function parseResultFile(read: RawResultFile | null, id: string | null): ReadResult {
    if (read === null) return { kind: 'absent' };
    return typeof read.raw === 'string'
        ? { kind: 'corrupt', why: read.raw }
        : parseCheckpoint(read.raw, id, read.stamp);
}

/** Null if the file is not small or cannot be read: reading it the other way finds out why. */
function readSmallFile(path: string, isRegular: boolean): RawResultFile | null {
    let descriptor: number;
    try {
        // Check before opening: opening a device can have effects.
        if (!isRegular && !statSync(path).isFile()) return null;
        descriptor = openSync(path, READ_WITHOUT_BLOCKING);
    } catch {
        return null;
    }
    try {
        const stats = fstatSync(descriptor, { bigint: true });
        if (!stats.isFile() || stats.size > SMALL) return null;
        const bytes = Buffer.allocUnsafe(Number(stats.size));
        let length = 0;
        for (let count = -1; count !== 0 && length < bytes.length; length += count)
            count = readSync(descriptor, bytes, length, bytes.length - length, length);
        return { raw: parseRaw(bytes.subarray(0, length)), stamp: makeStamp(stats) };
    } catch (error) {
        if (getIoCode(error) === null) throw error;
        return null;
    } finally {
        closeSync(descriptor);
    }
}

/** A result file's members, or what is wrong with its text; null if there is no file. @throws UserError (exit 2) */
export async function readRawFile(path: string, streamFrom = STREAM_FROM): Promise<RawResultFile | null> {
    const read = await withFile(path, async (handle) => {
        const stats = await handle.stat({ bigint: true });
        const raw = await readRange(handle, 0, Number(stats.size), streamFrom);
        return { raw, stamp: makeStamp(stats) };
    });
    return typeof read === 'string' ? { raw: read, stamp: NO_STAMP } : read;
}

/** A result file inside another file, `size` bytes from `start`. Null if there is no such file. */
export async function readEmbedded(
    path: string,
    start: number,
    size: number,
): Promise<RawFile | string | null> {
    return await withFile(path, (handle) => readRange(handle, start, size, STREAM_FROM));
}

/** @returns what `read` returns; text if it is not a file, saying why; null if it does not exist */
async function withFile<T>(
    path: string,
    read: (handle: FileHandle) => Promise<T>,
): Promise<T | string | null> {
    let handle: FileHandle;
    try {
        handle = await openFile(path);
    } catch (error) {
        if (getIoCode(error) === 'ENOENT') return null;
        const why = explainNotAFile(error);
        if (why !== null) return why;
        throw makeReadError(path, error);
    }
    try {
        return await read(handle);
    } catch (error) {
        throw error instanceof UserError ? error : makeReadError(path, error);
    } finally {
        await handle.close();
    }
}

async function readRange(
    handle: FileHandle,
    start: number,
    size: number,
    streamFrom: number,
): Promise<RawFile | string> {
    if (size >= streamFrom) return await readPieces(handle, start, size);
    const bytes = Buffer.alloc(size);
    let length = 0;
    while (length < size) {
        const { bytesRead } = await handle.read(bytes, length, size - length, start + length);
        if (bytesRead === 0) break;
        length += bytesRead;
    }
    return parseRaw(bytes.subarray(0, length));
}

/** A result file's members, or what is wrong with its text. */
function parseRaw(bytes: Buffer): RawFile | string {
    const json = parseBytes(bytes);
    return 'problem' in json ? json.problem : parseRawFile(json.value);
}

/** Stamp of something that is not a file. */
const NO_STAMP: FileStamp = { inode: '', size: 0, mtime: '' };

/** What stands there instead of a file; null if it is a file that cannot be read. */
function explainNotAFile(error: unknown): string | null {
    return error instanceof NotAFileError || getIoCode(error) === 'ELOOP' ? readReason(error) : null;
}

function makeReadError(path: string, error: unknown): Error {
    // An error that does not come from the system is our bug, and is shown as one.
    if (getIoCode(error) === null) return error instanceof Error ? error : new Error(String(error));
    return new UserError(`cannot read ${path}: ${describeIoError(error)}`, 2, { cause: error });
}

/** JSON of strict UTF-8: a damaged byte must not turn into a question mark in somebody's program. */
export function parseBytes(bytes: Buffer): { readonly value: Json } | { readonly problem: string } {
    if (bytes.length === 0) return { problem: 'it is empty' };
    if (!isUtf8(bytes)) return { problem: 'it is not UTF-8' };
    const hasMark = bytes[0] === 0xef && bytes[1] === 0xbb && bytes[2] === 0xbf;
    try {
        const value = JSON.parse((hasMark ? bytes.subarray(3) : bytes).toString()) as Json;
        return isNestedDeeper(value, MAX_DEPTH)
            ? { problem: `it is nested more than ${MAX_DEPTH} levels deep` }
            : { value };
    } catch (error) {
        // The parser's message quotes the text, line breaks included.
        return { problem: (error instanceof Error ? error.message : String(error)).replaceAll(/\s+/g, ' ') };
    }
}

async function readPieces(handle: FileHandle, start: number, size: number): Promise<RawFile | string> {
    const members = new Map<string, Json>();
    const groups = new Map<string, Json[]>();
    const parsed = (bytes: Buffer | null): Json => {
        if (bytes === null) return null;
        const json = parseBytes(bytes);
        if ('problem' in json) throw new ScanError(json.problem);
        return json.value;
    };
    const scanner = new JsonScanner({
        splits: (key) => groupOfKey(key) !== null,
        member: (key, bytes) => members.set(key, parsed(bytes)),
        array: (key) => groups.set(groupOfKey(key) ?? key, []),
        element: (key, bytes) => groups.get(groupOfKey(key) ?? key)?.push(dropBulk(parsed(bytes))),
    });
    try {
        const range = { start, end: start + size - 1, autoClose: false, highWaterMark: 4 << 20 };
        // An end before the start would mean the whole file.
        if (size > 0) for await (const chunk of handle.createReadStream(range)) scanner.push(chunk as Buffer);
        scanner.end();
    } catch (error) {
        if (error instanceof ScanError) return error.message;
        throw error;
    }
    for (const key of members.keys()) if (groupOfKey(key) !== null) return `"${key}" is not a list`;
    return { members, groups };
}

/** Drops the copies of inputs and answers that make the earlier tools' files huge, before the next entry is read. */
function dropBulk(entry: Json): Json {
    if (!isJsonObject(entry) || entry.fingerprint !== undefined || !isJsonObject(entry.result)) return entry;
    const { tests } = entry.result;
    if (!Array.isArray(tests)) return entry;
    const light = tests.map((test: Json) => {
        if (!isJsonObject(test)) return test;
        const { test_info: _, ...rest } = test;
        return rest;
    });
    return { ...entry, result: { ...entry.result, tests: light } };
}
