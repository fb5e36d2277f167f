import { type AcquireOptions, type Lease, NoEndpointError, type PoolHooks } from '../../endpoint/pool.js';
import type { EndpointState } from '../../model/event.js';
import { unreachable } from '../../util/unreachable.js';
import type { Failure } from '../../model/failure.js';
import type { ServerOptions } from '../descriptor.js';
import type { ExecutorContext } from '../executor.js';
import { Fleet } from '../servers/fleet.js';
import { type AcquirePlace, PlaceDesk, reservePlaces, type WorkerDesk } from '../servers/places.js';
import type { UpcomingWork } from '../servers/server-executor.js';
import { Budget, type BudgetOptions, type Estimate, isBounded, type Reservation } from './budget.js';
import { BudgetDesk, type PlannedRequest, type ReserveBudget } from './budget-desk.js';
import {
    type ChatResult,
    type Exchange,
    MAX_ANSWER,
    probe,
    readAnswer,
    refusedAt,
    type ServiceRequest,
    reportUnsuccessful,
} from './chat-exchange.js';
import {
    type ChatAnswer,
    type ChatCall,
    buildChatBody,
    estimateTokens,
    type PricedChatAnswer,
} from './chat-protocol.js';
import { readChatStream } from './chat-stream.js';
import { readChatAnswer } from './read-answer.js';
import { computeCost, findSearchPrice, type PriceTable } from './prices.js';
import { isSpent, SPENT_UNKNOWN, spentBy, spentBySearch, type Spent } from './spending.js';
import type { Search, SearchRequest } from './web-search.js';

/** Concurrent requests to an endpoint without a configured limit. The adaptive limit halves it when a service asks for fewer. */
const DEFAULT_CONCURRENCY = 8;
/** How often one request may be rejected unprocessed before it fails, if lowering the concurrency does not help. */
const MAX_REJECTIONS = 50;
/** Tokens reserved for an answer of unbounded length, before the first answer arrives. */
export const TYPICAL_ANSWER_TOKENS = 1024;

/** Timeouts of a request besides the total one, in seconds; null: only the total timeout applies. */
export interface RequestTimeouts {
    readonly connect: number | null;
    /** Until the first byte of the answer. */
    readonly firstByte: number | null;
    /** Between two pieces of the answer. */
    readonly idle: number | null;
}

export interface ChatClientOptions {
    readonly servers: ServerOptions;
    /** Seconds for one request, including its answer. */
    readonly timeout: number;
    /** The user's prices, which take precedence over the bundled ones; absent or null: only the bundled ones. */
    readonly prices?: PriceTable | null;
    /** Where places at endpoints come from; absent: a pool of its own. */
    readonly acquire?: AcquirePlace;
    /** What requests may spend; absent or null: unlimited. `hooks.budgetSpent` is called when nothing more fits. */
    readonly budget?: BudgetOptions | null;
    /** Where to reserve if the budget is not held by this client; absent: no such budget. */
    readonly reserve?: ReserveBudget | undefined;
    readonly timeouts?: RequestTimeouts;
    /** True: answers are streamed, and the time of their first token is measured. */
    readonly stream?: boolean;
    /** True if tasks name their models: a model that no service has then does not end the run. */
    readonly modelsVary?: boolean;
    /** Called with the usage of every request, whether or not its answer is kept. */
    readonly onSpent?: (spent: Spent, context: ExecutorContext) => void;
}

/**
 * Makes requests to services of language models over one pool of endpoints: choice of the endpoint, limits, waiting and error
 * classes. A request that an endpoint rejects without processing it (429, 503, a key without credit) is sent again within the
 * same call, to another endpoint or later; every other result goes to the caller, whose attempt it is.
 */
export class ChatClient {
    readonly #fleet: Fleet;
    readonly #place: AcquirePlace;
    readonly #timeout: number;
    readonly #prices: PriceTable | null;
    readonly #budget: Budget | null;
    readonly #reserve: ReserveBudget | null;
    readonly #timeouts: RequestTimeouts | undefined;
    readonly #stream: boolean;
    readonly #onSpent: ChatClientOptions['onSpent'];
    /** Tokens of the longest answer so far, which are reserved for an answer of unbounded length. */
    #longestAnswer = TYPICAL_ANSWER_TOKENS;

    /** @throws UserError if a key cannot be read */
    constructor(options: ChatClientOptions, hooks: PoolHooks = {}) {
        const { servers, timeout, prices = null, acquire, budget = null } = options;
        const { timeouts, stream = false, modelsVary = false } = options;
        const connectTimeout = timeouts?.connect ?? undefined;
        this.#fleet = new Fleet(servers, DEFAULT_CONCURRENCY, probe, hooks, undefined, {
            connectTimeout,
            modelsVary,
            usesProxy: true,
        });
        this.#timeouts = timeouts;
        this.#stream = stream;
        this.#onSpent = options.onSpent;
        this.#place = acquire ?? reservePlaces(this.#fleet.pool);
        this.#timeout = timeout;
        this.#prices = prices;
        this.#budget =
            budget !== null && isBounded(budget)
                ? new Budget(budget, (message) => hooks.budgetSpent?.(message))
                : null;
        this.#reserve =
            this.#budget === null
                ? (options.reserve ?? null)
                : (planned, { signal }) => this.#reserveOwn(planned, signal);
    }

    /** One chat completion. Never rejects because of a service. Also returns `aborted` if the budget is spent. */
    async complete(call: ChatCall, context: ExecutorContext): Promise<ChatResult<PricedChatAnswer>> {
        if (this.#reserve === null) return this.#complete(call, context);
        const { model, maxTokens } = call.sampling;
        const prompt = estimateTokens(call) - (maxTokens ?? 0);
        const reservation = await this.#reserve({ model, prompt, completion: maxTokens }, context);
        if (reservation === null) return UNSENT;
        const result = await this.#complete(call, context);
        settle(reservation, result, ({ usage, cost }) => reservation.settle(usage, cost));
        return result;
    }

    /**
     * One web search, with its cost if the price is known. Never rejects because of a service. Also returns `aborted` if the
     * budget is spent; a search whose price is unknown does not count towards a budget.
     */
    async search(request: SearchRequest, context: ExecutorContext): Promise<ChatResult<Search>> {
        const { engine } = request;
        const price = findSearchPrice(this.#prices, engine);
        const reservation = price === null ? undefined : await this.#reserve?.({ engine }, context);
        if (reservation === null) return UNSENT;
        const result = await this.#request(request, context);
        if (reservation !== undefined)
            settle(reservation, result, () => reservation.settle(NO_TOKENS, price?.amount ?? null));
        if (isUnanswered(result)) this.#onSpent?.(SPENT_UNKNOWN, context);
        if (result.kind !== 'answered') return result;
        this.#onSpent?.(spentBySearch(price?.amount ?? null), context);
        if (price === null) return result;
        return { ...result, answer: { ...result.answer, cost: price.amount, priced_by: price.source } };
    }

    async #complete(call: ChatCall, context: ExecutorContext): Promise<ChatResult<PricedChatAnswer>> {
        const stream = this.#stream;
        const result = await this.#request<ChatAnswer>(
            {
                path: '/chat/completions',
                model: call.sampling.model,
                tokens: estimateTokens(call),
                body: ({ deployments, provider }) => buildChatBody(call, { deployments, provider, stream }),
                read: stream ? readChatStream : readChatAnswer,
                used: ({ usage: { prompt, completion } }) =>
                    prompt === null || completion === null ? null : prompt + completion,
            },
            context,
        );
        if (isUnanswered(result)) this.#onSpent?.(SPENT_UNKNOWN, context);
        if (result.kind === 'refused') return { ...result, answer: null };
        if (result.kind !== 'answered') return result;
        const { endpoint, took } = result;
        const answer = await this.#withCost(result.answer, call.sampling.model, endpoint);
        this.#onSpent?.(spentBy(answer.usage, answer.cost), context);
        this.#noteAnswer(answer.usage.completion ?? 0);
        const isFiltered = FILTERED.has(answer.finishReason ?? '');
        const isRefused = isFiltered || (answer.refusal !== null && (answer.content ?? '') === '');
        if (!isRefused) return { ...result, answer };
        const by = isFiltered ? 'filter' : 'model';
        return { kind: 'refused', by, reason: answer.refusal, answer, endpoint, took };
    }

    /** One call of a service; endpoints, limits and error rules are the same for all kinds of calls. */
    async #request<T extends object>(
        request: ServiceRequest<T>,
        context: ExecutorContext,
    ): Promise<ChatResult<T>> {
        const { signal, log } = context;
        for (let turned = 1; ; turned += 1) {
            const { model, tokens } = request;
            const lease = await this.#acquire(context, { model, tokens });
            if ('kind' in lease) return lease;
            const result = await this.#exchange(lease, request, signal).finally(() => lease.release());
            if (result.kind !== 'turned-away') return result;
            const { failure } = result;
            if (turned >= MAX_REJECTIONS) return { kind: 'failed', failure, endpoint: lease.endpoint };
            log(`${lease.endpoint}: ${failure.message}; retrying`);
        }
    }

    /** Where tasks in workers get their places at this client's endpoints. */
    desk(onSpent: (spent: Spent) => void): WorkerDesk {
        const places = new PlaceDesk({
            pool: this.#fleet.pool,
            onSpent: (spent) => {
                if (isSpent(spent)) onSpent(spent);
            },
        });
        const budget = this.#budget;
        if (budget === null) return places;
        return new BudgetDesk(places, {
            reserve: (planned, signal) => this.#reserveOwn(planned, signal),
            charge: (usage, cost) => budget.charge(usage, cost),
            noteAnswer: (completion) => this.#noteAnswer(completion),
        });
    }

    #noteAnswer(completion: number): void {
        this.#longestAnswer = Math.max(this.#longestAnswer, completion);
    }

    /** What has been used of the budget; null: there is no budget. */
    get charged(): Budget['used'] | null {
        return this.#budget?.used ?? null;
    }

    /** Statistics of every endpoint. */
    endpoints(): readonly EndpointState[] {
        return this.#fleet.pool.states();
    }

    /** Requests that the endpoints take at once under their current limits. */
    concurrency(): number {
        return this.#fleet.pool.concurrency;
    }

    /** Raises the limit of endpoints without a configured one to this many concurrent requests, if that is more than before. */
    widenTo(concurrency: number): void {
        this.#fleet.pool.widenTo(concurrency);
    }

    /** Announces the work that is about to be requested. */
    prepare(work: UpcomingWork): void {
        this.#fleet.prepare(work);
    }

    close(): Promise<void> {
        return this.#fleet.close();
    }

    async #reserveOwn(planned: PlannedRequest, signal: AbortSignal): Promise<Reservation | null> {
        return this.#budget?.reserve(await this.#estimate(planned), signal) ?? null;
    }

    /** Upper bound of what a request may use, as far as it can be known in advance. */
    async #estimate(planned: PlannedRequest): Promise<Estimate> {
        if ('engine' in planned) {
            const price = findSearchPrice(this.#prices, planned.engine);
            return { model: null, tokens: 0, cost: price?.amount ?? 0 };
        }
        const { model, prompt, completion: most } = planned;
        const completion = most ?? this.#longestAnswer;
        const usage = { prompt, cached: null, completion, reasoning: null };
        const { url = '' } = this.#fleet.endpointFor(model) ?? {};
        const cost = await computeCost({ model, deployment: null, usage, url }, this.#prices);
        return { model, tokens: prompt + completion, cost: cost?.amount ?? null };
    }

    async #withCost(answer: ChatAnswer, model: string, endpoint: string): Promise<PricedChatAnswer> {
        const { url } = this.#fleet.getOptions(endpoint);
        const cost = await computeCost(
            { model, deployment: answer.model, usage: answer.usage, url },
            this.#prices,
        );
        return { ...answer, cost: cost?.amount ?? null, pricedBy: cost?.source ?? null };
    }

    async #acquire(context: ExecutorContext, wanted: AcquireOptions): Promise<Lease | ChatResult<never>> {
        try {
            return await this.#place(context, wanted);
        } catch (error) {
            if (context.signal.aborted) return UNSENT;
            if (!(error instanceof NoEndpointError)) throw error;
            const failure: Failure = { reason: 'endpoint', message: error.message, endpoint: '' };
            return { kind: 'failed', failure, endpoint: null };
        }
    }

    async #exchange<T extends object>(
        lease: Lease,
        { path, body, read, used, missing }: ServiceRequest<T>,
        signal: AbortSignal,
    ): Promise<Exchange<T>> {
        try {
            await lease.turn(signal);
        } catch {
            return UNSENT;
        }
        const endpoint = this.#fleet.getOptions(lease.endpoint);
        const { provider } = endpoint;
        const request = {
            method: 'POST',
            path,
            body: JSON.stringify(typeof body === 'function' ? body(endpoint) : body),
            timeout: this.#timeout,
            firstByteTimeout: this.#timeouts?.firstByte ?? undefined,
            idleTimeout: this.#timeouts?.idle ?? undefined,
            maxAnswer: MAX_ANSWER,
        } as const;
        const answer = await this.#fleet.send(lease.endpoint, request, signal);
        switch (answer.kind) {
            case 'aborted':
                lease.report('abandoned', 0);
                return { kind: 'aborted' };
            case 'failure':
                if (missing !== undefined && (answer.status === 404 || answer.status === 405)) {
                    lease.report('bad-request', answer.took);
                    return refusedAt(lease, missing, answer.status);
                }
                return reportUnsuccessful(lease, { ...answer, provider }, answer.message);
            case 'answer':
                return readAnswer(lease, answer, { read, used }, provider);
            default:
                return unreachable(answer, 'answer');
        }
    }
}

/** Finish reasons of an answer that a filter cut off or emptied; `sensitive` is BigModel's term. */
const FILTERED: ReadonlySet<string> = new Set(['content_filter', 'sensitive']);

/** The result of a request that is given up while it waits for a place or for the budget. */
const UNSENT = { kind: 'aborted', isUnsent: true } as const;

/** Whether a request was sent and brought no answer: its service may have done the work and billed it. */
function isUnanswered(result: ChatResult<unknown>): boolean {
    if (result.kind === 'aborted') return result.isUnsent !== true;
    return result.kind === 'failed' && result.failure.reason !== 'refused' && result.endpoint !== null;
}

/** Token usage of a search. */
const NO_TOKENS = { prompt: 0, completion: 0 } as const;

/** Ends a reservation according to the request's result; `settleBy` applies to an answered one. */
function settle<T>(reservation: Reservation, result: ChatResult<T>, settleBy: (answer: T) => void): void {
    switch (result.kind) {
        case 'answered':
        case 'refused':
            if (result.answer === null) reservation.cancel();
            else settleBy(result.answer);
            return;
        case 'failed':
            // Rejected, or never sent.
            if (result.failure.reason === 'refused' || result.endpoint === null) reservation.cancel();
            else reservation.forfeit();
            return;
        case 'aborted':
            if (result.isUnsent === true) reservation.cancel();
            else reservation.forfeit();
            return;
        default:
            unreachable(result, 'result of a chat call');
    }
}
