import type { Answer, AnswerColumn } from '../../../model/answer.js';
import { addUpRates, areOfGroups, choosePlainFields } from '../brief-rates.js';
import type { AskEngine } from '../engine.js';
import {
    answerQuestion,
    listDimensions,
    numberIn,
    parseDimensions,
    type Question,
    type QuestionOptions,
    selectRecordsWhere,
    type Row,
    selectDimensions,
} from '../question.js';
import { type ClusterSums, computeClusteredInterval } from '../statistics.js';

const BY_GROUP = ['group'];

/** Fields needed for rates, besides the dimensions. */
const RATE_FIELDS = ['sample', 'success_level', 'expected', 'verdict'];

/** Success rates by any dimensions. */
export const rates: Question = {
    fields: ({ by }) => [...RATE_FIELDS, ...(by ?? BY_GROUP)],
    answer: (engine, options) => answerRates('rates', engine, options, options.by ?? BY_GROUP),
    answerFromRecords: ({ by, where, limit }) => {
        const fields = choosePlainFields(by ?? BY_GROUP);
        if (fields === null || where !== null) return null;
        return {
            takesGroups: areOfGroups(fields),
            answer: async (records) =>
                makeAnswer('rates', parseDimensions(fields), await addUpRates(records, fields, limit), 0),
        };
    },
};

/** The dimensions of the cells that the earlier tools counted. */
const CELL = ['model', 'prompt_type', 'tool_success_rate', 'difficulty', 'task_type'];

/** Success by model, prompt type, tool success rate, difficulty and task type. */
export const matrix: Question = {
    answer: (engine, options) => answerRates('matrix', engine, options, options.by ?? CELL),
};

const FIGURES: readonly AnswerColumn[] = [
    { name: 'total', kind: 'integer' },
    { name: 'success', kind: 'integer' },
    { name: 'partial', kind: 'integer' },
    { name: 'failed', kind: 'integer' },
    { name: 'infrastructure', kind: 'integer' },
    { name: 'success_rate', kind: 'share' },
    { name: 'low', kind: 'share' },
    { name: 'high', kind: 'share' },
    { name: 'rate_of_all', kind: 'share' },
    { name: 'low_of_all', kind: 'share' },
    { name: 'high_of_all', kind: 'share' },
    { name: 'as_expected', kind: 'share' },
    { name: 'interval_by', kind: 'text' },
];

async function answerRates(
    name: string,
    engine: AskEngine,
    options: QuestionOptions,
    by: readonly string[],
): Promise<Answer> {
    const dimensions = parseDimensions(by);
    const rows = await engine.rows(ratesSql(dimensions, options));
    return makeAnswer(name, dimensions, rows, engine.earlierCells);
}

/** @param earlierCells number of cells from earlier databases next to the records */
function makeAnswer(
    name: string,
    dimensions: ReturnType<typeof parseDimensions>,
    rows: readonly Row[],
    earlierCells: number,
): Answer {
    const total = rows.reduce((sum, row) => sum + numberIn(row, 'total'), 0);
    const cells = rows.map(deriveRates);
    const notes = [
        'success_rate is over tasks with a verdict, rate_of_all counts infrastructure failures as not successful; ' +
            'low and high are 95 % Wilson intervals.',
    ];
    if (cells.some((row) => row['interval_by'] === 'samples'))
        notes.push('Where samples hold several tasks their intervals are clustered by sample.');
    if (earlierCells > 0)
        notes.push(
            `Counts of earlier databases (cells: ${earlierCells}) have no records and are not included: ` +
                '--sql "select * from cells where source is not null" shows them.',
        );
    if (total === 0) notes.push('None of these records is a finished task.');
    return answerQuestion(name, [...dimensions, ...FIGURES], cells, notes);
}

function ratesSql(dimensions: ReturnType<typeof parseDimensions>, { where, limit }: QuestionOptions): string {
    const list = listDimensions(dimensions);
    return `
        WITH by_sample AS (
            SELECT ${selectDimensions(dimensions)} sample AS in_sample,
                count(success_level) AS n,
                count(*) AS all_n,
                count(*) FILTER (WHERE success_level = 'full') AS k,
                count(*) FILTER (WHERE success_level = 'partial') AS partials,
                count(*) FILTER (WHERE success_level = 'failure') AS failures,
                count(*) FILTER (WHERE list_contains(expected, verdict)) AS as_expected,
                count(*) FILTER (WHERE expected IS NOT NULL AND verdict IS NOT NULL) AS with_expected
            FROM ${selectRecordsWhere(where)} GROUP BY ALL
        )
        SELECT ${dimensions.length === 0 ? '' : `${list}, `}
            sum(n) AS total, sum(k) AS success, sum(partials) AS partial, sum(failures) AS failed,
            sum(all_n) - sum(n) AS infrastructure,
            count(*) FILTER (WHERE n > 0) AS samples, count(*) AS all_samples,
            sum(k * k) AS hits2, sum(k * n) AS crossed, sum(n * n) AS trials2,
            sum(k * all_n) AS all_crossed, sum(all_n * all_n) AS all_trials2,
            sum(as_expected) / nullif(sum(with_expected), 0) AS as_expected
        FROM by_sample GROUP BY ${list} ORDER BY ${list}
        ${limit === null ? '' : `LIMIT ${limit}`}`;
}

function deriveRates(row: Row): Row {
    const hits = numberIn(row, 'success');
    const judged: ClusterSums = {
        hits,
        trials: numberIn(row, 'total'),
        samples: numberIn(row, 'samples'),
        hits2: numberIn(row, 'hits2'),
        cross: numberIn(row, 'crossed'),
        trials2: numberIn(row, 'trials2'),
    };
    const all: ClusterSums = {
        ...judged,
        trials: judged.trials + numberIn(row, 'infrastructure'),
        samples: numberIn(row, 'all_samples'),
        cross: numberIn(row, 'all_crossed'),
        trials2: numberIn(row, 'all_trials2'),
    };
    const [ofJudged, ofAll] = [computeClusteredInterval(judged), computeClusteredInterval(all)];
    return {
        ...row,
        success_rate: judged.trials === 0 ? null : hits / judged.trials,
        low: ofJudged.interval?.low ?? null,
        high: ofJudged.interval?.high ?? null,
        rate_of_all: all.trials === 0 ? null : hits / all.trials,
        low_of_all: ofAll.interval?.low ?? null,
        high_of_all: ofAll.interval?.high ?? null,
        interval_by: ofJudged.unit,
    };
}
