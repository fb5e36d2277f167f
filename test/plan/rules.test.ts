import { describe, expect, it } from 'vitest';
import type { Entry, OpenTask } from '../../src/model/entry.js';
import { countDue } from '../../src/plan/count-due.js';
import { parseRerun } from '../../src/model/rerun.js';
import { isAskedFor, matchesId } from '../../src/plan/rerun.js';
import { checkpoint, due, entry, kept, LIMITS, plan, task } from './planning.js';

/*
 * Individual rules of the planner: those that a mutation of `src/plan` changed without any other test in this folder noticing
 * (docs/guarantees.md, Mutation tests).
 */

const reasons = (planned: ReturnType<typeof plan>): string[] =>
    planned.state.superseded.map(({ group, reason }) => `${group}: ${reason}`);

const open = (index: number, more: Partial<OpenTask> = {}): OpenTask => ({
    group: 'solution',
    index,
    fingerprint: 'a',
    reason: 'sandbox',
    message: 'broken',
    attempts: [],
    ...more,
});

describe('what is superseded says why', () => {
    it('names groups that the dataset no longer has', () => {
        const planned = plan([task('a')], {
            checkpoint: checkpoint([entry(0, 'a')], {
                entries: new Map([
                    ['solution', [entry(0, 'a')]],
                    ['gone', [entry(0, 'x')]],
                ]),
            }),
        });
        expect(reasons(planned)).toEqual(['gone: the dataset has no such group']);
        expect(planned.state.dirty).toBe(true);
    });

    it('tells entries made from rounded numbers from entries of other inputs', () => {
        const rounded = [
            { ...task('exact-1'), rounded: 'rounded' },
            { ...task('exact-2'), rounded: 'rounded' },
            { ...task('exact-3'), rounded: 'rounded' },
        ];
        const planned = plan(rounded, {
            checkpoint: checkpoint([entry(0, 'rounded'), entry(1, 'rounded'), entry(2, 'other')]),
        });
        // Two entries were rounded, so two tasks lost theirs for that reason; the third had another input.
        expect(due(planned)).toEqual([
            [0, 'input was rounded'],
            [1, 'input was rounded'],
            [2, 'input changed'],
        ]);
        expect(reasons(planned).sort()).toEqual([
            'solution: an earlier version rounded numbers of its input',
            'solution: an earlier version rounded numbers of its input',
            'solution: no task of the dataset has this fingerprint',
        ]);
        expect(planned.changed).toBe(3);
    });
});

describe('equal tasks', () => {
    it('are numbered in their order, and an entry keeps its own place among them', () => {
        const planned = plan([task('b'), task('a'), task('a'), task('a')], {
            checkpoint: checkpoint([
                entry(7, 'a', 'Accepted', { occurrence: 1 }),
                entry(8, 'a', 'WrongAnswer'),
            ]),
        });
        // The entry without an occurrence is the first, wherever it is in the file.
        expect(kept(planned)).toEqual([
            [1, 8],
            [2, 7],
        ]);
        expect(planned.state.kept.map((one) => one.occurrence)).toEqual([0, 1]);
        expect(planned.due.map((one) => [one.index, one.occurrence])).toEqual([
            [0, 0],
            [3, 2],
        ]);
        expect(reasons(planned)).toEqual([]);
    });

    it('leave a record behind where one of them is gone', () => {
        const planned = plan([task('a')], {
            checkpoint: checkpoint([entry(1, 'a', 'Accepted', { occurrence: 1 })]),
        });
        expect(kept(planned)).toEqual([[0, 1]]);
        expect(reasons(planned)).toEqual(['solution: one of its equal tasks is gone']);
    });

    it('keep their own failures', () => {
        const failed = open(1, { occurrence: 1 });
        const planned = plan([task('a'), task('a')], {
            checkpoint: checkpoint([], { failures: [failed], totals: new Map([['solution', 2]]) }),
        });
        expect(due(planned)).toEqual([
            [0, 'new'],
            [1, 'failed before'],
        ]);
        expect(planned.state.failures).toEqual([failed]);
        expect(planned.state.dirty).toBe(false);
        expect(countDue(planned.due)).toEqual({ new: 1, 'failed before': 1 });
    });
});

describe('a changed compiler', () => {
    const failed = (
        more: Partial<Entry['result']>,
        verdict: 'CompileError' | 'WrongAnswer' = 'CompileError',
    ) =>
        entry(0, 'a', verdict, {
            result: { accepted: false, verdict, tests: [], compiler: 'g++ 12', ...more },
        });

    it.each([
        ['another command', 'g++ 13', failed({}), 'compiler changed'],
        ['the same command', 'g++ 12', failed({}), undefined],
        ['no compiler now', undefined, failed({}), undefined],
        ['another verdict', 'g++ 13', failed({}, 'WrongAnswer'), undefined],
        ['an entry that names none', 'g++ 13', entry(0, 'a', 'CompileError'), undefined],
    ] as const)('%s', (_, now, stored, why) => {
        const compilers = new Map(now === undefined ? [] : [['CPP', now]]);
        const planned = plan([task('a', 'a', 'CPP')], {
            checkpoint: checkpoint([stored]),
            options: { allTests: false, rerun: [], compilers },
        });
        expect(planned.due[0]?.why).toBe(why);
    });
});

describe('a file is rewritten', () => {
    const tasks = [task('a'), task('b')];
    const whole = [entry(0, 'a'), entry(1, 'b')];
    const skip = { group: 'solution', index: 1, reason: 'no toolchain' };
    const isDirty = (...[planned, more]: Parameters<typeof plan>): boolean => plan(planned, more).state.dirty;

    it('when it would say what is no longer so', () => {
        const totals = new Map([['solution', 2]]);
        expect(isDirty(tasks, { checkpoint: checkpoint(whole) })).toBe(false);
        expect(
            isDirty(tasks, { checkpoint: checkpoint(whole, { totals: new Map([['solution', 3]]) }) }),
        ).toBe(true);
        expect(
            isDirty(tasks, { checkpoint: checkpoint(whole, { totals: new Map([...totals, ['gone', 0]]) }) }),
        ).toBe(true);
        expect(isDirty([task('b'), task('a')], { checkpoint: checkpoint(whole) })).toBe(true);
        expect(isDirty(tasks, { checkpoint: checkpoint(whole, { origin: 'earlier' }) })).toBe(true);
        expect(isDirty(tasks, { checkpoint: checkpoint(whole, { failures: [open(0)] }) })).toBe(true);
        expect(isDirty(tasks, { checkpoint: checkpoint(whole, { pending: [open(0)] }) })).toBe(true);
        expect(isDirty(tasks, { checkpoint: checkpoint(whole, { skipped: [skip] }) })).toBe(true);
    });

    it('when there is none and no task counts', () => {
        const skipped = task('a', 'a', 'COBOL', 'no toolchain');
        expect(isDirty([])).toBe(true);
        expect(isDirty([skipped])).toBe(true);
        expect(isDirty([skipped, task('b')])).toBe(false);
    });
});

describe('entries of the earlier tools', () => {
    it('go to the task of their language where sources are equal, to either Python, then to any', () => {
        const tasks = ['CPP', 'PYTHON3', 'JAVA'].map((language) => task(language, 'same', language));
        const written = (language: string) => ({
            entry: { ...entry(null, null).entry, language, solution: 'same' },
        });
        const [java, python, pascal] = [written('JAVA'), written('python'), written('PASCAL')];
        const planned = plan(tasks, {
            checkpoint: checkpoint([pascal, python, java], { origin: 'earlier' }),
            tests: 0,
        });
        expect(planned.state.kept.map((one) => one.stored.entry.language)).toEqual([
            'PASCAL',
            'python',
            'JAVA',
        ]);
    });
});

describe('--rerun', () => {
    const AT = '2026-01-02T00:00:00.000Z';
    const asks = (
        what: string,
        stored: Partial<Entry>,
        limits: typeof LIMITS | null = LIMITS,
        at = AT,
    ): boolean =>
        isAskedFor(
            [{ what: parseRerun(what, '--rerun'), at, only: [] }],
            { id: 's', group: 'solution' },
            { result: { accepted: false, verdict: 'WrongAnswer', tests: [] }, attempts: [], ...stored },
            limits,
        );
    const used = (more: object): Partial<Entry> => ({
        result: {
            accepted: false,
            verdict: 'WrongAnswer',
            tests: [
                { passed: true, cpu_time: 1, wall_time: 1, memory: 1, exec_info: { status: 'Success' } },
                {
                    passed: false,
                    cpu_time: 1,
                    wall_time: 1,
                    memory: 1,
                    exec_info: { status: 'Failed' },
                    ...more,
                },
            ],
        },
    });

    it('tle takes time-outs only', () => {
        expect(asks('tle', { result: { accepted: false, verdict: 'TimeLimitExceeded', tests: [] } })).toBe(
            true,
        );
        expect(asks('tle', {})).toBe(false);
    });

    it('over-limit takes what used more than the limits of now, in any test', () => {
        expect(asks('over-limit', used({}))).toBe(false);
        expect(asks('over-limit', used({ cpu_time: LIMITS.time + 0.1 }))).toBe(true);
        expect(asks('over-limit', used({ cpu_time: LIMITS.time }))).toBe(false);
        expect(asks('over-limit', used({ cpu_time: null, memory: LIMITS.memory + 1 }))).toBe(true);
        expect(asks('over-limit', used({ memory: LIMITS.memory }))).toBe(false);
        expect(asks('over-limit', used({ verdict: 'OutputLimitExceeded' }))).toBe(true);
        expect(asks('over-limit', used({ verdict: 'RuntimeError' }))).toBe(false);
        expect(asks('over-limit', used({ cpu_time: LIMITS.time + 1 }), null)).toBe(false);
        expect(asks('over-limit', { result: { accepted: true } })).toBe(false);
    });

    it('changed asks for no entry, all for every one, nothing is refused', () => {
        expect(asks('changed', {})).toBe(false);
        expect(asks('all', {})).toBe(true);
        expect(() => parseRerun('', '--rerun')).toThrow('--rerun: expected all, failed');
    });

    it('takes no entry that was made at the very time of the request', () => {
        const attempts = [{ attempt: 1, started_at: AT, duration: 1, api_used: 'local', worker_id: 'w' }];
        expect(asks('all', { attempts })).toBe(false);
    });

    it('takes ids that one of several patterns matches, hidden ones too', () => {
        const only = ['x/*', 's'];
        const entryOf = { result: { accepted: true }, attempts: [] };
        expect(isAskedFor([{ what: 'all', at: AT, only }], { id: 's', group: 'g' }, entryOf, null)).toBe(
            true,
        );
        expect(isAskedFor([{ what: 'all', at: AT, only }], { id: 't', group: 'g' }, entryOf, null)).toBe(
            false,
        );
        expect(matchesId('*', '.hidden')).toBe(true);
        expect(matchesId('[a', '[a')).toBe(true);
    });
});
