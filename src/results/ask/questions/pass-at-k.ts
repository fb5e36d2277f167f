import type { AnswerColumn } from '../../../model/answer.js';
import { LIST_GROUP } from '../../../model/sample.js';
import { quoteText } from '../../record/columns.js';
import {
    answerQuestion,
    listDimensions,
    numberIn,
    parseDimensions,
    type Question,
    selectRecordsWhere,
    type Row,
    selectDimensions,
} from '../question.js';
import { computeMeanInterval, passAtK } from '../statistics.js';

const BY_MODEL = ['model'];

/** pass@k by any dimensions: the unbiased estimator, averaged over samples. */
export const passAtKQuestion: Question = {
    fields: ({ by }) => ['sample', 'group', 'fingerprint', 'row_hash', 'success_level', ...(by ?? BY_MODEL)],
    answer: async (engine, options) => {
        const dimensions = parseDimensions(options.by ?? BY_MODEL);
        const list = listDimensions(dimensions);
        // A sample of a list, or of a matrix with rows, holds many problems: only equal rows ask the same one. Counting the
        // samples that have n answers of which c pass keeps the result small, however many samples there are.
        const rows = await engine.rows(`
            WITH by_sample AS (
                SELECT ${selectDimensions(dimensions)} sample AS in_sample, "group" AS in_group,
                    CASE WHEN "group" = ${quoteText(LIST_GROUP)} THEN fingerprint ELSE row_hash END AS in_row,
                    count(success_level) AS n, count(*) FILTER (WHERE success_level = 'full') AS c
                FROM ${selectRecordsWhere(options.where)} GROUP BY ALL
            )
            SELECT ${dimensions.length === 0 ? '' : `${list}, `} n, c, count(*) AS samples
            FROM by_sample WHERE n > 0 GROUP BY ALL ORDER BY ${list}, n, c`);
        const groups = new Map<string, Row[]>();
        for (const row of rows) {
            const key = JSON.stringify(dimensions.map(({ name }) => row[name]));
            groups.set(key, [...(groups.get(key) ?? []), row]);
        }
        const columns: AnswerColumn[] = [
            ...dimensions,
            { name: 'samples', kind: 'integer' },
            { name: 'answers', kind: 'integer' },
            ...options.k.flatMap((k): AnswerColumn[] => [
                { name: `pass@${k}`, kind: 'share' },
                { name: `low@${k}`, kind: 'share' },
                { name: `high@${k}`, kind: 'share' },
            ]),
        ];
        const notes = new Set([
            'pass@k is 1 - C(n-c, k) / C(n, k), averaged over samples (where a sample has rows, over its rows); low and high are 95 %.',
        ]);
        const cells = [...groups.values()]
            .slice(0, options.limit ?? groups.size)
            .map((group) => summarise(group, options.k, notes));
        return answerQuestion('pass-at-k', columns, cells, [...notes]);
    },
};

function summarise(group: readonly Row[], ks: readonly number[], notes: Set<string>): Row {
    const samples = group.reduce((sum, row) => sum + numberIn(row, 'samples'), 0);
    const answers = group.reduce((sum, row) => sum + numberIn(row, 'samples') * numberIn(row, 'n'), 0);
    const figures: Record<string, number | null> = {};
    for (const k of ks) {
        const estimates = group.map((row) => ({
            weight: numberIn(row, 'samples'),
            value: passAtK(numberIn(row, 'n'), numberIn(row, 'c'), k),
        }));
        if (estimates.some(({ value }) => value === null)) {
            // Leaving such samples out would change the problem set to an easier one.
            notes.add(`pass@${k} is not computed: at least one sample has fewer than ${k} answers.`);
            continue;
        }
        const mean = estimates.reduce((sum, { weight, value }) => sum + weight * (value ?? 0), 0) / samples;
        const variance = estimates.reduce(
            (sum, { weight, value }) => sum + (weight * ((value ?? 0) - mean) ** 2) / (samples - 1),
            0,
        );
        const interval = computeMeanInterval({ mean, variance, samples, answers });
        figures[`pass@${k}`] = mean;
        figures[`low@${k}`] = interval?.low ?? null;
        figures[`high@${k}`] = interval?.high ?? null;
    }
    return { ...group[0], samples, answers, ...figures };
}
