import type { AnswerColumn } from '../../../model/answer.js';
import {
    answerQuestion,
    selectAttemptsWhere,
    numberIn,
    parseDimensions,
    type Question,
    selectRecordsWhere,
    selectDimensions,
} from '../question.js';
import { computeWilsonInterval } from '../statistics.js';

/** Number of rows in a list when no `--limit` is given. */
const LIST_LENGTH = 20;

const TASK: readonly AnswerColumn[] = [
    { name: 'sample', kind: 'text' },
    { name: 'group', kind: 'text' },
    { name: 'index', kind: 'integer' },
];

/** The tasks that took the longest. */
export const slowest: Question = {
    answer: async (engine, { where, limit, by }) => {
        const more = parseDimensions(by ?? ['language', 'verdict']);
        const rows = await engine.rows(`
            SELECT sample, "group", "index", ${selectDimensions(more)} cpu_time, wall_time, memory, attempts, run
            FROM ${selectRecordsWhere(where)} WHERE coalesce(cpu_time, wall_time) IS NOT NULL
            ORDER BY coalesce(cpu_time, wall_time) DESC, sample, "group", "index" LIMIT ${limit ?? LIST_LENGTH}`);
        const columns: AnswerColumn[] = [
            ...TASK,
            ...more,
            { name: 'cpu_time', kind: 'seconds' },
            { name: 'wall_time', kind: 'seconds' },
            { name: 'memory', kind: 'bytes' },
            { name: 'attempts', kind: 'integer' },
            { name: 'run', kind: 'text' },
        ];
        return answerQuestion('slowest', columns, rows, [
            'By CPU time, or wall time where that is not known.',
        ]);
    },
};

/** Tasks whose attempts, in one run or across several, ended differently. */
export const flakiest: Question = {
    answer: async (engine, { where, limit }) => {
        const rows = await engine.rows(`
            SELECT sample, "group", min("index") AS "index", count(DISTINCT run) AS runs, count(*) AS attempts,
                count(DISTINCT verdict) AS verdicts, count(failure) AS failures,
                string_agg(DISTINCT coalesce(verdict, failure), ', ' ORDER BY coalesce(verdict, failure)) AS ends
            FROM ${selectAttemptsWhere(where)} AS tries
            GROUP BY sample, "group", fingerprint, occurrence
            HAVING count(DISTINCT verdict) > 1 OR count(failure) > 0
            ORDER BY verdicts DESC, failures DESC, attempts DESC, sample, "group", "index"
            LIMIT ${limit ?? LIST_LENGTH}`);
        const columns: AnswerColumn[] = [
            ...TASK,
            { name: 'runs', kind: 'integer' },
            { name: 'attempts', kind: 'integer' },
            { name: 'verdicts', kind: 'integer' },
            { name: 'failures', kind: 'integer' },
            { name: 'ends', kind: 'text' },
        ];
        return answerQuestion('flakiest', columns, rows, [
            'Tasks that came to more than one verdict first, then those with the most infrastructure failures.',
        ]);
    },
};

/** Samples whose tests accept incorrect solutions. */
export const weakTests: Question = {
    answer: async (engine, { where, limit }) => {
        const rows = await engine.rows(`
            SELECT sample, count(verdict) AS incorrect, count(*) FILTER (WHERE accepted) AS hits
            FROM ${selectRecordsWhere(where)} WHERE "group" = 'incorrect_solution'
            GROUP BY sample HAVING hits > 0
            ORDER BY hits / incorrect DESC, hits DESC, sample LIMIT ${limit ?? LIST_LENGTH}`);
        const cells = rows.map((row) => {
            const [accepted, incorrect] = [numberIn(row, 'hits'), numberIn(row, 'incorrect')];
            const interval = computeWilsonInterval(accepted, incorrect);
            const share = incorrect === 0 ? null : accepted / incorrect;
            return { ...row, accepted, share, low: interval?.low ?? null, high: interval?.high ?? null };
        });
        const columns: AnswerColumn[] = [
            { name: 'sample', kind: 'text' },
            { name: 'incorrect', kind: 'integer' },
            { name: 'accepted', kind: 'integer' },
            { name: 'share', kind: 'share' },
            { name: 'low', kind: 'share' },
            { name: 'high', kind: 'share' },
        ];
        return answerQuestion('weak-tests', columns, cells, [
            'Incorrect solutions that the tests of a sample accept; low and high are 95 % Wilson intervals.',
        ]);
    },
};
