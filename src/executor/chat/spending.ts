import type { Spending } from '../../model/event.js';
import type { Json, JsonObject } from '../../model/json.js';
import type { ExecutorContext } from '../executor.js';
import type { TokenUsage } from './chat-protocol.js';

/** The billable usage of one request. Null: not reported. */
export interface Spent {
    readonly [key: string]: Json;
    /** False if the request brought no answer, although the service may have done the work. */
    readonly isAnswered: boolean;
    readonly prompt: number | null;
    readonly completion: number | null;
    /** US dollars. */
    readonly cost: number | null;
    /** True for a web search, false for a completion. */
    readonly isSearch: boolean;
}

export const spentBy = ({ prompt, completion }: TokenUsage, cost: number | null): Spent => ({
    isAnswered: true,
    prompt,
    completion,
    cost,
    isSearch: false,
});

/** @param cost US dollars; null: unknown */
export const spentBySearch = (cost: number | null): Spent => ({
    isAnswered: true,
    prompt: null,
    completion: null,
    cost,
    isSearch: true,
});

export const SPENT_UNKNOWN: Spent = {
    isAnswered: false,
    prompt: null,
    completion: null,
    cost: null,
    isSearch: false,
};

const isCount = (value: Json | undefined): boolean =>
    value === null || (typeof value === 'number' && value >= 0 && Number.isFinite(value));

/** Validates a worker's report; data from other machines is not trusted. */
export const isSpent = (value: JsonObject): value is Spent =>
    typeof value['isAnswered'] === 'boolean' &&
    typeof value['isSearch'] === 'boolean' &&
    isCount(value['prompt']) &&
    isCount(value['completion']) &&
    isCount(value['cost']);

/** Reports a request's usage to the main process. */
export function reportSpending(spent: Spent, { ask }: Pick<ExecutorContext, 'ask'>): void {
    ask?.({ do: 'spent', spent }).catch(() => {});
}

/** Adds up the usage of all requests since the start of the process, whether or not their answers were kept. */
export class SpendingLedger {
    #sum: Spending = { answers: 0, unanswered: 0, tokens: 0, cost: 0, unpriced: 0 };

    add(spent: Spent): void {
        const { isAnswered, prompt, completion, cost } = spent;
        if (spent.isSearch) return this.#addSearch(cost);
        const { answers, unanswered, tokens, cost: sum, unpriced } = this.#sum;
        this.#sum = {
            ...this.#sum,
            answers: answers + Number(isAnswered),
            unanswered: unanswered + Number(!isAnswered),
            tokens: tokens + (prompt ?? 0) + (completion ?? 0),
            cost: sum + (cost ?? 0),
            unpriced: unpriced + Number(isAnswered && cost === null),
        };
    }

    #addSearch(cost: number | null): void {
        const before = this.#sum.searches ?? { count: 0, cost: 0, unpriced: 0 };
        const searches = {
            count: before.count + 1,
            cost: before.cost + (cost ?? 0),
            unpriced: before.unpriced + Number(cost === null),
        };
        this.#sum = { ...this.#sum, cost: this.#sum.cost + (cost ?? 0), searches };
    }

    get sum(): Spending {
        return this.#sum;
    }
}
