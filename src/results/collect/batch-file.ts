import { createHash } from 'node:crypto';
import { closeSync, fstatSync, openSync, readSync, statSync } from 'node:fs';
import { openFile } from '../../host/open-file.js';
import { isJsonObject, type Json, type JsonObject } from '../../model/json.js';
import { getIoCode, readReason } from '../../util/io-error.js';
import { NotAFileError, READ_WITHOUT_BLOCKING } from '../../util/regular-file.js';
import { getMessage } from '../../util/message.js';
import { isNestedDeeper, MAX_NESTING } from '../../util/nesting.js';
import { UserError } from '../../util/user-error.js';
import { RecordLineMatcher } from '../record/line-matcher.js';
import {
    type BatchChange,
    makeRecord,
    makeRecordLine,
    RecordError,
    type ResultRecord,
} from '../record/record.js';
import { buildEarlierRecord, readEarlierText } from './earlier-record.js';
import { isOwnBatch, readOwnBatch, scanOwnBatch } from './own-batch.js';
import type { OnPercent } from './percent-notice.js';
import { parsePythonJson } from './python-json.js';

/*
 * Batches carry results from the processes that made them to the collector. Three formats are read:
 *
 *     ours            see own-batch.ts
 *     earlier batch   {"model", "results": [...], "timestamp", "pid", "process_info", "result_count"}
 *     earlier result  one bare result with _collector_timestamp, _collector_session, _collector_index
 */

/** Larger files cannot be batches: ours have a few megabytes at most. Bytes. */
export const MAX_BATCH_BYTES = 256 * 1024 * 1024;

/** What a file turned out to contain. */
export type BatchFile =
    | { readonly kind: 'batch'; readonly changes: readonly BatchChange[]; readonly bytes: number }
    /** A database of the earlier tools: counts without records. */
    | { readonly kind: 'database'; readonly json: JsonObject; readonly sha256: string }
    /** Truncated, or still being written by an earlier tool. */
    | { readonly kind: 'torn'; readonly why: string }
    /** Complete, but not a batch, or a batch that cannot be accepted. */
    | { readonly kind: 'foreign'; readonly why: string }
    /** Not in any known format. */
    | { readonly kind: 'unknown'; readonly why: string }
    /** Its content was not read. */
    | { readonly kind: 'too-large'; readonly why: string }
    | { readonly kind: 'absent' };

/** Files of up to this many bytes are read into one reused buffer, which saves the garbage collector a buffer per file. */
const REUSED = 8 * 1024 * 1024;

/** Reads the batches of one collection and remembers what they have in common. */
export class BatchReader {
    readonly matcher = new RecordLineMatcher();
    #memory = Buffer.alloc(0);

    /**
     * The bytes of a file, valid until the next one is read. Uses synchronous calls: the six asynchronous ones take as long as
     * everything else done for a batch. Null for a larger file or one that cannot be read; the asynchronous read then reports
     * why.
     */
    readSmall(path: string): Buffer | null {
        try {
            // Check before opening: opening a device can have side effects.
            if (!statSync(path).isFile()) return null;
            const descriptor = openSync(path, READ_WITHOUT_BLOCKING);
            try {
                const stats = fstatSync(descriptor);
                return stats.isFile() && stats.size <= REUSED ? this.#read(descriptor, stats.size) : null;
            } finally {
                closeSync(descriptor);
            }
        } catch (error) {
            if (getIoCode(error) === null) throw error;
            return null;
        }
    }

    #read(descriptor: number, size: number): Buffer {
        if (size > this.#memory.length) this.#memory = Buffer.allocUnsafeSlow(Math.min(2 * size, REUSED));
        let length = 0;
        while (length < size) {
            const count = readSync(descriptor, this.#memory, length, size - length, null);
            if (count === 0) break;
            length += count;
        }
        return this.#memory.subarray(0, length);
    }
}

/**
 * Reads a whole batch, or says why the file is not one.
 * @param reader shared by all batches of a collection; rows of a batch are lost when it reads the next one
 * @throws UserError (exit 4) if the file cannot be read, which says nothing about its content
 */
export async function readBatchFile(
    path: string,
    onPercent: OnPercent,
    reader: BatchReader,
): Promise<BatchFile> {
    const bytes = reader.readSmall(path) ?? (await readWhole(path));
    if (bytes === null) return { kind: 'absent' };
    if (bytes instanceof NotAFileError) return { kind: 'foreign', why: bytes.message };
    if (bytes === 'too large')
        return {
            kind: 'too-large',
            why: `it is larger than ${MAX_BATCH_BYTES >> 20} MiB, the limit for batches and databases of counts`,
        };
    if (bytes.length === 0) return { kind: 'torn', why: 'it is empty' };
    let json: Json;
    try {
        const changes = scanOwnBatch(bytes, reader.matcher);
        if (changes !== null) return { kind: 'batch', changes, bytes: bytes.length };
        json = parsePythonJson(new TextDecoder('utf-8', { fatal: true }).decode(bytes));
    } catch (error) {
        return { kind: 'torn', why: getMessage(error).replaceAll(/\s+/g, ' ') };
    }
    // The value is processed by recursive code later.
    if (isNestedDeeper(json, MAX_NESTING))
        return { kind: 'foreign', why: `it is nested more than ${MAX_NESTING} levels deep` };
    const sha256 = createHash('sha256').update(bytes).digest('hex');
    try {
        return classify(json, sha256, bytes.length, (rate) => onPercent(path, rate));
    } catch (error) {
        if (error instanceof RecordError) return { kind: 'foreign', why: error.message };
        throw error;
    }
}

async function readWhole(path: string): Promise<Buffer | 'too large' | NotAFileError | null> {
    try {
        const handle = await openFile(path);
        try {
            const stats = await handle.stat();
            return stats.size > MAX_BATCH_BYTES ? 'too large' : await handle.readFile();
        } finally {
            await handle.close();
        }
    } catch (error) {
        if (error instanceof NotAFileError) return error;
        if (getIoCode(error) === 'ENOENT') return null;
        if (getIoCode(error) === null) throw error;
        throw new UserError(`cannot read ${path}: ${readReason(error)}`, 4, { cause: error });
    }
}

/** @throws RecordError */
function classify(json: Json, sha256: string, bytes: number, onPercent: (rate: number) => void): BatchFile {
    if (!isJsonObject(json)) return { kind: 'unknown', why: 'it is not a JSON object' };
    if (isOwnBatch(json)) {
        const batch = readOwnBatch(json);
        return batch.kind === 'changes' ? { kind: 'batch', changes: batch.changes, bytes } : batch;
    }
    if (isJsonObject(json.models) || isJsonObject(json.test_groups))
        return { kind: 'database', json, sha256 };
    if (Array.isArray(json.results)) return earlierBatch(json, sha256, bytes, onPercent);
    if (isEarlierResult(json)) {
        const record = makeRecord(buildEarlierRecord(json, sha256, 0, onPercent));
        return { kind: 'batch', changes: [asLine(record)], bytes };
    }
    return { kind: 'unknown', why: 'it is neither a batch nor a result' };
}

const isEarlierResult = (json: JsonObject): boolean =>
    ['_collector_timestamp', '_collector_session', '_collector_index'].some((key) =>
        Object.hasOwn(json, key),
    );

function earlierBatch(
    json: JsonObject,
    sha256: string,
    bytes: number,
    onPercent: (rate: number) => void,
): BatchFile {
    const results = json.results as readonly Json[];
    if (typeof json.result_count === 'number' && json.result_count !== results.length)
        return { kind: 'torn', why: `expected ${json.result_count} results, found ${results.length}` };
    const seen = new Map<string, number>();
    const changes = results.map((result, position): BatchChange => {
        if (!isJsonObject(result)) throw new RecordError(`results[${position}]`, 'an object', result);
        // A record's own model takes precedence: a batch may hold several models.
        const whole = { ...(typeof json.model === 'string' ? { model: json.model } : {}), ...result };
        const text = readEarlierText(whole);
        const occurrence = seen.get(text) ?? 0;
        seen.set(text, occurrence + 1);
        return asLine(makeRecord(buildEarlierRecord(whole, sha256, occurrence, onPercent)));
    });
    return { kind: 'batch', changes, bytes };
}

/** Bytes. The engine reads no longer lines, and needs several times their memory to write them as Parquet. Results of ours are smaller. */
const MAX_RECORD_BYTES = 16 * 1024 * 1024;

/** @throws RecordError */
function asLine(record: ResultRecord): BatchChange {
    const line = makeRecordLine(record);
    const bytes = Buffer.byteLength(line.line);
    if (bytes > MAX_RECORD_BYTES)
        throw new RecordError('record', `at most ${MAX_RECORD_BYTES} bytes of JSON`, bytes);
    return { kind: 'line', ...line };
}
