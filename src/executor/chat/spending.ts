import type { Spending } from '../../model/event.js';
import type { Json, JsonObject } from '../../model/json.js';
import type { ExecutorContext } from '../executor.js';
import type { TokenUsage } from './chat-protocol.js';

/** What one request came to, as far as it costs. Null: not told. */
export interface Spent {
    readonly [key: string]: Json;
    /** False where it brought no answer, though the service may have done its work. */
    readonly isAnswered: boolean;
    readonly prompt: number | null;
    readonly completion: number | null;
    /** US dollars. */
    readonly cost: number | null;
    /** True of a web search, false of a completion. */
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

/** Whether it is what a worker tells: one on another machine is not believed blindly. */
export const isSpent = (value: JsonObject): value is Spent =>
    typeof value['isAnswered'] === 'boolean' &&
    typeof value['isSearch'] === 'boolean' &&
    isCount(value['prompt']) &&
    isCount(value['completion']) &&
    isCount(value['cost']);

/** Tells the main process what a request used. */
export function tellSpent(spent: Spent, { ask }: Pick<ExecutorContext, 'ask'>): void {
    ask?.({ do: 'spent', spent }).catch(() => {});
}

/** Adds up what all requests of a start used, kept or not. */
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
