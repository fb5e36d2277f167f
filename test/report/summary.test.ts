import { describe, expect, test } from 'vitest';
import { PLAIN } from '../../src/report/style.js';
import { renderSummary } from '../../src/report/summary.js';
import { measureWidth } from '../../src/report/width.js';
import { endOf, group, sampleTally, someSamples, totalOf } from './fixtures.js';

const page = (width: number, dir = 'results') => ({ width, dir, style: PLAIN });

describe('closing summary', () => {
    test('of a run with failures and surprises', () => {
        const end = endOf(totalOf(someSamples()), { outcome: 'finished with failures', failed: 1 });
        expect(renderSummary(end, page(80))).toMatchInlineSnapshot(`
          "Finished with 1 failure in 4m 12s: 54 tasks saved, 12.9/min.
          Failures are not verdicts; the next start retries them.

          TPR  91.7 %  22 of 24 solutions accepted            0 failed, 2 skipped, 4 open
          TNR  93.1 %  27 of 29 incorrect solutions rejected  1 failed, 0 skipped

          verdicts             AC  WA  TLE  RTE  CE
          solutions            22   1    1    ·   ·
          incorrect solutions   2  23    ·    3   1

          Unexpected: 4 verdicts
            Codeforces/1575/A  solution 3                              WrongAnswer
            Codeforces/1575/A  solution 11           submissi…slow.py  TimeLimitExceeded
            Codeforces/1575/A  incorrect_solution 0                    Accepted
            Codeforces/1575/A  incorrect_solution 9                    Accepted

          Within 10 % of the time limit: 1 verdict
            Codeforces/1575/A  solution 8

          Failed: 1 task, retried at the next start
            Codeforces/1575/A  incorrect_solution 5    judge-error
              the checker exited with 3: no testlib.h

          Skipped: 2 tasks
            2  no toolchain for KOTLIN: kotlinc not found

          worker    attempts  failures    busy
          thread-1        30         0  4m 01s
          thread-2        24         1  3m 53s

          Results  results (1 of 3 samples complete)
          Resume   resume-run --dir results
          "
        `);
    });

    test('of a clean run', () => {
        const clean = [
            sampleTally('hello', {
                solution: group({ Accepted: 4 }),
                incorrect_solution: group({ WrongAnswer: 3, CompileError: 1 }),
            }),
        ];
        expect(
            renderSummary(endOf(totalOf(clean), { workers: [], committed: 8, duration: 2.1 }), page(80)),
        ).toMatchInlineSnapshot(`
          "Finished in 2.1 s: 8 tasks saved, 3.8/s.

          TPR  100 %  4 of 4 solutions accepted            0 failed, 0 skipped
          TNR  100 %  4 of 4 incorrect solutions rejected  0 failed, 0 skipped

          verdicts             AC  WA  CE
          solutions             4   ·   ·
          incorrect solutions   ·   3   1

          All 8 verdicts as expected.

          Results  results (1 of 1 sample complete)
          Details  resume-run report --dir results
          "
        `);
    });

    test('of a stopped run on servers', () => {
        const endpoint = {
            state: 'healthy',
            inFlight: 0,
            done: 40,
            failures: 0,
            meanTime: 1.25,
            coolDowns: 0,
            concurrency: 4,
        } as const;
        const end = endOf(
            totalOf([sampleTally('a', { iteration: group({ Accepted: 40 }, { total: 100, failed: 3 }) })]),
            {
                outcome: 'stopped',
                stop: { reason: 'signal', signal: 'SIGINT' },
                signal: 'SIGINT',
                aborted: 8,
                workers: [],
                endpoints: [
                    { ...endpoint, endpoint: 'http://10.0.0.1:8080/' },
                    {
                        ...endpoint,
                        endpoint: 'http://10.0.0.2:8080/',
                        failures: 4,
                        coolDowns: 2,
                        meanTime: null,
                        state: 'cooling',
                    },
                ],
            },
        );
        expect(renderSummary(end, page(80, 'my results'))).toMatchInlineSnapshot(`
          "Stopped by Ctrl-C (SIGINT) after 4m 12s: 54 tasks saved, 8 interrupted.

          100 %  40 of 40 accepted in iteration  3 failed, 0 skipped, 57 open

          verdicts   AC
          iteration  40

          Failed: 3 tasks, retried at the next start
            …and 3 more (resume-run report --dir 'my results')

          endpoint               done  failures   mean  at once  cool-downs  state
          http://10.0.0.2:8080/    40         4      -        4           2  cooling
          http://10.0.0.1:8080/    40         0  1.3 s        4           0  healthy

          Results  my results (0 of 1 sample complete)
          Resume   resume-run --dir 'my results'
          "
        `);
    });

    test('of a run in which everything is skipped', () => {
        const skipped = sampleTally('p', { solution: group({}, { total: 0, skipped: 8 }) });
        const end = endOf(totalOf([skipped]), { committed: 0, workers: [], duration: 0.1 });
        expect(renderSummary(end, page(80))).toMatch(/^Nothing to do: 8 tasks skipped, none can run\.\n/);
    });

    test('of a run with nothing to do', () => {
        const end = endOf(totalOf([]), { committed: 0, workers: [], duration: 0.1 });
        expect(renderSummary(end, page(80))).toMatchInlineSnapshot(`
          "Nothing left to do: all requested tasks are already finished.

          Results  results (0 of 0 samples complete)
          Details  resume-run report --dir results
          "
        `);
    });

    test('lists are cut to ten', () => {
        const unexpected = Array.from({ length: 2500 }, (_, index) => ({
            sample: 'x',
            group: 'solution',
            index,
            verdict: 'WrongAnswer' as const,
            expected: ['Accepted', 'TimeLimitExceeded'] as const,
        }));
        const text = renderSummary(endOf(totalOf([sampleTally('x', {}, { unexpected })])), page(80));
        expect(text).toContain('Unexpected: 2,500 verdicts');
        expect(text).toContain('  x  solution 9    WrongAnswer  expected Accepted or TimeLimitExceeded\n');
        expect(text).not.toContain('solution 10 ');
        expect(text).toContain('  …and 2,490 more (resume-run report --dir results)');
    });

    test('fits 80 columns with long, wide and hostile ids', () => {
        const ids = ['a/'.repeat(60), '\u4e2d\u6587'.repeat(40), `\u001b[31m${'x'.repeat(90)}`, '\u202eevil'];
        const samples = ids.map((id) =>
            sampleTally(
                id,
                { solution: group({ WrongAnswer: 1 }) },
                {
                    unexpected: [
                        {
                            sample: id,
                            group: 'solution',
                            index: 0,
                            name: id,
                            verdict: 'WrongAnswer',
                            expected: ['Accepted'],
                        },
                    ],
                    nearLimit: [{ sample: id, group: 'solution', index: 0, name: id }],
                },
            ),
        );
        const text = renderSummary(endOf(totalOf(samples)), page(80));
        for (const line of text.split('\n')) {
            expect(measureWidth(line)).toBeLessThanOrEqual(80);
            expect(line).not.toMatch(/\p{Cc}|\u202e/u);
        }
    });
});
