import type { Checkpoint } from '../../src/model/checkpoint.js';
import { fingerprintSample, makeTextContent } from '../../src/model/fingerprint.js';
import type { Judging, Sample, TaskInput } from '../../src/model/sample.js';
import type { Outcome } from '../../src/model/task.js';
import type { PrepareOptions } from '../../src/run/prepare.js';

/*
 * What a scripted run consists of: its samples, what an earlier start left of them, and how an attempt ends.
 */

/** One sample of a run. Groups are `solution` and `incorrect_solution`. */
export interface SampleScript {
    readonly solutions: number;
    readonly incorrect: number;
    /** Number of tasks in each group, counted from the first, that an earlier start has finished. */
    readonly finished: number;
    /** Whether the limit of `incorrect_solution` is computed from `solution` (only if programs are judged). */
    readonly isLimitComputed: boolean;
}

export interface RunScript {
    readonly samples: readonly SampleScript[];
    /** Programs with staged tests, or plain data. */
    readonly judges: boolean;
    readonly concurrency: number;
    readonly prefetch: number;
    readonly retries: number;
    readonly tleRetries: number;
    readonly isPaid: boolean;
}

/** How an attempt ends. `quick`: a verdict of a task that took no time at all. */
export type Ending = 'accepted' | 'quick' | 'wrong' | 'suspect' | 'broken' | 'refused' | 'aborted';

/** Names a task. */
export const keyOf = (task: {
    readonly sample: string;
    readonly group: string;
    readonly index: number;
}): string => `${task.sample} ${task.group} ${task.index}`;

/** A stamp for files that are never read. */
export const STAMP = { inode: '1', size: 1, mtime: '1' };

export function prepareOptions(judges: boolean): PrepareOptions {
    return {
        limits: { policy: null, timeout: 10, timeFactor: 1, timeSafety: 1, memory: null, output: null },
        checker: null,
        defaultComparison: 'format',
        executorIdentity: 'test',
        judges,
        machineLoad: null,
        memoryHolding: 'always',
        skipReason: () => null,
        plan: { allTests: false, rerun: [], compilers: new Map() },
    };
}

export function sampleOf(id: string, script: SampleScript, { judges }: RunScript): Sample {
    const input = (group: string, index: number): TaskInput =>
        judges
            ? {
                  kind: 'program',
                  language: 'PYTHON3',
                  files: [{ name: 'main.py', content: makeTextContent(`${id} ${group} ${index}`) }],
                  expected: null,
                  name: null,
              }
            : { kind: 'data', data: [id, group, index] };
    const list = (group: string, count: number): TaskInput[] =>
        Array.from({ length: count }, (_, index) => input(group, index));
    const judging: Judging = {
        tests: [{ name: '1', input: makeTextContent(''), output: makeTextContent(''), checkerFlags: null }],
        checker: { kind: 'tokens' },
        isFormatChecker: false,
        limits: { time: script.isLimitComputed ? null : 1, memory: null, output: null },
        limitPolicy: 'own',
        computedLimit: script.isLimitComputed
            ? { group: 'solution', multiplier: 2, atLeast: 1, resolution: 1 }
            : null,
    };
    return {
        id,
        origin: id,
        groups: {
            solution: list('solution', script.solutions),
            incorrect_solution: list('incorrect_solution', script.incorrect),
        },
        judging: judges ? judging : null,
        skip: null,
    };
}

/** What an earlier start left of a sample: nothing, or its first tasks. */
export function checkpointOf(
    id: string,
    script: SampleScript,
    sample: Sample | undefined,
): [string, Checkpoint][] {
    if (script.finished === 0 || sample === undefined) return [];
    const fingerprints = fingerprintSample(sample, 'test');
    const entries = Object.entries(sample.groups).map(([group, tasks]) => {
        const list = tasks.slice(0, script.finished).map((_, index) => ({
            entry: {
                index,
                fingerprint: fingerprints[group]?.[index] ?? '',
                result: { accepted: true, verdict: 'Accepted' as const, tests: [] },
                limits: { time: 10, memory: 2 ** 31, output: 2 ** 26 },
                attempts: [],
            },
        }));
        return [group, list] as const;
    });
    const checkpoint: Checkpoint = {
        id,
        entries: new Map(entries),
        failures: [],
        pending: [],
        skipped: [],
        computedLimits: null,
        totals: new Map(Object.entries(sample.groups).map(([group, tasks]) => [group, tasks.length])),
        isComplete: false,
        run: null,
        retiredRevision: 0,
        origin: 'resume-run',
        stamp: STAMP,
    };
    return [[id, checkpoint]];
}

export function outcomeOf(ending: Ending): Outcome {
    const by = { api_used: 'local' };
    switch (ending) {
        case 'aborted':
            return { kind: 'abort' };
        case 'accepted':
        case 'quick':
            return {
                kind: 'verdict',
                verdict: 'Accepted',
                result: { accepted: true, verdict: 'Accepted', tests: [] },
                suspect: null,
                by,
            };
        case 'wrong':
        case 'suspect': {
            const verdict = ending === 'wrong' ? 'WrongAnswer' : 'TimeLimitExceeded';
            const result = { accepted: false, verdict, tests: [] } as const;
            return { kind: 'verdict', verdict, result, suspect: ending === 'wrong' ? null : 'near-time', by };
        }
        case 'broken':
            return { kind: 'failure', failure: { reason: 'sandbox', message: 'broken' }, by };
        case 'refused':
            return {
                kind: 'failure',
                failure: { reason: 'refused', message: 'no', endpoint: 'http://127.0.0.1', status: 401 },
                by,
            };
    }
}
