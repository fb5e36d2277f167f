import type { AnswerColumn } from '../../../model/answer.js';
import {
    answerQuestion,
    selectAttemptsWhere,
    listDimensions,
    numberIn,
    parseDimensions,
    type Question,
    selectRecordsWhere,
    selectDimensions,
} from '../question.js';
import { computeWilsonInterval } from '../statistics.js';

/** How endpoints compare: failures and time, over every attempt. */
export const endpoints: Question = {
    answer: async (engine, { where, limit }) => {
        const rows = await engine.rows(`
            SELECT api_used AS endpoint, count(*) AS attempts, count(verdict) AS verdicts, count(failure) AS failures,
                quantile_cont(duration, 0.5) AS median, quantile_cont(duration, 0.95) AS p95, max(duration) AS longest,
                mode(failure) AS most_common_failure
            FROM ${selectAttemptsWhere(where)} AS tries GROUP BY api_used
            ORDER BY count(failure) / count(*) DESC, api_used
            ${limit === null ? '' : `LIMIT ${limit}`}`);
        const cells = rows.map((row) => {
            const [failures, attempts] = [numberIn(row, 'failures'), numberIn(row, 'attempts')];
            const interval = computeWilsonInterval(failures, attempts);
            return {
                ...row,
                failure_rate: attempts === 0 ? null : failures / attempts,
                low: interval?.low ?? null,
                high: interval?.high ?? null,
            };
        });
        const columns: AnswerColumn[] = [
            { name: 'endpoint', kind: 'text' },
            { name: 'attempts', kind: 'integer' },
            { name: 'verdicts', kind: 'integer' },
            { name: 'failures', kind: 'integer' },
            { name: 'failure_rate', kind: 'share' },
            { name: 'low', kind: 'share' },
            { name: 'high', kind: 'share' },
            { name: 'median', kind: 'seconds' },
            { name: 'p95', kind: 'seconds' },
            { name: 'longest', kind: 'seconds' },
            { name: 'most_common_failure', kind: 'text' },
        ];
        return answerQuestion('endpoints', columns, cells, ['Over attempts, repeated ones included.']);
    },
};

/** Tokens and money, by any dimensions. */
export const cost: Question = {
    answer: async (engine, { by, where, limit }) => {
        const dimensions = parseDimensions(by ?? ['model']);
        const list = listDimensions(dimensions);
        const rows = await engine.rows(`
            SELECT ${selectDimensions(dimensions)} count(*) AS tasks,
                count(*) FILTER (WHERE success_level = 'full') AS success,
                sum(prompt_tokens) AS prompt_tokens, sum(cached_tokens) AS cached_tokens,
                sum(completion_tokens) AS completion_tokens, sum(reasoning_tokens) AS reasoning_tokens,
                fsum(cost) AS cost, fsum(cost) / nullif(count(cost), 0) AS cost_per_task,
                fsum(cost) / nullif(count(*) FILTER (WHERE success_level = 'full' AND cost IS NOT NULL), 0) AS cost_per_success,
                count(*) - count(cost) AS without_cost
            FROM ${selectRecordsWhere(where)} GROUP BY ALL ORDER BY cost DESC NULLS LAST, ${list}
            ${limit === null ? '' : `LIMIT ${limit}`}`);
        const columns: AnswerColumn[] = [
            ...dimensions,
            { name: 'tasks', kind: 'integer' },
            { name: 'success', kind: 'integer' },
            { name: 'prompt_tokens', kind: 'integer' },
            { name: 'cached_tokens', kind: 'integer' },
            { name: 'completion_tokens', kind: 'integer' },
            { name: 'reasoning_tokens', kind: 'integer' },
            { name: 'cost', kind: 'usd' },
            { name: 'cost_per_task', kind: 'usd' },
            { name: 'cost_per_success', kind: 'usd' },
            { name: 'without_cost', kind: 'integer' },
        ];
        return answerQuestion('cost', columns, rows, [
            'Cached tokens are among the prompt tokens, reasoning tokens among the completion tokens.',
        ]);
    },
};

/** Possible interval lengths, in seconds. The shortest that gives at most 48 rows is used. */
const BUCKETS = [1, 10, 60, 600, 3600, 6 * 3600, 86400, 7 * 86400];
const MAX_ROWS = 48;

/** Number of tasks that ended in each time interval. */
export const throughput: Question = {
    answer: async (engine, { where, limit }) => {
        const from = selectRecordsWhere(where);
        const [span] = await engine.rows(
            `SELECT epoch(max(finished_at)) - epoch(min(finished_at)) AS seconds FROM ${from}`,
        );
        const seconds = numberIn(span ?? {}, 'seconds');
        // Both the first and the last interval may be partial, so there is one more than the duration would fill.
        const most = Math.max(1, (limit ?? MAX_ROWS) - 1);
        const bucket = BUCKETS.find((one) => seconds / one <= most) ?? BUCKETS.at(-1) ?? 1;
        const rows = await engine.rows(`
            SELECT time_bucket(INTERVAL '${bucket} seconds', finished_at) AS start,
                count(success_level) AS finished, count(*) - count(success_level) AS failures,
                count(success_level) * 3600.0 / ${bucket} AS per_hour,
                quantile_cont(wall_time, 0.5) AS median, quantile_cont(wall_time, 0.95) AS p95
            FROM ${from} WHERE finished_at IS NOT NULL GROUP BY ALL ORDER BY start
            ${limit === null ? '' : `LIMIT ${limit}`}`);
        const columns: AnswerColumn[] = [
            { name: 'start', kind: 'time' },
            { name: 'finished', kind: 'integer' },
            { name: 'failures', kind: 'integer' },
            { name: 'per_hour', kind: 'number' },
            { name: 'median', kind: 'seconds' },
            { name: 'p95', kind: 'seconds' },
        ];
        return answerQuestion('throughput', columns, rows, [`Each row is an interval of ${bucket} s.`]);
    },
};
