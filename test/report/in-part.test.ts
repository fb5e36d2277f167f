import { describe, expect, it } from 'vitest';
import { FLAG_IN_PART, FLAG_UNEXPECTED } from '../../src/model/page-data.js';
import type { Checkpoint } from '../../src/model/checkpoint.js';
import type { Entry } from '../../src/model/entry.js';
import type { ExpectedScore } from '../../src/model/scoring.js';
import { type EntryFigures, readFigures, tallySample } from '../../src/model/tally.js';
import type { Verdict } from '../../src/model/verdict.js';
import { pickRows } from '../../src/compose/page/pick-rows.js';
import { RunData } from '../../src/page/data/run-data.js';
import { ColumnBuilder } from '../../src/report/html/column-builder.js';
import { reportCsv } from '../../src/report/csv.js';
import { reportMarkdown } from '../../src/report/report-markdown.js';
import { reportJson } from '../../src/report/report.js';
import { selectSamplesBelow } from '../../src/report/select-samples.js';
import { renderTask } from '../../src/report/show.js';
import { PLAIN } from '../../src/report/style.js';
import { reportOf, sampleTally, group, textOf } from './fixtures.js';

/*
 * Solutions accepted with less than the best score, as their packages allow: known to be right, but evidence neither for nor
 * against the tests.
 */

const PAGE = { width: 100, style: PLAIN };
const ANY_SCORE: readonly Verdict[] = ['Accepted', 'PartiallyAccepted'];

function makeEntry(
    index: number,
    [verdict, score]: readonly [Verdict, number],
    expected: readonly Verdict[] = ANY_SCORE,
    wanted?: ExpectedScore,
): Entry {
    return {
        index,
        name: `submissions/accepted/${index}.cpp`,
        language: 'CPP',
        expected,
        ...(wanted === undefined ? {} : { expected_scores: [wanted] }),
        result: {
            accepted: verdict === 'Accepted',
            verdict,
            score,
            best_score: 100,
            groups: [{ name: 'secret', verdict, score }],
            tests: [],
        },
        attempts: [],
        fingerprint: `v1-sha256-${index}`,
    };
}

const ENTRIES: readonly Entry[] = [
    makeEntry(0, ['Accepted', 100]),
    makeEntry(1, ['PartiallyAccepted', 40]),
    makeEntry(2, ['WrongAnswer', 0]),
    // This one declares the full score.
    makeEntry(3, ['PartiallyAccepted', 70], ANY_SCORE, { min: 100, max: 100 }),
    // Judged by a version that expected the best score from every solution: an entry keeps what was expected at the time.
    makeEntry(4, ['PartiallyAccepted', 20], ['Accepted']),
];

function makeTally() {
    const entries = ENTRIES.map((entry) => readFigures(entry)).filter(
        (figures): figures is EntryFigures => figures !== null,
    );
    const rest = { skipped: [], failed: [], pending: 0 };
    return tallySample('kakor', [{ name: 'solution', total: 5, entries, ...rest }]);
}

it('failures are listed by their place in the dataset', () => {
    const task = { group: 'main', fingerprint: 'f', reason: 'no-answer', message: '', attempts: [] };
    const failed = [4, 2, 11].map((index) => ({ ...task, index }));
    const { failures } = tallySample('a', [
        { name: 'main', total: 12, entries: [], skipped: [], failed, pending: 0 },
    ]);
    expect(failures.map(({ index }) => index)).toEqual([2, 4, 11]);
});

describe('a solution that is accepted in part', () => {
    it('is neither unexpected nor in the rate', async () => {
        const tally = makeTally();
        expect(tally.inPart).toEqual([
            {
                sample: 'kakor',
                group: 'solution',
                index: 1,
                name: 'submissions/accepted/1.cpp',
                score: 40,
                best: 100,
            },
        ]);
        expect(tally.unexpected.map(({ index }) => index)).toEqual([2, 3, 4]);
        const report = JSON.parse([...reportJson(await reportOf([tally]))].join('')) as object;
        const tpr = { hits: 1, judged: 4, value: 0.25 };
        expect(report).toMatchObject({ total: { tpr, inPartCount: 1 }, samples: [{ tpr }] });
    });

    it('is listed in the report, with where packages keep such solutions', async () => {
        const text = textOf(await reportOf([makeTally()]), PAGE);
        expect(text).toContain(
            'TPR  25.0 %  1 of 4 solutions accepted  0 failed, 0 skipped, 1 accepted in part',
        );
        expect(text).toContain(
            [
                'Accepted in part: 1 solution, not counted in any rate',
                '  kakor  solution 1  submissions/accepted/1.cpp  score 40 of 100',
                '  If that is intended, legacy packages keep them in submissions/partially_accepted/, and 2025-09 packages state a score in submissions.yaml.',
            ].join('\n'),
        );
        expect(text).toContain(
            'submissions/accepted/3.cpp  PartiallyAccepted  CPP, score 70, expected 100\n',
        );
        expect(text).toMatch(/kakor +1\/4 +25\.0 %/);
    });

    it('is told nowhere else where there is none', async () => {
        const report = await reportOf([sampleTally('p', { solution: group({ Accepted: 1 }) })]);
        expect(textOf(report, PAGE)).not.toContain('in part');
        expect([...reportMarkdown(report)].join('')).not.toContain('in part');
        expect([...reportCsv(report)].join('')).not.toContain('in_part');
    });

    it('has a column of its own in CSV, after those that were there', async () => {
        const rows = [...reportCsv(await reportOf([makeTally()]))].join('').split('\r\n');
        expect(rows[0]).toMatch(/,unexpected,near_limit,solution_mean_score,solution_in_part$/);
        expect(rows[1]).toMatch(/^kakor,true,5,5,1,0,0,0,0\.25,,3,0,0\.4\d+,1$/);
    });

    it('is in Markdown, and only with samples that were asked for', async () => {
        const report = await reportOf([makeTally()]);
        expect([...reportMarkdown(report)].join('')).toContain(
            'Solutions accepted in part, not counted in any rate: 1\n\n- `kakor`: `solution` 1 (`submissions/accepted/1.cpp`): score 40 of 100',
        );
        expect(selectSamplesBelow(report, { tpr: 0.1 }).total.inPart).toEqual([]);
    });

    it('is told of where the task is shown', () => {
        const show = (index: number): string => {
            const entry = ENTRIES[index];
            if (entry === undefined) throw new Error('no such entry');
            const task = { sample: 'kakor', group: 'solution', index, executor: 'judge', test: null };
            return renderTask({ ...task, state: { kind: 'finished', entry } }, PAGE);
        };
        expect(show(1)).toContain(
            'Score 40 of 100: secret 40 (PA)\nA solution that is accepted in part is not counted in any rate.\n',
        );
        expect(show(0)).not.toContain('in part');
        expect(show(4)).toContain('PartiallyAccepted, expected Accepted');
        expect(show(4)).not.toContain('in part');
    });

    it('is right on the page, where a missed score is unexpected', () => {
        const checkpoint = {
            id: 'kakor',
            entries: new Map([['solution', ENTRIES.map((entry) => ({ entry }))]]),
            totals: new Map([['solution', 5]]),
            failures: [],
            pending: [],
            skipped: [],
        } as unknown as Checkpoint;
        const { rows } = pickRows(checkpoint, null);
        expect(rows.map(({ row }) => row.flags)).toEqual([
            0,
            FLAG_IN_PART,
            FLAG_UNEXPECTED,
            FLAG_UNEXPECTED,
            FLAG_UNEXPECTED,
        ]);
        const columns = new ColumnBuilder();
        columns.addSample('kakor', new Map([['solution', 5]]));
        for (const { row } of rows) columns.addRow(row, { chunk: 0, slot: 0 });
        const header = {
            dir: '',
            version: '',
            generatedAt: '',
            datasets: [],
            comparison: null,
            removed: 0,
            leftOut: null,
        };
        const data = new RunData(columns.pack(header, (a, b) => (a < b ? -1 : 1)));
        expect(data.summaries[0]).toMatchObject({
            rightAccepted: 1,
            rightJudged: 4,
            rightInPart: 1,
            unexpected: 3,
            open: 0,
        });
    });
});
