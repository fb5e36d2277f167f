import { LIST_GROUP } from '../../model/sample.js';
import { computeClusteredInterval, type Interval, passAtK } from '../../results/ask/statistics.js';
import type { TextColumn } from '../../model/page-data.js';
import type { RunData } from './run-data.js';

/** Dimensions by which a model's tasks can be divided. */
export const DIMENSIONS = [
    'promptType',
    'difficulty',
    'taskType',
    'language',
] as const satisfies readonly TextColumn[];

export type ModelDimension = (typeof DIMENSIONS)[number];

/** Values of k to compute. */
const KS = [1, 3, 5, 10] as const;

/** The tasks of one model, or those with one value of a dimension. */
export interface ModelCell {
    readonly model: string;
    /** Value of the dimension; empty if not divided. */
    readonly part: string;
    readonly judged: number;
    readonly accepted: number;
    readonly share: number;
    readonly interval: Interval | null;
    readonly passAt: readonly { readonly k: number; readonly value: number }[];
    readonly tokens: number;
    /** US dollars. */
    readonly cost: number;
}

/** Rates of each model, optionally divided by a dimension. */
export function buildModelCells(data: RunData, dimension: ModelDimension | null): readonly ModelCell[] {
    // If any task names a model, leave out those that do not.
    const named = data.has('model');
    const cells = new Map<string, CellSums>();
    for (let entry = 0; entry < data.count; entry += 1) {
        if (!data.isJudged(entry) || (named && data.value('model', entry) === 0)) continue;
        const model = data.text('model', entry);
        const part = dimension === null ? '' : data.text(dimension, entry);
        const key = JSON.stringify([model, part]);
        const cell = cells.get(key) ?? {
            model,
            part,
            samples: new Map(),
            rows: new Map(),
            hasRows: false,
            tokens: 0,
            cost: 0,
        };
        cells.set(key, cell);
        const sample = data.value('sample', entry);
        const row = data.value('row', entry);
        count(cell.samples, sample, data.isAccepted(entry));
        count(cell.rows, row === 0 ? String(sample) : `${sample} ${row}`, data.isAccepted(entry));
        cell.hasRows ||= data.getGroup(entry) === LIST_GROUP;
        cell.tokens += data.value('promptTokens', entry) + data.value('completionTokens', entry);
        cell.cost += data.value('cost', entry);
    }
    return [...cells.values()].map(buildCell);
}

interface Trials {
    hits: number;
    trials: number;
}

function count<Key>(all: Map<Key, Trials>, key: Key, isHit: boolean): void {
    const one = all.get(key) ?? { hits: 0, trials: 0 };
    all.set(key, one);
    one.trials += 1;
    one.hits += isHit ? 1 : 0;
}

interface CellSums {
    readonly model: string;
    readonly part: string;
    readonly samples: Map<number, Trials>;
    /** The same for each row that a sample's instances ask about, or for the sample if it has no rows. */
    readonly rows: Map<string, Trials>;
    /** Whether there are rows of lists, each of which asks a different question. */
    hasRows: boolean;
    tokens: number;
    cost: number;
}

function buildCell({ model, part, samples, rows, hasRows, tokens, cost }: CellSums): ModelCell {
    const all = [...samples.values()];
    const sum = (pick: (one: { readonly hits: number; readonly trials: number }) => number): number =>
        all.reduce((total, one) => total + pick(one), 0);
    const [hits, trials] = [sum((one) => one.hits), sum((one) => one.trials)];
    const { interval } = computeClusteredInterval({
        hits,
        trials,
        samples: all.length,
        hits2: sum((one) => one.hits ** 2),
        cross: sum((one) => one.hits * one.trials),
        trials2: sum((one) => one.trials ** 2),
    });
    const passAt = KS.flatMap((k) => {
        if (hasRows) return k === 1 ? [{ k, value: hits / trials }] : [];
        const values = [...rows.values()].flatMap((one) => passAtK(one.trials, one.hits, k) ?? []);
        // An average over some rows only would be over an easier set of questions.
        if (values.length < rows.size) return [];
        return [{ k, value: values.reduce((a, b) => a + b, 0) / values.length }];
    });
    return {
        model,
        part,
        judged: trials,
        accepted: hits,
        share: hits / trials,
        interval,
        passAt,
        tokens,
        cost,
    };
}
