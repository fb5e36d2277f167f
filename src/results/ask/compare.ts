import type { Answer, AnswerColumn } from '../../model/answer.js';
import type { AskEngine } from './engine.js';
import { numberIn, type Row } from './question.js';
import { computeExactMcnemar } from './statistics.js';

const COLUMNS: readonly AnswerColumn[] = [
    { name: 'sample', kind: 'text' },
    { name: 'group', kind: 'text' },
    { name: 'index_first', kind: 'integer' },
    { name: 'index_second', kind: 'integer' },
    { name: 'first', kind: 'text' },
    { name: 'second', kind: 'text' },
    { name: 'right', kind: 'text' },
    { name: 'entry_first', kind: 'text', inTables: false },
    { name: 'entry_second', kind: 'text', inTables: false },
];

export interface CompareOptions {
    /** Maximum number of disagreements to list. */
    readonly limit: number;
    /** Link, for people, to the entry of a task. */
    readonly linkTo: (side: 'first' | 'second', sample: string, group: string, index: number) => string;
}

/**
 * Compares two runs on the tasks that they share. Tasks match if sample, group, fingerprint and occurrence are equal; the rest
 * are matched by sample, group and index, because a fingerprint also covers the executor's command. A result is right if it is
 * what the dataset expects, or full success where the dataset expects nothing.
 * @param engine opened by `openPair`
 */
export async function compareSides(engine: AskEngine, options: CompareOptions): Promise<Answer> {
    const counts = (await engine.rows(`${PAIRS} ${COUNTS}`))[0] ?? {};
    const bySample = (await engine.rows(`${PAIRS} ${BY_SAMPLE}`))[0] ?? {};
    const rows = await engine.rows(`${PAIRS} ${DISAGREEMENTS} LIMIT ${options.limit}`);
    const [onlyFirst, onlySecond] = [
        numberIn(counts, 'only_first_right'),
        numberIn(counts, 'only_second_right'),
    ];
    const [firstBetter, secondBetter] = [
        numberIn(bySample, 'first_better'),
        numberIn(bySample, 'second_better'),
    ];
    const isClustered = numberIn(counts, 'judged') > numberIn(bySample, 'samples');
    const notes = [
        "McNemar's test is exact and two-sided. mcnemar_tasks counts tasks, mcnemar_samples counts samples of which one run got more tasks right.",
    ];
    if (numberIn(counts, 'pairs') === 0)
        notes.push('The two runs have no tasks in common: there is nothing to compare.');
    if (isClustered)
        notes.push('Samples hold several tasks, which are not independent: use mcnemar_samples.');
    const disagreements = numberIn(counts, 'disagreements');
    if (disagreements > rows.length)
        notes.push(`Listed ${rows.length} of ${disagreements} disagreements; use --rows to list more.`);
    return {
        question: 'compare',
        columns: COLUMNS,
        emptyText: 'No disagreements.',
        rows: rows.map((row) => COLUMNS.map(({ name }) => withLinks(row, options)[name] ?? null)),
        summary: {
            ...counts,
            samples: bySample['samples'] ?? 0,
            mcnemar_tasks: computeExactMcnemar(onlyFirst, onlySecond),
            samples_first_better: firstBetter,
            samples_second_better: secondBetter,
            mcnemar_samples: computeExactMcnemar(firstBetter, secondBetter),
        },
        notes,
    };
}

function withLinks(row: Row, { linkTo }: CompareOptions): Row {
    const link = (side: 'first' | 'second'): string =>
        linkTo(side, String(row['sample']), String(row['group']), numberIn(row, `index_${side}`));
    return { ...row, entry_first: link('first'), entry_second: link('second') };
}

const RIGHT = "coalesce(list_contains(expected, verdict), success_level = 'full')";

const side = (name: string): string => `
    SELECT sample, "group", fingerprint, occurrence, "index", verdict, failure_reason,
        coalesce(verdict, failure_reason) AS ending, ${RIGHT} AS is_right
    FROM ${name}`;

const pair = (condition: string, match: string): string => `
    SELECT a.sample, a."group", a.fingerprint AS fingerprint_a, a.occurrence AS occurrence_a,
        b.fingerprint AS fingerprint_b, b.occurrence AS occurrence_b, a."index" AS index_first, b."index" AS index_second,
        a.ending AS first, b.ending AS second, a.verdict IS NOT NULL AND b.verdict IS NOT NULL AS judged,
        a.is_right AS right_first, b.is_right AS right_second, '${match}' AS match
    FROM a JOIN b ON a.sample = b.sample AND a."group" = b."group" AND ${condition}`;

const isPaired = (own: string, suffix: 'a' | 'b'): string =>
    `SELECT 1 FROM exact WHERE exact.sample = ${own}.sample AND exact."group" = ${own}."group"
        AND exact.fingerprint_${suffix} = ${own}.fingerprint AND exact.occurrence_${suffix} = ${own}.occurrence`;

const PAIRS = `
    WITH a AS (${side('first')}), b AS (${side('second')}),
    exact AS (${pair('a.fingerprint = b.fingerprint AND a.occurrence = b.occurrence', 'fingerprint')}),
    rest AS (
        ${pair('a."index" = b."index"', 'index')}
        WHERE NOT EXISTS (${isPaired('a', 'a')}) AND NOT EXISTS (${isPaired('b', 'b')})
    ),
    pairs AS (SELECT * FROM exact UNION ALL SELECT * FROM rest)`;

const COUNTS = `
    SELECT count(*) AS pairs, count(*) FILTER (WHERE match = 'index') AS matched_by_index,
        (SELECT count(*) FROM a) - count(*) AS only_in_first, (SELECT count(*) FROM b) - count(*) AS only_in_second,
        count(*) FILTER (WHERE NOT judged) AS not_judged_in_both,
        count(*) FILTER (WHERE judged) AS judged,
        count(*) FILTER (WHERE judged AND first = second) AS same_verdict,
        count(*) FILTER (WHERE judged AND first <> second) AS disagreements,
        count(*) FILTER (WHERE judged AND right_first AND right_second) AS both_right,
        count(*) FILTER (WHERE judged AND right_first AND NOT right_second) AS only_first_right,
        count(*) FILTER (WHERE judged AND NOT right_first AND right_second) AS only_second_right,
        count(*) FILTER (WHERE judged AND NOT right_first AND NOT right_second) AS both_wrong
    FROM pairs`;

const BY_SAMPLE = `
    SELECT count(*) AS samples, count(*) FILTER (WHERE ahead > 0) AS first_better,
        count(*) FILTER (WHERE ahead < 0) AS second_better
    FROM (
        SELECT sample, count(*) FILTER (WHERE right_first) - count(*) FILTER (WHERE right_second) AS ahead
        FROM pairs WHERE judged GROUP BY sample
    )`;

const DISAGREEMENTS = `
    SELECT sample, "group", index_first, index_second, first, second,
        CASE WHEN right_first AND NOT right_second THEN 'first' WHEN right_second AND NOT right_first THEN 'second'
            WHEN right_first THEN 'both' ELSE 'neither' END AS "right"
    FROM pairs WHERE judged AND first <> second
    ORDER BY right_first = right_second, sample, "group", index_first`;
