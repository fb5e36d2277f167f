import type { TokenUsage } from './chat-protocol.js';

/** What one command may spend. Null: no bound. */
export interface BudgetOptions {
    /** US dollars. */
    readonly maxCost: number | null;
    /** Tokens of prompts and answers. */
    readonly maxTokens: number | null;
    /** What earlier runs of the same command used of it, such as rounds; absent: this is the first. Cost in US dollars. */
    readonly spent?: { readonly cost: number; readonly tokens: number };
}

export const isBounded = ({ maxCost, maxTokens }: BudgetOptions): boolean =>
    maxCost !== null || maxTokens !== null;

/** What a request may come to, before it is sent. */
export interface Estimate {
    /** The model that answers; null: what it comes to is known, as that of a search is. */
    readonly model: string | null;
    readonly tokens: number;
    /** US dollars; null: unknown. */
    readonly cost: number | null;
}

/** What is set aside for a request under way. */
export interface Reservation {
    /** The answer came: what it used takes the place of what was set aside, as far as it is known. */
    settle(usage: Pick<TokenUsage, 'prompt' | 'completion'>, cost: number | null): void;
    /** Nothing was used: the request was turned away unheard. */
    cancel(): void;
    /**
     * It was sent and brought no answer: what was set aside counts as spent, since the service may have done its work. One that is heard of
     * after all is settled then.
     */
    forfeit(): void;
}

/**
 * Requests in flight at the most to models of which no answer tells yet what theirs use: a service that ignores the bound of its answers
 * would otherwise spend a multiple of the budget before anybody knows. A model that judges is such a one, whatever the others use.
 */
const FEW = 4;

interface Waiter {
    readonly estimate: Estimate;
    readonly grant: (reservation: Reservation | null) => void;
}

/**
 * Holds a start to its budget. What is in flight is set aside by estimates, so that a budget is not exceeded by as much as
 * was under way; a request that does not fit any more waits for those before it, which may use less. Where an answer used more than
 * was set aside for it, so may every other: what is in flight, and what comes, is counted as so many times its estimate. Until a model's
 * first answer is there, only a few are asked for.
 */
export class Budget {
    readonly #options: BudgetOptions;
    readonly #onSpent: (message: string) => void;
    readonly #waiters = new Set<Waiter>();
    #tokens = 0;
    #cost = 0;
    #reservedTokens = 0;
    #reservedCost = 0;
    /** Of what is reserved, what will not be more. */
    #fixedCost = 0;
    /** The largest share of its estimate that an answer used, 1 at least. */
    #tokenRatio = 1;
    #costRatio = 1;
    #inFlight = 0;
    /** Models of which an answer has been seen. */
    readonly #heard = new Set<string>();
    /** Requests in flight to others, by model. */
    readonly #unheard = new Map<string, number>();
    #isSpent = false;

    /** @param onSpent told once, when nothing more fits */
    constructor(options: BudgetOptions, onSpent: (message: string) => void) {
        this.#options = options;
        this.#tokens = options.spent?.tokens ?? 0;
        this.#cost = options.spent?.cost ?? 0;
        this.#onSpent = onSpent;
    }

    /** What is used up, without what is set aside. Cost in US dollars. */
    get used(): { readonly tokens: number; readonly cost: number } {
        return { tokens: this.#tokens, cost: this.#cost };
    }

    /** Sets an estimate aside, as soon as it fits. @returns null when the budget is spent, or the signal is aborted */
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

    /** Whether what it may use is known well enough, or few such requests are in flight. */
    #mayStart({ model }: Estimate): boolean {
        if (model === null || this.#heard.has(model)) return true;
        let unheard = 0;
        for (const requests of this.#unheard.values()) unheard += requests;
        return unheard < FEW;
    }

    /** Which bound an estimate goes beyond, in words; null: none. */
    #describeExcess({ model, tokens, cost }: Estimate): string | null {
        const { maxCost, maxTokens } = this.#options;
        const mayTake = Math.ceil(tokens * this.#tokenRatio);
        const reservedTokens = this.#reservedTokens * this.#tokenRatio;
        if (maxTokens !== null && this.#tokens + reservedTokens + mayTake > maxTokens) {
            return `the budget of ${maxTokens} tokens (--max-tokens-total) is spent: ${this.#tokens} used, the next request may take ${mayTake}`;
        }
        if (maxCost === null) return null;
        if (cost === null)
            return `--max-cost ${maxCost}: the price of the model is unknown; give it by --prices`;
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
        if (model !== null) this.#countUnheard(model, 1);
        let state: 'open' | 'forfeited' | 'settled' = 'open';
        const end = (next: 'forfeited' | 'settled', usedTokens: number, usedCost: number): void => {
            if (state === 'settled' || state === next) return;
            if (state === 'open') {
                this.#reservedTokens -= reserved.tokens;
                this.#reservedCost -= reserved.cost;
                this.#fixedCost -= fixed;
                this.#inFlight -= 1;
                if (model !== null) this.#countUnheard(model, -1);
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

    #countUnheard(model: string, change: 1 | -1): void {
        const requests = (this.#unheard.get(model) ?? 0) + change;
        if (requests <= 0 || this.#heard.has(model)) this.#unheard.delete(model);
        else this.#unheard.set(model, requests);
    }

    /** A request was made for which nothing had been set aside. */
    charge({ prompt, completion }: Pick<TokenUsage, 'prompt' | 'completion'>, cost: number | null): void {
        this.#tokens += sumKnown(prompt, completion) ?? 0;
        this.#cost += cost ?? 0;
    }
}

const sumKnown = (prompt: number | null, completion: number | null): number | null =>
    prompt === null || completion === null ? null : prompt + completion;

const shown = (amount: number): string => (amount === 0 ? '0' : amount.toPrecision(3));
