import { isAscii, isUtf8 } from 'node:buffer';
import { isJsonObject, type Json, type JsonObject } from '../../model/json.js';
import type { RecordLineMatcher } from '../record/line-matcher.js';
import {
    type BatchChange,
    hashKeyText,
    parseRecordLine,
    parseRetirement,
    type RecordChange,
    RecordError,
    recordLine,
} from '../record/record.js';
import { RecordKeys } from '../record/record-keys.js';

/*
 * Our own batch format: {"format": "resume-run batch", "version": 1, "count", "changes": [{"record"} | {"retirement"}, ...]},
 * with one change per line.
 */

const FORMAT = 'resume-run batch';
const VERSION = 1;

const BEFORE_COUNT = `{"format":${JSON.stringify(FORMAT)},"version":${VERSION},"count":`;
const BEHIND_COUNT = ',"changes":[\n';
const BETWEEN = ',\n';
const TAIL = '\n]}\n';
const BEFORE_RECORD = '{"record":';
const LINE_FEED = 0x0a;
const COMMA = 0x2c;
const NOT_FOUND = -1;
/** Number of bytes within which the head of a batch ends. */
const MAX_HEAD_LENGTH = BEFORE_COUNT.length + 16 + BEHIND_COUNT.length;

/** A change as it is written in one of our batches. */
export function changeText(change: RecordChange): string {
    return change.kind === 'record'
        ? `${BEFORE_RECORD}${recordLine(change.record)}}`
        : `{"retirement":${JSON.stringify(change.retirement)}}`;
}

/** The text of one of our batches. @param changes from `changeText` */
export const batchText = (changes: readonly string[]): string =>
    `${BEFORE_COUNT}${changes.length}${BEHIND_COUNT}${changes.join(BETWEEN)}${TAIL}`;

/**
 * Reads the changes of a batch that is exactly as `batchText` writes it, several times as fast as parsing it. Returns null for
 * anything else and leaves the bytes unchanged: parsing the whole file then shows whether it is a batch, and what is wrong with
 * it.
 * @param bytes of the file; its records are moved together in place, and the changes refer to them
 * @param matcher learns from each line that had to be parsed
 */
export function scanOwnBatch(bytes: Buffer, matcher: RecordLineMatcher): readonly BatchChange[] | null {
    if (!isUtf8(bytes)) return null;
    const scan = new BatchScan(bytes, matcher);
    return scan.isWhole() ? scan.moveTogether() : null;
}

/** The content of a batch, in its order: runs of records, and retirements between them. */
type Found = FoundRows | Extract<BatchChange, { readonly kind: 'retirement' }>;

interface FoundRows {
    readonly kind: 'found rows';
    /** Where each record's line begins and ends. */
    readonly starts: number[];
    readonly ends: number[];
    readonly keys: RecordKeys;
}

/** Number of bytes converted to text at a time: a longer text costs the garbage collector more than it saves. */
const WINDOW = 64 * 1024;

class BatchScan {
    readonly #bytes: Buffer;
    readonly #matcher: RecordLineMatcher;
    readonly #isAscii: boolean;
    /** Whole lines, one character per byte, from `#textStart` to `#textEnd`. */
    #text = '';
    #textStart = 0;
    #textEnd = 0;
    readonly #found: Found[] = [];
    #rows: FoundRows | null = null;

    constructor(bytes: Buffer, matcher: RecordLineMatcher) {
        this.#bytes = bytes;
        this.#matcher = matcher;
        this.#isAscii = isAscii(bytes);
    }

    /** Finds every change. Returns false if anything differs from what `batchText` writes. */
    isWhole(): boolean {
        const bytes = this.#bytes;
        const head = bytes.toString('latin1', 0, MAX_HEAD_LENGTH);
        const behindCount = head.indexOf(BEHIND_COUNT);
        if (!head.startsWith(BEFORE_COUNT) || behindCount === -1) return false;
        const count = head.slice(BEFORE_COUNT.length, behindCount);
        let changes = 0;
        for (let at = behindCount + BEHIND_COUNT.length; ; at += BETWEEN.length) {
            at = this.#findChange(at);
            if (at === NOT_FOUND) return false;
            changes += 1;
            if (bytes[at] === COMMA && bytes[at + 1] === LINE_FEED) continue;
            const isEnd = at + TAIL.length === bytes.length && bytes.toString('latin1', at) === TAIL;
            return isEnd && count === String(changes);
        }
    }

    /** @returns the position after the change */
    #findChange(place: number): number {
        if (place >= this.#textEnd) this.#readText(place);
        const [text, base] = [this.#text, this.#textStart];
        const start = place - base;
        if (text.startsWith(BEFORE_RECORD, start)) {
            const line = this.#matcher.match(text, start + BEFORE_RECORD.length);
            if (line !== null && text[line.end] === '}') {
                const key = this.#isAscii ? line.key : Buffer.from(line.key, 'latin1');
                const rows = this.#addRow(place + BEFORE_RECORD.length, base + line.end);
                rows.keys.pushText(hashKeyText(key), line.revision);
                return base + line.end + 1;
            }
        }
        const lineEnd = text.indexOf('\n', start);
        const end = text[lineEnd - 1] === ',' ? lineEnd - 1 : lineEnd;
        return this.#parseChange(place, base + end) ? base + end : NOT_FOUND;
    }

    /** Reads as many lines as fit, at least one. */
    #readText(start: number): void {
        const bytes = this.#bytes;
        const last = bytes.lastIndexOf(LINE_FEED, start + WINDOW - 1);
        const end = last >= start ? last : bytes.indexOf(LINE_FEED, start);
        this.#textStart = start;
        this.#textEnd = end === NOT_FOUND ? bytes.length : end + 1;
        this.#text = bytes.toString('latin1', start, this.#textEnd);
    }

    #parseChange(start: number, end: number): boolean {
        const source = this.#bytes.toString('utf8', start, end);
        try {
            const json = JSON.parse(source) as Json;
            const change = readChange(json);
            if (change.kind === 'retirement') {
                this.#found.push(change);
                this.#rows = null;
                return true;
            }
            // A record that would be stored with different bytes has to be parsed.
            if (`${BEFORE_RECORD}${change.line}}` !== source) return false;
            if (isJsonObject(json) && isJsonObject(json.record))
                this.#matcher.learn(Object.keys(json.record));
            const rows = this.#addRow(start + BEFORE_RECORD.length, end - 1);
            rows.keys.push(change.digest, change.revision);
            return true;
        } catch (error) {
            if (error instanceof SyntaxError || error instanceof RecordError) return false;
            throw error;
        }
    }

    #addRow(start: number, end: number): FoundRows {
        if (this.#rows === null) {
            this.#rows = { kind: 'found rows', starts: [], ends: [], keys: new RecordKeys() };
            this.#found.push(this.#rows);
        }
        this.#rows.starts.push(start);
        this.#rows.ends.push(end);
        return this.#rows;
    }

    /**
     * Closes the gaps between record lines: whatever stands between two of them is longer than the line break that replaces it.
     */
    moveTogether(): readonly BatchChange[] {
        const bytes = this.#bytes;
        let at = 0;
        return this.#found.map((found): BatchChange => {
            if (found.kind === 'retirement') return found;
            const { starts, ends, keys } = found;
            const begin = at;
            for (const [row, start] of starts.entries()) {
                const end = ends[row] ?? start;
                bytes.copyWithin(at, start, end);
                at += end - start + 1;
                bytes[at - 1] = LINE_FEED;
                ends[row] = at - begin;
            }
            const { names } = this.#matcher;
            return { kind: 'rows', rows: { bytes: bytes.subarray(begin, at), ends, keys, fields: names } };
        });
    }
}

/** The content of one of our batches: the changes, or what is wrong with it. */
export type OwnBatch =
    | { readonly kind: 'changes'; readonly changes: readonly BatchChange[] }
    | { readonly kind: 'torn' | 'foreign'; readonly why: string };

export const isOwnBatch = (json: JsonObject): boolean => json.format === FORMAT;

/** @throws RecordError */
export function readOwnBatch(json: JsonObject): OwnBatch {
    if (json.version !== VERSION)
        return { kind: 'foreign', why: `expected version ${VERSION}, got ${JSON.stringify(json.version)}` };
    const { changes } = json;
    if (!Array.isArray(changes) || json.count !== changes.length)
        return {
            kind: 'torn',
            why: `expected ${JSON.stringify(json.count)} changes, found ${Array.isArray(changes) ? changes.length : 'none'}`,
        };
    return { kind: 'changes', changes: (changes as readonly Json[]).map(readChange) };
}

function readChange(json: Json): Exclude<BatchChange, { readonly kind: 'rows' }> {
    if (!isJsonObject(json)) throw new RecordError('change', 'an object', json);
    return json.retirement === undefined
        ? { kind: 'line', ...parseRecordLine(json.record) }
        : { kind: 'retirement', retirement: parseRetirement(json.retirement) };
}
