import type { TokenUsage } from './chat-protocol.js';

/** What one command may spend. Null: unlimited. */
export interface BudgetOptions {
    /** US dollars. */
    readonly maxCost: number | null;
    /** Tokens of prompts and answers. */
    readonly maxTokens: number | null;
    /**
     * What earlier runs of the same command, such as earlier rounds, have spent; absent: this is the first run. Cost in US
     * dollars.
     */
    readonly spent?: { readonly cost: number; readonly tokens: number };
}

export const isBounded = ({ maxCost, maxTokens }: BudgetOptions): boolean =>
    maxCost !== null || maxTokens !== null;

/** What a request may use, before it is sent. */
export interface Estimate {
    /** The model that answers; null: the usage is known in advance, as for a search. */
    readonly model: string | null;
    readonly tokens: number;
    /** US dollars; null: unknown. */
    readonly cost: number | null;
}

/** What is reserved for a request in flight. */
export interface Reservation {
    /** The answer arrived: its actual usage, as far as it is known, replaces the reservation. */
    settle(usage: Pick<TokenUsage, 'prompt' | 'completion'>, cost: number | null): void;
    /** Nothing was used: the request was rejected without being processed. */
    cancel(): void;
    /**
     * The request was sent and brought no answer: the reservation counts as spent, since the service may have done the work. If
     * its usage is reported later, it is settled then.
     */
    forfeit(): void;
}

/**
 * Most requests in flight to models whose actual usage is still unknown. Without this limit, a service that ignores the bound on
 * answer length could spend a multiple of the budget before anybody notices. The limit applies to a judge model too, whatever is
 * known of the other models.
 */
const MAX_BEFORE_FIRST_ANSWER = 4;

interface Waiter {
    readonly estimate: Estimate;
    readonly grant: (reservation: Reservation | null) => void;
}

/**
 * Keeps a run within its budget. Requests in flight are reserved by estimate, so that they cannot exceed the budget together; a
 * request that does not fit waits for earlier ones, which may use less than estimated. If an answer uses more than was reserved
 * for it, others may as well: from then on, estimates of current and later requests are multiplied by that ratio. Until a model's
 * first answer arrives, only a few requests are sent to it.
 */
export class Budget {
    readonly #options: BudgetOptions;
    readonly #onSpent: (message: string) => void;
    readonly #waiters = new Set<Waiter>();
    #tokens = 0;
    #cost = 0;
    #reservedTokens = 0;
    #reservedCost = 0;
    /** The part of the reserved cost that is exact and cannot grow. */
    #fixedCost = 0;
    /** The largest ratio of actual usage to estimate so far; at least 1. */
    #tokenRatio = 1;
    #costRatio = 1;
    #inFlight = 0;
    /** Models that have answered at least once. */
    readonly #heard = new Set<string>();
    /** Requests in flight to models that have not answered yet, by model. */
    readonly #unheard = new Map<string, number>();
    #isSpent = false;

    /** @param onSpent called once, when nothing more fits */
    constructor(options: BudgetOptions, onSpent: (message: string) => void) {
        this.#options = options;
        this.#tokens = options.spent?.tokens ?? 0;
        this.#cost = options.spent?.cost ?? 0;
        this.#onSpent = onSpent;
    }

    /** What has been used, without reservations. Cost in US dollars. */
    get used(): { readonly tokens: number; readonly cost: number } {
        return { tokens: this.#tokens, cost: this.#cost };
    }

    /** Reserves an estimate as soon as it fits. @returns null if the budget is spent or the signal is aborted */
    reserve(estimate: Estimate, signal: AbortSignal): Promise<Reservation | null> {
        return new Promise((resolve) => {
            if (signal.aborted) return resolve(null);
            const leave = (): void => waiter.grant(null);
            const waiter: Waiter = {
                estimate,
                grant: (reservation) => {
                    signal.removeEventListener('abort', leave);
                    this.#waiters.delete(waiter);
                    resolve(reservation);
                },
            };
            signal.addEventListener('abort', leave, { once: true });
            this.#waiters.add(waiter);
            this.#pump();
        });
    }

    #pump(): void {
        for (const waiter of this.#waiters) {
            const excess = this.#isSpent ? '' : this.#describeExcess(waiter.estimate);
            if (excess === null) {
                if (this.#mayStart(waiter.estimate)) waiter.grant(this.#take(waiter.estimate));
            } else if (this.#isSpent || this.#inFlight === 0) {
                if (!this.#isSpent) this.#onSpent(excess);
                this.#isSpent = true;
                waiter.grant(null);
            }
        }
    }

    /** Whether the model's usage is known well enough, or few enough such requests are in flight. */
    #mayStart({ model }: Estimate): boolean {
        if (model === null || this.#heard.has(model)) return true;
        let unheard = 0;
        for (const requests of this.#unheard.values()) unheard += requests;
        return unheard < MAX_BEFORE_FIRST_ANSWER;
    }

    /** Describes the bound that an estimate exceeds; null: none. */
    #describeExcess({ model, tokens, cost }: Estimate): string | null {
        const { maxCost, maxTokens } = this.#options;
        const mayTake = Math.ceil(tokens * this.#tokenRatio);
        const reservedTokens = this.#reservedTokens * this.#tokenRatio;
        if (maxTokens !== null && this.#tokens + reservedTokens + mayTake > maxTokens) {
            return `the budget of ${maxTokens} tokens (--max-tokens-total) is spent: ${this.#tokens} used, the next request may take ${mayTake}`;
        }
        if (maxCost === null) return null;
        if (cost === null)
            return `--max-cost ${maxCost}: the price of the model is unknown; set it in --prices`;
        const mayCost = model === null ? cost : cost * this.#costRatio;
        const reservedCost = this.#fixedCost + (this.#reservedCost - this.#fixedCost) * this.#costRatio;
        if (this.#cost + reservedCost + mayCost <= maxCost) return null;
        return `the budget of $${maxCost} (--max-cost) is spent: $${shown(this.#cost)} used, the next request may cost $${shown(mayCost)}`;
    }

    #take({ model, tokens, cost }: Estimate): Reservation {
        const reserved = { tokens, cost: cost ?? 0 };
        const fixed = model === null ? reserved.cost : 0;
        this.#reservedTokens += reserved.tokens;
        this.#reservedCost += reserved.cost;
        this.#fixedCost += fixed;
        this.#inFlight += 1;
        if (model !== null) this.#countUnanswered(model, 1);
        let state: 'open' | 'forfeited' | 'settled' = 'open';
        const end = (next: 'forfeited' | 'settled', usedTokens: number, usedCost: number): void => {
            if (state === 'settled' || state === next) return;
            if (state === 'open') {
                this.#reservedTokens -= reserved.tokens;
                this.#reservedCost -= reserved.cost;
                this.#fixedCost -= fixed;
                this.#inFlight -= 1;
                if (model !== null) this.#countUnanswered(model, -1);
            } else {
                this.#tokens -= reserved.tokens;
                this.#cost -= reserved.cost;
            }
            state = next;
            this.#tokens += usedTokens;
            this.#cost += usedCost;
            if (reserved.tokens > 0)
                this.#tokenRatio = Math.max(this.#tokenRatio, usedTokens / reserved.tokens);
            if (reserved.cost > 0) this.#costRatio = Math.max(this.#costRatio, usedCost / reserved.cost);
            this.#pump();
        };
        return {
            settle: ({ prompt, completion }, used) => {
                if (model !== null) this.#heard.add(model);
                end('settled', sumKnown(prompt, completion) ?? reserved.tokens, used ?? reserved.cost);
            },
            cancel: () => end('settled', 0, 0),
            forfeit: () => end('forfeited', reserved.tokens, reserved.cost),
        };
    }

    #countUnanswered(model: string, change: 1 | -1): void {
        const requests = (this.#unheard.get(model) ?? 0) + change;
        if (requests <= 0 || this.#heard.has(model)) this.#unheard.delete(model);
        else this.#unheard.set(model, requests);
    }

    /** Records a request for which nothing had been reserved. */
    charge({ prompt, completion }: Pick<TokenUsage, 'prompt' | 'completion'>, cost: number | null): void {
        this.#tokens += sumKnown(prompt, completion) ?? 0;
        this.#cost += cost ?? 0;
    }
}

const sumKnown = (prompt: number | null, completion: number | null): number | null =>
    prompt === null || completion === null ? null : prompt + completion;

const shown = (amount: number): string => (amount === 0 ? '0' : amount.toPrecision(3));
