import { isJsonObject, type Json, type JsonObject } from '../../model/json.js';
import type { RecordLineMatcher } from '../record/line-matcher.js';
import {
    type BatchChange,
    parseRecordLine,
    parseRetirement,
    type RecordChange,
    RecordError,
    recordLine,
} from '../record/record.js';

/*
 * A batch of ours: {"format": "resume-run batch", "version": 1, "count", "changes": [{"record"} | {"retirement"}, ...]}, with
 * each change on a line of its own.
 */

const FORMAT = 'resume-run batch';
const VERSION = 1;

const BEFORE_COUNT = `{"format":${JSON.stringify(FORMAT)},"version":${VERSION},"count":`;
const BEHIND_COUNT = ',"changes":[\n';
const BETWEEN = ',\n';
const TAIL = '\n]}\n';
const BEFORE_RECORD = '{"record":';

/** A change as a batch of ours holds it. */
export function changeText(change: RecordChange): string {
    return change.kind === 'record'
        ? `${BEFORE_RECORD}${recordLine(change.record)}}`
        : `{"retirement":${JSON.stringify(change.retirement)}}`;
}

/** The text of a batch of ours. @param changes of `changeText` */
export const batchText = (changes: readonly string[]): string =>
    `${BEFORE_COUNT}${changes.length}${BEHIND_COUNT}${changes.join(BETWEEN)}${TAIL}`;

/**
 * The changes of a batch that is as `batchText` writes it, several times as fast as parsing it. Null for anything else:
 * whether that is a batch, and what is wrong with it, shows when it is parsed whole.
 * @param matcher learns from each line that had to be parsed
 */
export function scanOwnBatch(text: string, matcher: RecordLineMatcher): readonly BatchChange[] | null {
    if (!text.startsWith(BEFORE_COUNT)) return null;
    const behindCount = text.indexOf(BEHIND_COUNT, BEFORE_COUNT.length);
    if (behindCount === -1) return null;
    const count = text.slice(BEFORE_COUNT.length, behindCount);
    const changes: BatchChange[] = [];
    for (let at = behindCount + BEHIND_COUNT.length; ; at += BETWEEN.length) {
        const scanned = scanChange(text, at, matcher);
        if (scanned === null) return null;
        changes.push(scanned.change);
        at = scanned.end;
        if (text.startsWith(BETWEEN, at)) continue;
        const isWhole = text.startsWith(TAIL, at) && at + TAIL.length === text.length;
        return isWhole && count === String(changes.length) ? changes : null;
    }
}

interface ScannedChange {
    readonly change: BatchChange;
    /** Where the text goes on behind it. */
    readonly end: number;
}

function scanChange(text: string, start: number, matcher: RecordLineMatcher): ScannedChange | null {
    if (text.startsWith(BEFORE_RECORD, start)) {
        const line = matcher.match(text, start + BEFORE_RECORD.length);
        if (line !== null && text[line.end] === '}')
            return { change: { kind: 'line', ...line.record }, end: line.end + 1 };
    }
    const lineEnd = text.indexOf('\n', start);
    const end = text[lineEnd - 1] === ',' ? lineEnd - 1 : lineEnd;
    try {
        const json = JSON.parse(text.slice(start, end)) as Json;
        const change = readChange(json);
        if (change.kind === 'retirement' || !isJsonObject(json) || !isJsonObject(json.record))
            return { change, end };
        return { change: { ...change, fields: matcher.learn(Object.keys(json.record)) }, end };
    } catch (error) {
        if (error instanceof SyntaxError || error instanceof RecordError) return null;
        throw error;
    }
}

/** What a batch of ours holds; null if the file is not one. Otherwise the changes, or how it is cut. */
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

function readChange(json: Json): BatchChange {
    if (!isJsonObject(json)) throw new RecordError('change', 'an object', json);
    return json.retirement === undefined
        ? { kind: 'line', ...parseRecordLine(json.record) }
        : { kind: 'retirement', retirement: parseRetirement(json.retirement) };
}
