import { createHash } from 'node:crypto';
import type { Checkpoint, StoredEntry } from '../../model/checkpoint.js';
import type { Attempt, OpenTask, TestResult } from '../../model/entry.js';
import { isJsonObject, type JsonObject } from '../../model/json.js';
import { chooseExpected } from '../../model/sample.js';
import { findSuccessLevel, isAccepted } from '../../model/success-level.js';
import { getVerdict } from '../../model/tally.js';
import {
    type BriefRecord,
    makeBriefRecord,
    makeRecord,
    NO_VALUES,
    type RecordInput,
    type RecordKey,
    type RecordVersion,
    type ResultRecord,
} from '../record/record.js';
import { type EarlierFields, readEarlierFields } from './earlier-record.js';

/*
 * Converts a result file to records: one for each finished task and one for each that was given up. Pending tasks have no record
 * yet.
 */

/** A task of a result file: its record, and its entry, which is null if the task was given up. */
export interface RecordedTask {
    readonly record: ResultRecord;
    readonly entry: StoredEntry['entry'] | null;
}

/** The same with brief records, which are enough for most rates. */
export function* briefTasksOfCheckpoint(
    checkpoint: Checkpoint,
    run: string,
): Generator<{ readonly record: BriefRecord }> {
    const { id: sample } = checkpoint;
    const own = checkpoint.run ?? run;
    for (const { key, entry } of keyedEntries(checkpoint, own)) {
        const fields = briefFields(entry, key);
        if (fields !== null) yield { record: makeBriefRecord(fields) };
    }
    for (const task of checkpoint.failures) {
        const outcome = { verdict: null, accepted: null, success_level: null, score: null, language: null };
        yield { record: makeBriefRecord({ ...failureFields(task, own, sample), ...outcome }) };
    }
}

/** Like `tasksOfCheckpoint`, but only the records. */
export function* buildRecords(...checkpoint: Parameters<typeof tasksOfCheckpoint>): Generator<ResultRecord> {
    for (const { record } of tasksOfCheckpoint(...checkpoint)) yield record;
}

/**
 * @param run id for files that hold none
 * @param onPercent called when a tool success rate was read as a percentage
 */
export function* tasksOfCheckpoint(
    checkpoint: Checkpoint,
    run: string,
    onPercent: (rate: number) => void = () => undefined,
): Generator<RecordedTask> {
    const { id: sample } = checkpoint;
    const own = checkpoint.run ?? run;
    for (const { key, entry } of keyedEntries(checkpoint, own)) {
        const record = recordOfEntry(entry, key, onPercent);
        if (record !== null) yield { record, entry };
    }
    for (const task of checkpoint.failures) yield { record: recordOfFailure(task, own, sample), entry: null };
}

function* keyedEntries(
    { id: sample, entries }: Checkpoint,
    run: string,
): Generator<{ readonly key: RecordKey; readonly entry: StoredEntry['entry'] }> {
    for (const [group, list] of entries) {
        const standIns = new SubstituteKeys();
        for (const { entry } of list)
            yield { key: { run, sample, group, ...standIns.findKey(entry) }, entry };
    }
}

/**
 * The record of one finished task; null for an entry without a verdict, which only earlier files hold, and for an entry adopted
 * from a database, which already has its record.
 */
export function recordOfEntry(
    entry: StoredEntry['entry'],
    key: RecordKey,
    onPercent: (rate: number) => void = () => undefined,
): ResultRecord | null {
    const brief = briefFields(entry, key);
    if (brief === null) return null;
    const result = resultOf(entry);
    return makeRecord({
        ...NO_VALUES,
        ...fieldsOfResult(result, entry.cell, onPercent),
        ...attemptFields(entry.attempts),
        ...measured(result['tests'], entry.attempts),
        ...brief,
    });
}

function briefFields(entry: StoredEntry['entry'], key: RecordKey): BriefRecord | null {
    const verdict = getVerdict(entry);
    if (verdict === null || entry.adopted !== undefined) return null;
    const result = resultOf(entry);
    const { run, sample, group, fingerprint, occurrence } = key;
    // Do not use a spread: adding keys to a copy one by one takes ten times as long as a literal.
    return {
        run,
        sample,
        group,
        fingerprint,
        occurrence,
        revision: entry.revision ?? 1,
        index: entry.index,
        verdict,
        accepted: isAccepted(result, verdict),
        success_level: findSuccessLevel(result, verdict),
        expected: chooseExpected(group, entry.expected ?? null),
        score: readScore(result),
        language: entry.language ?? null,
    };
}

function resultOf(entry: StoredEntry['entry']): JsonObject {
    const result: unknown = entry.result;
    return isJsonObject(result) ? result : {};
}

/** From 0 to 1. For a program: its share of the best score; null if the problem defines none. */
function readScore(result: JsonObject): number | null {
    const score = result['score'];
    if (typeof score !== 'number' || !Number.isFinite(score)) return null;
    if (!Array.isArray(result['tests'])) return score;
    const best = result['best_score'];
    return typeof best === 'number' && best > 0 ? score / best : null;
}

/** The record of a task that was given up for now: no verdict, no success level, and not counted in any rate. */
export function recordOfFailure(task: OpenTask, run: string, sample: string): ResultRecord {
    return makeRecord({
        ...(task.cell === undefined ? {} : readEarlierFields(task.cell, () => undefined)),
        ...attemptFields(task.attempts),
        ...failureFields(task, run, sample),
        wall_time: finiteOr(task.attempts.at(-1)?.duration, null),
        failure_reason: task.reason,
        failure_message: task.message,
    });
}

function failureFields(
    { group, fingerprint, occurrence = 0, revision = 1, index }: OpenTask,
    run: string,
    sample: string,
): RecordVersion & Pick<BriefRecord, 'index' | 'expected'> {
    const expected = chooseExpected(group, null);
    return { run, sample, group, fingerprint, occurrence, revision, index, expected };
}

/**
 * The well-known keys that a function or a model batch returned; a judge's result has none of them. A task's position in a matrix
 * comes from its cell, whatever the result says.
 */
function fieldsOfResult(
    result: JsonObject,
    cell: JsonObject | undefined,
    onPercent: (rate: number) => void,
): EarlierFields {
    const own = Array.isArray(result['tests']) ? {} : result;
    return cell === undefined && own !== result ? {} : readEarlierFields({ ...own, ...cell }, onPercent);
}

function attemptFields(attempts: readonly Attempt[]): EarlierFields & Pick<RecordInput, 'attempts'> {
    const first = attempts[0];
    const last = attempts.at(-1);
    return {
        attempts: attempts.length,
        attempt_log: attempts.length === 0 ? null : JSON.stringify(attempts),
        worker: last?.worker_id ?? null,
        endpoint: last?.api_used ?? null,
        started_at: first === undefined ? null : formatTime(Date.parse(first.started_at)),
        finished_at:
            last === undefined ? null : formatTime(Date.parse(last.started_at) + 1000 * last.duration),
    };
}

const formatTime = (milliseconds: number): string | null => {
    const time = new Date(milliseconds);
    // The schema does not accept years of more than four digits.
    return Number.isNaN(time.getTime()) || !/^\d{4}-/.test(time.toISOString()) ? null : time.toISOString();
};

/** JSON.parse reads `1e999` as Infinity, which no column can hold. */
const finiteOr = (value: number | undefined, other: number | null): number | null =>
    value !== undefined && Number.isFinite(value) ? value : other;

/** Time of the slowest test in seconds and memory of the largest in bytes; the wall time is that of the last attempt. */
function measured(
    tests: unknown,
    attempts: readonly Attempt[],
): Pick<EarlierFields, 'cpu_time' | 'wall_time' | 'memory'> {
    const list = Array.isArray(tests) ? (tests as readonly unknown[]).filter(isTest) : [];
    const largest = (pick: (test: TestResult) => unknown): number | null => {
        const values = list.map(pick).filter((value): value is number => Number.isFinite(value));
        // Do not spread into a call: there may be more tests than a call can take arguments.
        return values.length === 0 ? null : values.reduce((a, b) => Math.max(a, b));
    };
    const memory = largest((test) => test.memory);
    return {
        cpu_time: largest((test) => test.cpu_time),
        wall_time: finiteOr(
            attempts.at(-1)?.duration,
            largest((test) => test.wall_time),
        ),
        memory: memory === null || memory > Number.MAX_SAFE_INTEGER ? null : Math.round(memory),
    };
}

const isTest = (value: unknown): value is TestResult => isJsonObject(value);

/** Fingerprints for the earlier tools' entries, which have none: a hash of the source, numbered among equal ones. */
export class SubstituteKeys {
    readonly #seen = new Map<string, number>();

    findKey(entry: StoredEntry['entry']): Pick<RecordKey, 'fingerprint' | 'occurrence'> {
        const { fingerprint, occurrence = 0 } = entry;
        if (fingerprint !== null) return { fingerprint, occurrence };
        const source = entry.solution ?? JSON.stringify(entry.result);
        const standIn = `source-sha256-${createHash('sha256').update(source).digest('hex')}`;
        const number = this.#seen.get(standIn) ?? 0;
        this.#seen.set(standIn, number + 1);
        return { fingerprint: standIn, occurrence: number };
    }
}
