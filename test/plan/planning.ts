import type { Checkpoint, StoredEntry } from '../../src/model/checkpoint.js';
import type { Entry } from '../../src/model/entry.js';
import { makeTextContent } from '../../src/model/fingerprint.js';
import type { Limits } from '../../src/model/limits.js';
import type { Verdict } from '../../src/model/verdict.js';
import { planSample } from '../../src/plan/plan-sample.js';
import type { PlanInput, PlanTask } from '../../src/plan/sample-plan.js';

/* Tasks, entries and plans of one sample, for tests of the planner. */

export const LIMITS = { time: 20, memory: 1e9, output: 1e6 } satisfies Limits;

export const task = (
    fingerprint: string,
    source = fingerprint,
    language = 'PYTHON3',
    skip: string | null = null,
): PlanTask => ({
    fingerprint,
    rounded: null,
    skip,
    source: () => source,
    input: {
        kind: 'program',
        language,
        files: [{ name: 'main', content: makeTextContent(source) }],
        expected: null,
        name: null,
    },
});

export const entry = (
    index: number | null,
    fingerprint: string | null,
    verdict: Verdict | null = 'Accepted',
    more: Partial<Entry> = {},
): StoredEntry => ({
    entry: {
        index,
        fingerprint,
        language: 'PYTHON3',
        solution: fingerprint ?? '',
        limits: LIMITS,
        attempts: [],
        result: { accepted: verdict === 'Accepted', ...(verdict === null ? {} : { verdict }), tests: [] },
        ...more,
    },
});

export const checkpoint = (entries: readonly StoredEntry[], more: Partial<Checkpoint> = {}): Checkpoint => ({
    id: 's',
    entries: new Map([['solution', entries]]),
    failures: [],
    pending: [],
    skipped: [],
    computedLimits: null,
    totals: new Map([['solution', entries.length]]),
    isComplete: false,
    run: null,
    retiredRevision: 0,
    origin: 'resume-run',
    stamp: { inode: '1', size: 1, mtime: '1' },
    ...more,
});

export const plan = (tasks: readonly PlanTask[], more: Partial<PlanInput> = {}) =>
    planSample({
        id: 's',
        groups: [{ name: 'solution', tasks }],
        checkpoint: null,
        limits: () => LIMITS,
        tests: 3,
        computedLimits: null,
        measuredGroup: null,
        options: { allTests: false, rerun: [], compilers: new Map() },
        ...more,
    });

export const due = (planned: ReturnType<typeof plan>) => planned.due.map((one) => [one.index, one.why]);
export const kept = (planned: ReturnType<typeof plan>) =>
    planned.state.kept.map((one) => [one.index, one.stored.entry.index]);
