import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { StoredEntry } from '../../src/model/checkpoint.js';
import type { Entry, OpenTask } from '../../src/model/entry.js';
import type { Verdict } from '../../src/model/verdict.js';
import { isAskedFor } from '../../src/plan/rerun.js';
import { LIMITS, task, entry, checkpoint, plan, due, kept } from './planning.js';

describe('planSample', () => {
    it('runs everything where there is no result file', () => {
        expect(due(plan([task('a'), task('b')]))).toEqual([
            [0, 'new'],
            [1, 'new'],
        ]);
    });

    it('runs nothing where everything is finished', () => {
        const planned = plan([task('a'), task('b')], {
            checkpoint: checkpoint([entry(0, 'a'), entry(1, 'b')]),
        });
        expect(planned.due).toEqual([]);
        expect(planned.state.dirty).toBe(false);
    });

    it('keeps results of a reordered dataset under their new index', () => {
        const planned = plan([task('b'), task('c'), task('a')], {
            checkpoint: checkpoint([entry(0, 'a'), entry(1, 'b')]),
        });
        expect(kept(planned)).toEqual([
            [0, 1],
            [2, 0],
        ]);
        expect(due(planned)).toEqual([[1, 'new']]);
        expect(planned.state.dirty).toBe(true);
    });

    it('tells equal programs apart by how many there are', () => {
        const planned = plan([task('a'), task('a'), task('a')], {
            checkpoint: checkpoint([entry(1, 'a'), entry(2, 'a')]),
        });
        expect(kept(planned)).toEqual([
            [1, 1],
            [2, 2],
        ]);
        expect(due(planned)).toEqual([[0, 'new']]);
    });

    it('never pairs an old result with a changed program: it is superseded, and counted as changed', () => {
        const planned = plan([task('a2')], { checkpoint: checkpoint([entry(0, 'a')]) });
        expect(due(planned)).toEqual([[0, 'input changed']]);
        expect(planned.changed).toBe(1);
        expect(planned.state.superseded.map((one) => one.stored.entry.fingerprint)).toEqual(['a']);
    });

    it.each([
        ['TimeLimitExceeded', { ...LIMITS, time: 1000 }, true],
        ['TimeLimitExceeded', { ...LIMITS, time: 10 }, false],
        ['TimeLimitExceeded', { ...LIMITS, memory: 2e9 }, false],
        ['MemoryLimitExceeded', { ...LIMITS, memory: 2e9 }, true],
        ['OutputLimitExceeded', { ...LIMITS, output: 2e6 }, true],
        ['WrongAnswer', { time: 1000, memory: 2e9, output: 2e6 }, false],
        ['Accepted', { time: 1000, memory: 2e9, output: 2e6 }, false],
    ] as const)('%s under limits %j runs again: %s', (verdict, limits, again) => {
        const planned = plan([task('a')], {
            checkpoint: checkpoint([entry(0, 'a', verdict)]),
            limits: () => limits,
        });
        expect(due(planned)).toEqual(again ? [[0, 'limit raised']] : []);
        expect(planned.state.kept).toHaveLength(1);
    });

    it('runs entries that stopped early again under --all-tests, and only those', () => {
        const tests = (count: number) => Array.from({ length: count }, () => ({ passed: true }) as never);
        const result = (verdict: Verdict, count: number) => ({
            result: { accepted: verdict === 'Accepted', verdict, tests: tests(count) },
        });
        const planned = plan([task('a'), task('b'), task('c'), task('d')], {
            checkpoint: checkpoint([
                entry(0, 'a', 'WrongAnswer', result('WrongAnswer', 2)),
                entry(1, 'b', 'WrongAnswer', result('WrongAnswer', 3)),
                entry(2, 'c', 'Accepted', result('Accepted', 3)),
                entry(3, 'd', 'CompileError', result('CompileError', 1)),
            ]),
            options: { allTests: true, rerun: [], compilers: new Map() },
        });
        expect(due(planned)).toEqual([[0, 'stopped early']]);
    });

    it('asks again only for entries older than the request, so that a killed re-run goes on', () => {
        const at = (started_at: string) => ({ attempts: [{ started_at } as Entry['attempts'][number]] });
        const planned = plan([task('a'), task('b')], {
            checkpoint: checkpoint([
                entry(0, 'a', 'Accepted', at('2026-01-01T00:00:00Z')),
                entry(1, 'b', 'Accepted', at('2026-01-03T00:00:00Z')),
            ]),
            options: {
                allTests: false,
                rerun: [{ what: 'all', at: '2026-01-02T00:00:00Z', only: [] }],
                compilers: new Map(),
            },
        });
        expect(due(planned)).toEqual([[0, 'asked for']]);
    });

    it('takes an id with glob signs in it literally, like --only', () => {
        const entries = (['all', { glob: 's[1]' }] as const).map((what) => ({
            what,
            at: '2026-01-02T00:00:00Z',
        }));
        const limits = null;
        const finished = { result: { accepted: true }, attempts: [] };
        const of = { id: 's[1]', group: 'solution' };
        const [all, glob] = entries;
        if (all === undefined || glob === undefined) throw new Error('no request');
        expect(isAskedFor([{ ...all, only: ['s[1]'] }], of, finished, limits)).toBe(true);
        expect(isAskedFor([{ ...all, only: ['s[2]'] }], of, finished, limits)).toBe(false);
        expect(isAskedFor([{ ...glob, only: [] }], of, finished, limits)).toBe(true);
    });

    it('takes --rerun failed for verdicts that nobody expected, not for right rejections', () => {
        const failed = [{ what: 'failed' as const, at: '2026-01-02T00:00:00Z', only: [] }];
        const asked = (group: string, verdict: Verdict, expected?: Verdict[]) =>
            isAskedFor(
                failed,
                { id: 's', group },
                {
                    result: { accepted: verdict === 'Accepted', verdict },
                    attempts: [],
                    ...(expected === undefined ? {} : { expected }),
                },
                null,
            );
        expect(asked('solution', 'WrongAnswer')).toBe(true);
        expect(asked('solution', 'Accepted')).toBe(false);
        expect(asked('incorrect_solution', 'WrongAnswer')).toBe(false);
        expect(asked('incorrect_solution', 'Accepted')).toBe(true);
        expect(asked('incorrect_solution', 'WrongAnswer', ['TimeLimitExceeded'])).toBe(true);
        expect(asked('iteration', 'WrongAnswer')).toBe(true);
    });

    it('takes --rerun compile-errors for programs that did not compile, expected or not', () => {
        const request = [{ what: 'compile-errors' as const, at: '2026-01-02T00:00:00Z', only: [] }];
        const asked = (verdict: Verdict) =>
            isAskedFor(
                request,
                { id: 's', group: 'incorrect_solution' },
                { result: { verdict }, attempts: [] },
                null,
            );
        expect(asked('CompileError')).toBe(true);
        expect(asked('WrongAnswer')).toBe(false);
    });

    it('runs failures again and goes on with what is not final yet', () => {
        const open = (fingerprint: string, more: Partial<OpenTask> = {}): OpenTask => ({
            group: 'solution',
            index: 7,
            fingerprint,
            reason: 'sandbox',
            message: '',
            attempts: [],
            ...more,
        });
        const planned = plan([task('a'), task('b')], {
            checkpoint: checkpoint([], { failures: [open('a')], pending: [open('b', { tests: [] })] }),
        });
        expect(due(planned)).toEqual([
            [0, 'failed before'],
            [1, 'not final yet'],
        ]);
        expect(planned.state.pending.map((one) => one.index)).toEqual([1]);
    });

    it('skips only what has no finished entry, and leaves skips out of the total', () => {
        const planned = plan(
            [task('a', 'a', 'KOTLIN', 'no kotlinc'), task('b', 'b', 'KOTLIN', 'no kotlinc')],
            {
                checkpoint: checkpoint([entry(0, 'a')]),
            },
        );
        expect(planned.due).toEqual([]);
        expect(planned.state.skipped).toEqual([{ group: 'solution', index: 1, reason: 'no kotlinc' }]);
        expect(planned.state.totals).toEqual([['solution', 1]]);
    });

    describe('files of the earlier tools', () => {
        const earlier = (entries: readonly StoredEntry[]) =>
            checkpoint(entries, { origin: 'earlier', totals: new Map() });
        const old = (
            source: string,
            language: string,
            verdict: Verdict | null = 'Accepted',
            result: object = {},
        ) =>
            entry(null, null, verdict, {
                solution: source,
                language,
                result: {
                    accepted: verdict === 'Accepted',
                    ...(verdict === null ? {} : { verdict }),
                    tests: [],
                    ...result,
                },
            });

        it('match by exact source, PYTHON standing for both Pythons, equal sources once each', () => {
            const planned = plan([task('f0', 'x'), task('f1', 'x', 'PYTHON'), task('f2', 'y')], {
                tests: 0,
                checkpoint: earlier([old('x', 'PYTHON'), old('y', 'PYTHON'), old('z', 'PYTHON')]),
            });
            expect(kept(planned)).toEqual([
                [1, null],
                [2, null],
            ]);
            expect(due(planned)).toEqual([[0, 'new']]);
            expect(planned.state.superseded).toHaveLength(1);
        });

        it('without a verdict run again', () => {
            const planned = plan([task('f0', 'x')], { checkpoint: earlier([old('x', 'PYTHON3', null)]) });
            expect(due(planned)).toEqual([[0, 'earlier file without a verdict']]);
        });

        it('time-outs run again if the limit now exceeds their time, or they printed nothing', () => {
            const timeOut = (execution_time: number, stdout: string) => ({
                tests: [{ passed: false, exec_info: { run_result: { execution_time, stdout } } }],
            });
            const planned = plan([task('f0', 'x'), task('f1', 'y'), task('f2', 'z')], {
                checkpoint: earlier([
                    old('x', 'PYTHON3', 'TimeLimitExceeded', timeOut(10, 'some')),
                    old('y', 'PYTHON3', 'TimeLimitExceeded', timeOut(30, 'some')),
                    old('z', 'PYTHON3', 'TimeLimitExceeded', timeOut(30, '')),
                ]),
            });
            expect(due(planned)).toEqual([
                [0, 'limit raised'],
                [2, 'time-out without output'],
            ]);
        });
    });

    describe('entries that were taken over from the earlier tools', () => {
        const imported = (
            index: number,
            fingerprint: string,
            verdict: Verdict,
            tests: number,
        ): StoredEntry => {
            const { limits: _, ...rest } = entry(index, fingerprint, verdict, {
                result: {
                    accepted: verdict === 'Accepted',
                    verdict,
                    tests: Array.from({ length: tests }, () => ({ passed: true })) as never[],
                },
            }).entry;
            return { entry: rest };
        };

        it('run again where they were accepted with another number of tests, and the guard counts them', () => {
            const planned = plan([task('a'), task('b'), task('c')], {
                tests: 3,
                checkpoint: checkpoint([
                    imported(0, 'a', 'Accepted', 2),
                    imported(1, 'b', 'Accepted', 3),
                    imported(2, 'c', 'WrongAnswer', 1),
                ]),
            });
            expect(due(planned)).toEqual([[0, 'another number of tests']]);
            expect(planned.changed).toBe(1);
            expect(planned.state.kept).toHaveLength(3);
        });

        it('run again where they timed out without output, by the test that gave the verdict', () => {
            const timedOut = (stdout: string) => ({
                passed: false,
                exec_info: { run_result: { status: 'TimeLimitExceeded', execution_time: 1000, stdout } },
            });
            const wrong = { passed: false, exec_info: { run_result: { execution_time: 0.1, stdout: 'x' } } };
            const planned = plan([task('a'), task('b')], {
                tests: 2,
                checkpoint: checkpoint(
                    ['', 'some'].map((stdout, index) => {
                        const { entry } = imported(index, index === 0 ? 'a' : 'b', 'TimeLimitExceeded', 0);
                        const result = { ...entry.result, tests: [timedOut(stdout), wrong] as never[] };
                        return { entry: { ...entry, result } };
                    }),
                ),
            });
            expect(due(planned)).toEqual([[0, 'time-out without output']]);
        });

        it('of ours may have any number of tests', () => {
            const planned = plan([task('a')], { tests: 3, checkpoint: checkpoint([entry(0, 'a')]) });
            expect(due(planned)).toEqual([]);
        });
    });

    it('finds each finished task at most once, and loses none, whatever the edits', () => {
        const letters = fc.array(fc.constantFrom('a', 'b', 'c', 'd'), { maxLength: 8 });
        fc.assert(
            fc.property(letters, letters, (before, after) => {
                const planned = plan(
                    after.map((letter) => task(letter)),
                    { checkpoint: checkpoint(before.map((letter, index) => entry(index, letter))) },
                );
                const seen = [...planned.state.kept, ...planned.state.superseded].map((one) => one.stored);
                expect(new Set(seen).size).toBe(before.length);
                for (const one of planned.state.kept)
                    expect(one.stored.entry.fingerprint).toBe(after[one.index]);
                expect(planned.due.length + planned.state.kept.length).toBe(after.length);
                const common = ['a', 'b', 'c', 'd'].reduce((sum, letter) => {
                    const count = (list: readonly string[]) => list.filter((one) => one === letter).length;
                    return sum + Math.min(count(before), count(after));
                }, 0);
                expect(planned.state.kept).toHaveLength(common);
            }),
        );
    });
});
