import { createHash } from 'node:crypto';
import type { Checkpoint, StoredEntry } from '../../model/checkpoint.js';
import type { OpenTask, RunResult, SkippedTask } from '../../model/entry.js';
import { isInPart, isUnexpected } from '../../model/expectation.js';
import {
    type EntryDetail,
    FLAG_ABOVE_OWN_LIMIT,
    FLAG_IN_PART,
    FLAG_NEAR_LIMIT,
    FLAG_UNEXPECTED,
} from '../../model/page-data.js';
import { chooseExpected } from '../../model/sample.js';
import { readFigures } from '../../model/tally.js';
import { describeEntry, describeOpenTask, readTests } from '../../report/html/entry-detail.js';
import type { PageRow, PageRows } from '../../report/html/page-row.js';
import { recordOfEntry, SubstituteKeys } from '../../results/collect/checkpoint-records.js';
import type { ReadPrompts } from './asked-of-model.js';

/**
 * What the page shows of a sample's tasks.
 * @param readAsked null: the long parts are left out
 */
export function pickRows(checkpoint: Checkpoint, readAsked: ReadPrompts | null): PageRows {
    const rows: PageRows['rows'] = [];
    for (const [group, list] of checkpoint.entries) {
        const standIns = new SubstituteKeys();
        for (const { entry } of list) {
            const row = makeRowOfEntry(entry, group, checkpoint.id, standIns);
            const asked = readAsked?.(entry, { sample: checkpoint.id, group });
            const detail = asked === undefined ? null : describeEntry(entry, asked);
            if (row !== null) rows.push({ row, detail });
        }
    }
    for (const task of checkpoint.failures) rows.push(makeRowOfOpenTask(task, 'failed'));
    for (const task of checkpoint.pending) rows.push(makeRowOfOpenTask(task, 'pending'));
    for (const task of checkpoint.skipped) rows.push(makeRowOfSkipped(task));
    rows.sort((a, b) => a.row.index - b.row.index);
    return { rows };
}

function makeRowOfEntry(
    entry: StoredEntry['entry'],
    group: string,
    sample: string,
    standIns: SubstituteKeys,
): PageRow | null {
    const figures = readFigures(entry);
    const key = standIns.findKey(entry);
    const record = recordOfEntry(entry, { run: '', sample, group, ...key });
    if (figures === null || record === null) return null;
    const expected = chooseExpected(group, entry.expected ?? null);
    const { verdict, missedScore = null } = figures;
    const task = { group, verdict, named: entry.expected ?? null, missedScore };
    return {
        ...EMPTY_ROW,
        group,
        index: figures.index,
        outcome: figures.verdict,
        flags:
            (isUnexpected(task) ? FLAG_UNEXPECTED : 0) |
            (isInPart(task) ? FLAG_IN_PART : 0) |
            (figures.nearLimit ? FLAG_NEAR_LIMIT : 0) |
            (figures.aboveOwn ? FLAG_ABOVE_OWN_LIMIT : 0),
        expected: expected?.join(' ') ?? '',
        language: record.language ?? '',
        name: entry.name ?? '',
        time: figures.time ?? 0,
        duration: record.wall_time ?? 0,
        memory: record.memory ?? 0,
        limit: entry.limits?.time ?? 0,
        failedTest: figures.failedTest === undefined ? 0 : figures.failedTest + 1,
        cause: figures.verdict === 'Accepted' ? '' : findCause(entry),
        attempts: record.attempts,
        score: record.score,
        endpoint: record.endpoint ?? '',
        startedAt: record.started_at === null ? 0 : Date.parse(record.started_at),
        model: record.model ?? '',
        promptType: record.prompt_type ?? '',
        difficulty: record.difficulty ?? '',
        taskType: record.task_type ?? '',
        promptTokens: record.prompt_tokens ?? 0,
        completionTokens: record.completion_tokens ?? 0,
        cost: record.cost ?? 0,
        task: hashTask(key.fingerprint, key.occurrence),
        row: record.row_hash === null ? 0 : hashTo32Bits(record.row_hash) || 1,
    };
}

const EMPTY_ROW: Omit<PageRow, 'group' | 'index' | 'outcome'> = {
    flags: 0,
    expected: '',
    language: '',
    name: '',
    time: 0,
    duration: 0,
    memory: 0,
    limit: 0,
    failedTest: 0,
    cause: '',
    attempts: 0,
    score: null,
    endpoint: '',
    startedAt: 0,
    model: '',
    promptType: '',
    difficulty: '',
    taskType: '',
    promptTokens: 0,
    completionTokens: 0,
    cost: 0,
    task: 0,
    row: 0,
};

function makeRowOfOpenTask(
    task: OpenTask,
    outcome: 'failed' | 'pending',
): { readonly row: PageRow; readonly detail: EntryDetail } {
    const last = task.attempts.at(-1);
    const startedAt = Date.parse(task.attempts[0]?.started_at ?? '');
    return {
        row: {
            ...EMPTY_ROW,
            group: task.group,
            index: task.index,
            outcome,
            expected: chooseExpected(task.group, null)?.join(' ') ?? '',
            duration: last?.duration ?? 0,
            cause: task.reason,
            attempts: task.attempts.length,
            endpoint: last?.api_used ?? '',
            startedAt: Number.isNaN(startedAt) ? 0 : startedAt,
            task: hashTask(task.fingerprint, task.occurrence ?? 0),
        },
        detail: describeOpenTask(task),
    };
}

function makeRowOfSkipped({ group, index, reason }: SkippedTask): {
    readonly row: PageRow;
    readonly detail: null;
} {
    const row: PageRow = { ...EMPTY_ROW, group, index, outcome: 'skipped', cause: reason };
    return { row, detail: null };
}

/** Hash that pairs the tasks of two runs within a sample and a group, so 32 bits are enough. */
function hashTask(fingerprint: string, occurrence: number): number {
    return hashTo32Bits(`${fingerprint} ${occurrence}`);
}

const hashTo32Bits = (text: string): number => createHash('md5').update(text).digest().readUInt32LE(0);

/** Longest cause: causes are few and short, unlike messages. */
const MAX_CAUSE_LENGTH = 80;

/** Why a program got its verdict, in words that programs with the same fault share. Empty if unknown. */
function findCause(entry: StoredEntry['entry']): string {
    const failed = readTests(entry.result).find((test) => !test.passed);
    if (failed === undefined) return '';
    const { compile_result: compiling, run_result: run } = failed.exec_info;
    if (failed.verdict === 'CompileError') return findCompilerError(compiling);
    if (failed.verdict === 'RuntimeError') return findRuntimeError(run);
    return failed.verdict === 'WrongAnswer' && run?.stdout === '' ? 'printed nothing' : '';
}

/** The first error of a compiler, without its location. */
function findCompilerError(step: RunResult | null | undefined): string {
    const text = `${step?.stderr ?? ''}\n${step?.stdout ?? ''}`.slice(0, 8192);
    const error = /(?:error: |Error: |error\[\w+\]: )(.*)/.exec(text)?.[1] ?? '';
    return error.trim().slice(0, MAX_CAUSE_LENGTH);
}

/** The exception's name, the signal, or the exit status. */
function findRuntimeError(step: RunResult | null | undefined): string {
    if (step === null || step === undefined) return '';
    const end = (step.stderr ?? '').slice(-8192);
    const exception = [...end.matchAll(/\b((?:[A-Za-z_]\w*\.)*[A-Z]\w*(?:Error|Exception))\b/g)].at(-1)?.[1];
    if (exception !== undefined) return exception.slice(0, MAX_CAUSE_LENGTH);
    if (step.signal !== undefined) return step.signal.slice(0, MAX_CAUSE_LENGTH);
    return step.return_code === null || step.return_code === undefined
        ? ''
        : `exit status ${step.return_code}`;
}
