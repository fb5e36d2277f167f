import type { ComputedLimits } from '../../src/model/entry.js';
import type { RunEnd, RunEvent } from '../../src/model/event.js';
import { type GroupTally, type SampleTally } from '../../src/model/tally.js';
import { TallySum, type TotalTally } from '../../src/model/tally-sum.js';
import type { DirectorySample } from '../../src/model/directory-sample.js';
import type { Page } from '../../src/report/page.js';
import { collectReport, renderReport, type Report } from '../../src/report/report.js';
import { chooseExpected } from '../../src/model/sample.js';
import type { Verdict } from '../../src/model/verdict.js';

/*
 * Made-up runs and directories for the tests of src/report.
 */

export function group(
    verdicts: Partial<Record<Verdict, number>>,
    more: Partial<GroupTally> = {},
): GroupTally {
    const completed = Object.values(verdicts).reduce((sum, number) => sum + number, 0);
    const { failed = 0, skipped = 0, pending = 0 } = more;
    return { total: more.total ?? completed + failed, completed, verdicts, skipped, failed, pending };
}

export function sampleTally(
    id: string,
    groups: Record<string, GroupTally>,
    more: Partial<SampleTally> = {},
): SampleTally {
    const isComplete = Object.values(groups).every((one) => one.completed === one.total);
    return {
        id,
        groups,
        isComplete,
        unexpected: [],
        inPart: [],
        nearLimit: [],
        aboveOwn: [],
        failures: [],
        skips: {},
        ...more,
    };
}

const REJECTED = chooseExpected('incorrect_solution', null) ?? [];

/** Three samples: a clean one, one with surprises, and a half-finished one. */
export function someSamples(): SampleTally[] {
    return [
        sampleTally('hello', {
            solution: group({ Accepted: 4 }),
            incorrect_solution: group({ WrongAnswer: 3, CompileError: 1 }),
        }),
        sampleTally(
            'Codeforces/1575/A',
            {
                solution: group({ Accepted: 17, WrongAnswer: 1, TimeLimitExceeded: 1 }, { skipped: 2 }),
                incorrect_solution: group({ Accepted: 2, WrongAnswer: 20, RuntimeError: 3 }, { failed: 1 }),
            },
            {
                unexpected: [
                    {
                        sample: 'Codeforces/1575/A',
                        group: 'solution',
                        index: 3,
                        verdict: 'WrongAnswer',
                        expected: ['Accepted'],
                    },
                    {
                        sample: 'Codeforces/1575/A',
                        group: 'solution',
                        index: 11,
                        name: 'submissions/accepted/slow.py',
                        verdict: 'TimeLimitExceeded',
                        expected: ['Accepted'],
                    },
                    {
                        sample: 'Codeforces/1575/A',
                        group: 'incorrect_solution',
                        index: 0,
                        verdict: 'Accepted',
                        expected: REJECTED,
                    },
                    {
                        sample: 'Codeforces/1575/A',
                        group: 'incorrect_solution',
                        index: 9,
                        verdict: 'Accepted',
                        expected: REJECTED,
                    },
                ],
                nearLimit: [{ sample: 'Codeforces/1575/A', group: 'solution', index: 8 }],
                failures: [
                    {
                        sample: 'Codeforces/1575/A',
                        group: 'incorrect_solution',
                        index: 5,
                        reason: 'judge-error',
                        message: 'the checker exited with 3: no testlib.h',
                    },
                ],
                skips: { 'no toolchain for KOTLIN: kotlinc not found': 2 },
            },
        ),
        sampleTally('p10-\u4e2d\u6587\u984c\u76ee', { solution: group({ Accepted: 1 }, { total: 5 }) }),
    ];
}

export function totalOf(samples: readonly SampleTally[]): TotalTally {
    const sum = new TallySum();
    for (const sample of samples) sum.add(sample);
    return sum.value();
}

export function endOf(totals: TotalTally, more: Partial<RunEnd> = {}): RunEnd {
    return {
        outcome: 'finished',
        stop: null,
        signal: null,
        committed: 54,
        failed: 0,
        aborted: 0,
        duration: 252,
        totals,
        workers: [
            { workerId: 'thread-1', attempts: 30, failures: 0, busy: 240.5 },
            { workerId: 'thread-2', attempts: 24, failures: 1, busy: 233.1 },
        ],
        endpoints: [],
        ...more,
    };
}

export function startOf(tasks: number, finished: number, samples: number): RunEvent {
    return {
        type: 'run-started',
        at: '2026-11-21T09:00:00.000Z',
        dir: 'results',
        datasets: [{ path: 'problems.jsonl', format: 'code-contests' }],
        whole: { samples, tasks },
        part: {
            samples,
            completeSamples: Math.floor((samples * finished) / Math.max(tasks, 1)),
            tasks,
            finished,
            due: tasks - finished,
            skipped: 0,
            dueBy: { new: tasks - finished },
        },
        concurrency: 8,
        executor: 'judge',
        mode: 'thread',
        sandbox: 'bwrap',
        limits: null,
        comparison: null,
    };
}

/** The events of one task that runs from second `at` for `duration` seconds, its verdict last. */
export function taskEvents(index: number, at: number, duration: number, verdict: Verdict): RunEvent[] {
    const begin = Date.parse('2026-11-21T09:00:00.000Z') + at * 1000;
    const task = { sample: 'hello', group: 'solution', index, attempt: 1, workerId: `thread-${index % 8}` };
    const startedAt = new Date(begin).toISOString();
    return [
        { type: 'task-started', at: startedAt, ...task },
        {
            type: 'task-finished',
            at: new Date(begin + duration * 1000).toISOString(),
            ...task,
            verdict,
            accepted: verdict === 'Accepted',
            unexpected: verdict !== 'Accepted',
            nearLimit: false,
            by: {
                attempt: 1,
                verdict,
                started_at: startedAt,
                duration,
                api_used: 'local',
                worker_id: task.workerId,
            },
            result: null,
        },
    ];
}

export async function* files(
    samples: readonly SampleTally[],
    computedLimits: ComputedLimits | null = null,
): AsyncGenerator<Pick<DirectorySample, 'standing' | 'tally' | 'computedLimits'>> {
    for (const tally of samples) yield { standing: 'begun', tally, computedLimits };
}

export const reportOf = (
    samples: readonly SampleTally[],
    limits: ComputedLimits | null = null,
): Promise<Report> => collectReport(files(samples, limits));

/** A report as a terminal shows it. */
export const textOf = (report: Report, page: Page): string => [...renderReport(report, page)].join('');
