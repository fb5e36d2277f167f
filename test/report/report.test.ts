import { spawnSync } from 'node:child_process';
import { describe, expect, test } from 'vitest';
import { reportAnnotations } from '../../src/report/annotations.js';
import { reportCsv } from '../../src/report/csv.js';
import { reportJunit } from '../../src/report/junit.js';
import { listMissedBounds, selectSamplesBelow, sortSamples } from '../../src/report/select-samples.js';
import { renderFindings } from '../../src/report/doctor.js';
import { reportMarkdown } from '../../src/report/report-markdown.js';
import { computeTrueNegativeRate, computeTruePositiveRate } from '../../src/report/rates.js';
import { reportJson, type Report } from '../../src/report/report.js';
import { PLAIN } from '../../src/report/style.js';
import { group, reportOf, sampleTally, someSamples, textOf } from './fixtures.js';
import { PYTHON } from '../rig/servers/run-program.js';

const PAGE = { width: 80, style: PLAIN };

describe('rates', () => {
    test('failures, skips and open tasks are in neither count', () => {
        const groups = {
            solution: group({ Accepted: 3, WrongAnswer: 1 }, { total: 10, failed: 2, skipped: 5 }),
            incorrect_solution: group({ Accepted: 1, WrongAnswer: 2, TimeLimitExceeded: 1 }, { failed: 9 }),
        };
        expect(computeTruePositiveRate(groups)).toEqual({ hits: 3, judged: 4, value: 0.75 });
        expect(computeTrueNegativeRate(groups)).toEqual({ hits: 3, judged: 4, value: 0.75 });
    });

    test('null where nothing was judged or there is no such group', () => {
        expect(computeTruePositiveRate({ solution: group({}, { total: 3, failed: 3 }) })).toEqual({
            hits: 0,
            judged: 0,
            value: null,
        });
        expect(computeTrueNegativeRate({ iteration: group({ Accepted: 1 }) })).toBeNull();
        expect(computeTruePositiveRate({})).toBeNull();
    });
});

describe('report', () => {
    test('as text', async () => {
        expect(textOf(await reportOf(someSamples()), PAGE)).toMatchInlineSnapshot(`
          "3 samples, 1 complete
          TPR  91.7 %  22 of 24 solutions accepted            0 failed, 2 skipped, 4 open
          TNR  93.1 %  27 of 29 incorrect solutions rejected  1 failed, 0 skipped

          Weak tests: 1 sample, lowest TNR first
            Codeforces/1575/A  92.0 %  2 of 25 incorrect solutions accepted

          Unexpected: 4 verdicts
            Codeforces/1575/A  solution 3                              WrongAnswer
            Codeforces/1575/A  solution 11           submissi…slow.py  TimeLimitExceeded
            Codeforces/1575/A  incorrect_solution 0                    Accepted
            Codeforces/1575/A  incorrect_solution 9                    Accepted

          verdicts             AC  WA  TLE  RTE  CE
          solutions            22   1    1    ·   ·
          incorrect solutions   2  23    ·    3   1

          sample             solutions     TPR  incorrect     TNR  failed  skipped  open
          Codeforces/1575/A      17/19  89.5 %      23/25  92.0 %       1        2     ·
          hello                    4/4   100 %        4/4   100 %       ·        ·     ·
          p10-中文題目             1/1   100 %                          ·        ·     4

          Within 10 % of the time limit: 1 verdict
            Codeforces/1575/A  solution 8

          Failed: 1 task, retried at the next start
            Codeforces/1575/A  incorrect_solution 5    judge-error
              the checker exited with 3: no testlib.h

          Skipped: 2 tasks
            2  no toolchain for KOTLIN: kotlinc not found
          "
        `);
    });

    test('shows limits that were computed', async () => {
        const limits = { time: 13, slowest: 2.516, group_fingerprint: 'f' };
        const text = textOf(await reportOf([sampleTally('p', { solution: group({}) })], limits), PAGE);
        expect(text).toContain('Computed time limits\n  p  13 s  slowest accepted run 2.5 s\n');
        expect(textOf(await reportOf(someSamples()), PAGE)).not.toContain('Computed');
    });

    test('as Markdown', async () => {
        expect([...reportMarkdown(await reportOf(someSamples()))].join('')).toMatchInlineSnapshot(`
          "| sample | solutions | TPR | incorrect solutions | TNR | failed | skipped | open |
          | --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: |
          | \`Codeforces/1575/A\` | 17/19 | 89.5 % | 23/25 | 92.0 % | 1 | 2 | 0 |
          | \`hello\` | 4/4 | 100 % | 4/4 | 100 % | 0 | 0 | 0 |
          | \`p10-中文題目\` | 1/1 | 100 % |  |  | 0 | 0 | 4 |
          | **total** | 22/24 | 91.7 % | 27/29 | 93.1 % | 1 | 2 | 4 |

          Unexpected verdicts: 4

          - \`Codeforces/1575/A\`: \`solution\` 3: WrongAnswer
          - \`Codeforces/1575/A\`: \`solution\` 11 (\`submissions/accepted/slow.py\`): TimeLimitExceeded
          - \`Codeforces/1575/A\`: \`incorrect_solution\` 0: Accepted
          - \`Codeforces/1575/A\`: \`incorrect_solution\` 9: Accepted
          "
        `);
    });

    test('Markdown says what was expected where the group does not', async () => {
        const unexpected = [
            {
                sample: 'p',
                group: 'partially_accepted',
                index: 0,
                verdict: 'Accepted',
                expected: ['WrongAnswer'],
            },
        ] as const;
        const lines = reportMarkdown(
            await reportOf([sampleTally('p', { partially_accepted: group({}) }, { unexpected })]),
        );
        expect([...lines].join('')).toContain(
            '- `p`: `partially_accepted` 0: Accepted, expected WrongAnswer\n',
        );
    });

    test('in no output language is it steered by ids, groups, names or formats', async () => {
        const hostile = '=cmd|x\\|`@all <img src=x>\n\u001b[2J#1';
        const ref = { sample: hostile, group: hostile, index: 0, name: hostile };
        const report = await reportOf([
            sampleTally(
                hostile,
                { [hostile]: group({ Accepted: 1 }) },
                { unexpected: [{ ...ref, verdict: 'Accepted', expected: ['WrongAnswer'] }] },
            ),
        ]);
        const named: Report = {
            ...report,
            comparison: { [hostile]: hostile },
            removed: { count: 1, samples: [hostile] },
        };
        const markdown = [...reportMarkdown(named)].join('');
        expect(markdown.split('\n').filter((line) => line.startsWith('|'))).toHaveLength(4);
        // Nothing of it remains outside code spans, which are fenced with two backticks because the text contains one.
        expect(markdown.replace(/``[^\n]*?``/g, '')).not.toMatch(/@all|<img|#1|cmd/);
        const csv = [...reportCsv(named)].join('');
        expect(csv).not.toMatch(/(?:^|,)"?=/m);
        for (const text of [markdown, csv, textOf(named, PAGE)]) expect(text).not.toContain('\u001b');
    });

    test('as JSON', async () => {
        const odd = sampleTally('a\u2028b\nc', { it: group({ Accepted: 1 }) });
        for (const samples of [[], [odd], someSamples()]) {
            const text = [...reportJson(await reportOf(samples))].join('');
            expect(text).toBe(`${JSON.stringify(JSON.parse(text), null, 4)}\n`);
        }
        const value: unknown = JSON.parse([...reportJson(await reportOf(someSamples()))].join(''));
        expect(value).toMatchObject({
            total: {
                samples: 3,
                tpr: { hits: 22, judged: 24 },
                tnr: { hits: 27, judged: 29 },
                unexpectedCount: 4,
            },
            samples: [
                { id: 'Codeforces/1575/A', isComplete: false, tpr: { value: 17 / 19 }, unexpected: 4 },
                { id: 'hello', isComplete: true, tpr: { value: 1 } },
                { id: 'p10-\u4e2d\u6587\u984c\u76ee', tnr: null },
            ],
        });
    });

    test('answers first: weak tests, and why a verdict was not expected', async () => {
        const unexpected = [
            {
                sample: 'p',
                group: 'solution',
                index: 2,
                verdict: 'TimeLimitExceeded',
                expected: ['Accepted'],
                language: 'CPP',
                failedTest: 3,
                time: 1.25,
            },
        ] as const;
        const weak = (id: string, accepted: number) =>
            sampleTally(id, { incorrect_solution: group({ Accepted: accepted, WrongAnswer: 4 - accepted }) });
        const report = await reportOf([
            weak('b', 1),
            weak('a', 3),
            weak('fine', 0),
            sampleTally('p', { solution: group({ Accepted: 2, TimeLimitExceeded: 1 }) }, { unexpected }),
        ]);
        const text = textOf(report, PAGE);
        expect(text).toContain('  p  solution 2    TimeLimitExceeded  CPP, test 4, 1.3 s\n');
        const [, list = ''] = /lowest TNR first\n((?: {2}.*\n)+)/.exec(text) ?? [];
        expect(list.split('\n').map((line) => line.trim().split(' ')[0])).toEqual(['a', 'b', '']);
        expect(text.indexOf('Weak tests')).toBeLessThan(text.indexOf('verdicts'));
        const ids = (some: Report): string[] => Array.from(some.samples, ({ id }) => id);
        expect(ids(sortSamples(report, 'tnr'))).toEqual(['a', 'b', 'fine', 'p']);
        expect(ids(sortSamples(report, 'tpr'))).toEqual(['p', 'a', 'b', 'fine']);
        expect(ids(selectSamplesBelow(report, { tnr: 0.5 }))).toEqual(['a']);
        expect(ids(selectSamplesBelow(report, { tnr: 0.9, tpr: 0.9 }))).toEqual(['a', 'b', 'p']);
        expect(selectSamplesBelow(report, { tnr: 0.5 }).total.unexpected).toEqual([]);
        expect(listMissedBounds(report, { tnr: 0.66, tpr: 0.67 })).toEqual(['tpr 0.6667 is under 0.67']);
        expect(listMissedBounds(await reportOf([]), { tpr: 0 })).toEqual(['tpr: no task was judged']);
    });

    test('as JUnit XML and as annotations, whatever ids hold', async () => {
        const id = '<a> & "b"\n::error::x %\u0000';
        const failures = [{ sample: id, group: 'it', index: 1, reason: 'sandbox', message: 'no\nend' }];
        const report = await reportOf([
            ...someSamples(),
            sampleTally(id, { it: group({ Accepted: 1 }, { failed: 1 }) }, { failures }),
        ]);
        const xml = [...reportJunit(report)].join('');
        expect(xml).toContain(
            '<testsuite name="&lt;a&gt; &amp; &quot;b&quot;&#10;::error::x %\\x00" tests="2" failures="0" errors="1">',
        );
        expect(xml).toContain('<failure message="TimeLimitExceeded" type="TimeLimitExceeded"/>');
        const checked = spawnSync(PYTHON, ['-c', 'import sys, xml.dom.minidom as m; m.parse(sys.stdin)'], {
            input: xml,
            encoding: 'utf8',
        });
        expect([checked.status, checked.stderr]).toEqual([0, '']);
        const annotations = reportAnnotations(report).trimEnd().split('\n');
        expect(annotations).toHaveLength(1 + 4 + 2);
        expect(annotations[0]).toBe(
            '::notice title=resume-run report::TPR 91.7 %25, TNR 93.1 %25; 4 unexpected, 2 failed',
        );
        expect(annotations.at(-1)).toBe(
            '::error title=Not judged::<a> & "b"%0A::error::x %25\\x00 it 1: sandbox: no%0Aend',
        );
    });

    test('samples stand in the order people expect', async () => {
        const { samples } = await reportOf(['p10', 'p2', 'P2', 'a'].map((id) => sampleTally(id, {})));
        expect(Array.from(samples, ({ id }) => id)).toEqual(['a', 'p2', 'P2', 'p10']);
    });

    test('of an empty directory', async () => {
        const empty = await reportOf([]);
        expect(textOf(empty, PAGE)).toBe('0 samples, 0 complete\n');
        expect([...reportCsv(empty)].join('')).toBe('sample,complete,tpr,tnr,unexpected,near_limit\r\n');
        expect([...reportJunit(empty)].join('')).toMatch(/\n<testsuites name="resume-run"\/>\n$/);
    });
});

test('doctor', () => {
    const text = renderFindings(
        [
            {
                title: 'Languages',
                rows: [
                    { name: 'PYTHON3', state: 'ok', detail: 'Python 3.11.2, /usr/bin/python3' },
                    { name: 'KOTLIN', state: 'missing', detail: 'no kotlinc on PATH' },
                ],
            },
            { title: 'Nothing', rows: [] },
            {
                title: 'Sandbox',
                rows: [{ name: 'bwrap', state: 'problem', detail: 'user namespaces are off' }],
            },
        ],
        PAGE,
    );
    expect(text).toMatchInlineSnapshot(`
      "Languages
        ok       PYTHON3  Python 3.11.2, /usr/bin/python3
        missing  KOTLIN   no kotlinc on PATH

      Sandbox
        problem  bwrap  user namespaces are off
      "
    `);
});
