import { randomBytes } from 'node:crypto';
import type { Json, JsonObject } from '../../model/json.js';
import { waitUntilAborted } from '../../util/until-aborted.js';
import type { ExecutorContext } from '../executor.js';
import type { WorkerDesk } from '../servers/places.js';
import type { Reservation } from './budget.js';
import type { TokenUsage } from './chat-protocol.js';

/*
 * The budget of a run whose requests are made by workers. The main process holds it: a worker asks before each request that costs
 * money, and reports the actual usage afterwards. What a lost worker had reserved counts as spent until the worker reports
 * otherwise.
 */

/** A completion that has not been requested yet. */
export interface PlannedCompletion {
    readonly model: string;
    /** Tokens, estimated. */
    readonly prompt: number;
    /** Most tokens that an answer may have; null: unlimited. */
    readonly completion: number | null;
}

/** A web search that has not been made yet; its engine determines the price. */
export interface PlannedSearch {
    readonly engine: string;
}

/** A request that costs money and has not been made yet. */
export type PlannedRequest = PlannedCompletion | PlannedSearch;

/** Reserves what a request may cost. @returns null if the budget is spent or the signal is aborted */
export type ReserveBudget = (
    planned: PlannedRequest,
    context: Pick<ExecutorContext, 'ask' | 'signal'>,
) => Promise<Reservation | null>;

/** The worker's side. */
export const reserveByMessage: ReserveBudget = async (planned, { ask, signal }) => {
    if (ask === undefined) throw new Error('bug in resume-run: a worker without a main process');
    const asked = ask({ do: 'reserve', ...planned });
    let reply: JsonObject | null;
    try {
        reply = await waitUntilAborted(asked, signal);
    } catch (error) {
        if (!signal.aborted) throw error;
        // A reservation granted after nobody waits for it any more is cancelled.
        asked.then((late) => openReservation(late, ask)?.cancel()).catch(() => {});
        return null;
    }
    return openReservation(reply, ask);
};

function openReservation(
    reply: JsonObject | null,
    ask: NonNullable<ExecutorContext['ask']>,
): Reservation | null {
    const { reservation } = reply ?? {};
    if (typeof reservation !== 'string') return null;
    const end = (how: JsonObject): void =>
        // If the main process is gone, there is nothing left to count.
        void ask({ do: 'unreserve', reservation, ...how }).catch(() => {});
    return {
        settle: ({ prompt, completion }, cost) => end({ end: 'settle', prompt, completion, cost }),
        cancel: () => end({ end: 'cancel' }),
        forfeit: () => end({ end: 'forfeit' }),
    };
}

/** The owner of the budget. */
export interface BudgetHolder {
    reserve(planned: PlannedRequest, signal: AbortSignal): Promise<Reservation | null>;
    /** Records a request for which nothing had been reserved. */
    charge(usage: Pick<TokenUsage, 'prompt' | 'completion'>, cost: number | null): void;
    /** Records the length of an answer in tokens. */
    noteAnswer(completion: number): void;
}

interface HeldReservations {
    readonly gone: AbortController;
    readonly open: Map<string, Reservation>;
}

/** Reservations of lost workers that are kept in case their usage is still reported. */
const MAX_FORMER = 10_000;

/** Most reservations that one task may hold at once; no executor makes more than a few concurrent requests. */
const MAX_OPEN = 64;

/** The main process's side; wraps the desk that hands out places. */
export class BudgetDesk implements WorkerDesk {
    readonly #jobs = new Map<number, HeldReservations>();
    readonly #former = new Map<string, Reservation>();
    /** Unique to this process, so that names of reservations never repeat those of an earlier process. */
    readonly #prefix = randomBytes(6).toString('hex');
    #next = 1;

    constructor(
        private readonly places: WorkerDesk,
        private readonly budget: BudgetHolder,
    ) {}

    async serve(job: number, request: JsonObject, end: () => void): Promise<JsonObject | null> {
        if (request['do'] === 'reserve') return this.#reserve(job, request, end);
        // The worker got its descriptor from an earlier start, which had no budget.
        if (request['do'] === 'spent' && !this.#jobs.has(job)) this.#charge(request['spent']);
        if (request['do'] !== 'unreserve') return this.places.serve(job, request, end);
        this.#unreserve(job, request);
        return null;
    }

    hear(job: number, request: JsonObject): void {
        if (request['do'] === 'unreserve') this.#unreserve(job, request);
        else this.places.hear(job, request);
    }

    holds(job: number): boolean {
        return (this.#jobs.get(job)?.open.size ?? 0) > 0 || this.places.holds(job);
    }

    forget(job: number): void {
        this.places.forget(job);
        const held = this.#jobs.get(job);
        if (held === undefined) return;
        this.#jobs.delete(job);
        held.gone.abort();
        for (const [name, reservation] of held.open) {
            reservation.forfeit();
            this.#former.set(name, reservation);
            if (this.#former.size > MAX_FORMER) this.#former.delete(this.#former.keys().next().value ?? '');
        }
    }

    async #reserve(job: number, request: JsonObject, end: () => void): Promise<JsonObject | null> {
        const planned = readPlanned(request);
        const held = this.#jobs.get(job) ?? {
            gone: new AbortController(),
            open: new Map<string, Reservation>(),
        };
        this.#jobs.set(job, held);
        if (planned === null || held.open.size >= MAX_OPEN)
            throw new Error('the budget request is invalid, or the task holds too many reservations');
        const { signal } = held.gone;
        const reservation = await this.budget.reserve(planned, signal);
        if (signal.aborted || reservation === null) {
            reservation?.cancel();
            // Nothing will fit any more.
            if (!signal.aborted) end();
            return null;
        }
        const name = `${this.#prefix}-${this.#next++}`;
        held.open.set(name, reservation);
        return { reservation: name };
    }

    #unreserve(job: number, { reservation: name, end, prompt, completion, cost }: JsonObject): void {
        if (typeof name !== 'string') return;
        const open = this.#jobs.get(job)?.open;
        const reservation = open?.get(name) ?? this.#former.get(name);
        open?.delete(name);
        this.#former.delete(name);
        if (end === 'cancel') reservation?.cancel();
        else if (end === 'forfeit') reservation?.forfeit();
        else if (isAmount(prompt) && isAmount(completion) && isAmount(cost)) {
            if (completion !== null) this.budget.noteAnswer(completion);
            if (reservation === undefined) this.budget.charge({ prompt, completion }, cost);
            else reservation.settle({ prompt, completion }, cost);
        }
    }

    #charge(spent: Json | undefined): void {
        const { prompt, completion, cost } = (spent ?? {}) as JsonObject;
        if (isAmount(prompt) && isAmount(completion) && isAmount(cost))
            this.budget.charge({ prompt, completion }, cost);
    }
}

const isAmount = (value: Json | undefined): value is number | null =>
    value === null || (typeof value === 'number' && value >= 0 && Number.isFinite(value));

/** Data from workers on other machines is validated. */
function readPlanned({ engine, model, prompt, completion = null }: JsonObject): PlannedRequest | null {
    if (typeof engine === 'string') return { engine };
    if (typeof model !== 'string' || typeof prompt !== 'number' || !isAmount(prompt)) return null;
    return isAmount(completion) ? { model, prompt, completion } : null;
}
