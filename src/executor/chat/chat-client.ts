import type { HttpAnswer } from '../../endpoint/http.js';
import type { OutcomeClass } from '../../endpoint/outcome-class.js';
import {
    type AcquireOptions,
    type Lease,
    NoEndpointError,
    type PoolHooks,
    type ProbeOutcome,
} from '../../endpoint/pool.js';
import type { EndpointState } from '../../model/event.js';
import type { Failure } from '../../model/failure.js';
import type { JsonObject } from '../../model/json.js';
import { unreachable } from '../../util/unreachable.js';
import type { EndpointOptions, ServerOptions } from '../descriptor.js';
import type { ExecutorContext } from '../executor.js';
import { type Ask, Fleet } from '../servers/fleet.js';
import type { WorkerDesk } from '../servers/server-executor.js';
import { Budget, type BudgetOptions, type Estimate, isBounded, type Reservation } from './budget.js';
import { type ChatErrorClass, classifyChatError } from './chat-error.js';
import {
    type ChatAnswer,
    type ChatCall,
    chatBody,
    estimateTokens,
    type PricedChatAnswer,
    readChatAnswer,
} from './chat-protocol.js';
import { type AcquirePlace, PlaceDesk, placesOf } from './places.js';
import { costOf, type PriceTable } from './prices.js';

/** Requests at once to an endpoint that names no number. The adaptive limit halves it where a service asks for less. */
const DEFAULT_CONCURRENCY = 8;
/** Bytes of an answer that are read. */
const MAX_ANSWER = 64 * 1024 * 1024;
/** Seconds that a probe's answer gets. */
const PROBE_ANSWER = 30;
/** Times that one request is turned away unheard before it fails: asking for fewer is not an answer to it. */
const TURNED_AWAY = 50;
/** Tokens set aside for an answer without a bound, before any came. */
const USUAL_ANSWER = 1024;

export interface ChatClientOptions {
    readonly servers: ServerOptions;
    /** Seconds for one request, its answer included. */
    readonly timeout: number;
    /** The user's prices, which go before the bundled ones; absent or null: only these. */
    readonly prices?: PriceTable | null;
    /** Where places at endpoints come from; absent: a pool of its own. */
    readonly acquire?: AcquirePlace;
    /** What completions may spend; absent or null: whatever they do. `hooks.budgetSpent` is told when nothing more fits. */
    readonly budget?: BudgetOptions | null;
}

/** What one request came to. */
export type ChatResult<T> =
    | { readonly kind: 'answered'; readonly answer: T; readonly endpoint: string; readonly took: number }
    /** The model or the service's filter declined: a verdict about the task. `answer` is there where the model said so itself. */
    | {
          readonly kind: 'refused';
          readonly by: 'model' | 'filter';
          readonly reason: string | null;
          readonly answer: T | null;
          readonly endpoint: string;
          readonly took: number;
      }
    /** Nothing usable came. `isRetryable` of model/failure.ts tells whether to try again. `endpoint` null: none could be had. */
    | { readonly kind: 'failed'; readonly failure: Failure; readonly endpoint: string | null }
    | { readonly kind: 'aborted' };

/** A request to the service besides chat completions. */
export interface ServiceRequest<T> {
    /** Below the endpoint's base URL; begins with `/`. */
    readonly path: string;
    /** Only endpoints that serve this model; absent: any. */
    readonly model?: string;
    /** Tokens that it may use, as an estimate: what limits by the minute reserve. Absent: 0. */
    readonly tokens?: number;
    /** What is sent, which may depend on the endpoint. */
    readonly body: JsonObject | ((endpoint: EndpointOptions) => JsonObject);
    /** Tokens that an answer used; null: not told. */
    readonly used?: ((answer: T) => number | null) | undefined;
    /** Reads an answer of status 2xx, or says what is wrong with it. */
    readonly read: (body: Buffer) => T | { readonly broken: string };
    /** Why the request comes to nothing where the service does not have it (404, 405), whose other calls go on. */
    readonly missing?: string;
}

/**
 * Makes requests to services of language models over one pool of endpoints: choice of the endpoint, limits, waiting, error
 * classes. A request that an endpoint turned away unheard (429, 503, a key without credit) is made again, elsewhere or
 * later, as part of the same call; everything else is told to the caller, whose attempt it is.
 */
export class ChatClient {
    readonly #fleet: Fleet;
    readonly #place: AcquirePlace;
    readonly #timeout: number;
    readonly #prices: PriceTable | null;
    readonly #budget: Budget | null;
    /** Tokens of the longest answer so far: what is set aside for one that nothing bounds. */
    #longestAnswer = USUAL_ANSWER;

    /** @throws UserError when a key cannot be read */
    constructor(options: ChatClientOptions, hooks: PoolHooks = {}) {
        const { servers, timeout, prices = null, acquire, budget = null } = options;
        this.#fleet = new Fleet(servers, DEFAULT_CONCURRENCY, probe, hooks);
        this.#place = acquire ?? placesOf(this.#fleet.pool);
        this.#timeout = timeout;
        this.#prices = prices;
        this.#budget =
            budget !== null && isBounded(budget)
                ? new Budget(budget, (message) => hooks.budgetSpent?.(message))
                : null;
    }

    /** One chat completion. Never rejects for what a service does. Aborted too where the budget is spent. */
    async complete(call: ChatCall, context: ExecutorContext): Promise<ChatResult<PricedChatAnswer>> {
        if (this.#budget === null) return this.#complete(call, context);
        const reservation = await this.#budget.reserve(await this.#estimate(call), context.signal);
        if (reservation === null) return { kind: 'aborted' };
        const result = await this.#complete(call, context);
        settle(reservation, result);
        return result;
    }

    async #complete(call: ChatCall, context: ExecutorContext): Promise<ChatResult<PricedChatAnswer>> {
        const result = await this.request(
            {
                path: '/chat/completions',
                model: call.sampling.model,
                tokens: estimateTokens(call),
                body: ({ deployments, provider }) => chatBody(call, { deployments, provider }),
                read: readChatAnswer,
                used: ({ usage: { prompt, completion } }) =>
                    prompt === null || completion === null ? null : prompt + completion,
            },
            context,
        );
        if (result.kind === 'refused') return { ...result, answer: null };
        if (result.kind !== 'answered') return result;
        const { endpoint, took } = result;
        const answer = await this.#withCost(result.answer, call.sampling.model, endpoint);
        this.#longestAnswer = Math.max(this.#longestAnswer, answer.usage.completion ?? 0);
        const isFiltered = answer.finishReason === 'content_filter';
        const isRefused = isFiltered || (answer.refusal !== null && answer.content === null);
        if (!isRefused) return { ...result, answer };
        const by = isFiltered ? 'filter' : 'model';
        return { kind: 'refused', by, reason: answer.refusal, answer, endpoint, took };
    }

    /** Another call of the same service, such as a search: same endpoints, limits and rules for errors. */
    async request<T extends object>(
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
            if (turned >= TURNED_AWAY) return { kind: 'failed', failure, endpoint: lease.endpoint };
            log(`${lease.endpoint}: ${failure.message}; asking again`);
        }
    }

    /** Where tasks in workers get their places at this client's endpoints. */
    desk(): WorkerDesk {
        return new PlaceDesk(this.#fleet.pool);
    }

    /** Figures of every endpoint. */
    endpoints(): readonly EndpointState[] {
        return this.#fleet.pool.states();
    }

    /** Requests that the endpoints take at once, as their limits are now. */
    concurrency(): number {
        return this.#fleet.pool.concurrency;
    }

    close(): Promise<void> {
        return this.#fleet.close();
    }

    /** What a call may come to at the most, as far as that can be told before it is made. */
    async #estimate(call: ChatCall): Promise<Estimate> {
        const { model, maxTokens } = call.sampling;
        const prompt = estimateTokens(call) - (maxTokens ?? 0);
        const completion = maxTokens ?? this.#longestAnswer;
        const usage = { prompt, cached: null, completion, reasoning: null };
        const { url = '' } = this.#fleet.endpointFor(model) ?? {};
        const cost = await costOf({ model, deployment: null, usage, url }, this.#prices);
        return { tokens: prompt + completion, cost: cost?.amount ?? null };
    }

    async #withCost(answer: ChatAnswer, model: string, endpoint: string): Promise<PricedChatAnswer> {
        const { url } = this.#fleet.optionsOf(endpoint);
        const cost = await costOf(
            { model, deployment: answer.model, usage: answer.usage, url },
            this.#prices,
        );
        return { ...answer, cost: cost?.amount ?? null, pricedBy: cost?.source ?? null };
    }

    async #acquire(context: ExecutorContext, wanted: AcquireOptions): Promise<Lease | ChatResult<never>> {
        try {
            return await this.#place(context, wanted);
        } catch (error) {
            if (context.signal.aborted) return { kind: 'aborted' };
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
            return { kind: 'aborted' };
        }
        const request = {
            method: 'POST',
            path,
            body: JSON.stringify(
                typeof body === 'function' ? body(this.#fleet.optionsOf(lease.endpoint)) : body,
            ),
            timeout: this.#timeout,
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
                return turnDown(lease, answer, answer.message);
            case 'answer':
                return readAnswer(lease, answer, { read, used });
            default:
                return unreachable(answer, 'answer');
        }
    }
}

/** Tells the budget what became of a request. */
function settle(reservation: Reservation, result: ChatResult<PricedChatAnswer>): void {
    switch (result.kind) {
        case 'answered':
        case 'refused':
            if (result.answer === null) reservation.cancel();
            else reservation.settle(result.answer.usage, result.answer.cost);
            return;
        case 'failed':
            // Turned down, or never sent.
            if (result.failure.reason === 'refused' || result.endpoint === null) reservation.cancel();
            else reservation.forfeit();
            return;
        case 'aborted':
            reservation.forfeit();
            return;
        default:
            unreachable(result, 'result of a chat call');
    }
}

/** What one exchange with an endpoint came to. */
type Exchange<T> =
    | ChatResult<T>
    /** The endpoint did not take the request. */
    | { readonly kind: 'turned-away'; readonly failure: Failure };

/** What an exchange tells of a request that brought no answer. */
interface TurnedDown {
    readonly status: number | null;
    readonly body: Buffer | null;
    /** Milliseconds. */
    readonly took: number;
    readonly wait?: number | null;
}

function readAnswer<T extends object>(
    lease: Lease,
    answer: Extract<HttpAnswer, { readonly kind: 'answer' }>,
    { read, used }: Pick<ServiceRequest<T>, 'read' | 'used'>,
): Exchange<T> {
    const value = read(answer.body);
    if (!isBroken(value)) {
        lease.report('ok', answer.took);
        const tokens = used?.(value) ?? null;
        if (tokens !== null) lease.settle(tokens);
        return { kind: 'answered', answer: value, endpoint: lease.endpoint, took: answer.took / 1000 };
    }
    // Some services send an error with status 200.
    const { code } = classifyChatError(answer.status, answer.body, value.broken);
    if (code !== null) return turnDown(lease, answer, value.broken);
    lease.report('broken', answer.took, null, value.broken);
    return failedAt(lease, value.broken, answer.status);
}

const isBroken = (value: object): value is { readonly broken: string } =>
    'broken' in value && typeof value.broken === 'string';

/** Sorts out a request that brought no answer, and tells the pool. */
function turnDown(lease: Lease, answer: TurnedDown, said: string): Exchange<never> {
    const { status, took, wait = null } = answer;
    const error = classifyChatError(status, answer.body, said);
    const { message } = error;
    lease.report(OUTCOMES[error.class], took, wait, message);
    const { endpoint } = lease;
    switch (error.class) {
        case 'rate':
        case 'overload':
        case 'quota':
        case 'auth':
            return { kind: 'turned-away', failure: endpointFailure(lease, message, status) };
        case 'broken':
            return failedAt(lease, message, status);
        case 'bad-request':
            return refusedAt(lease, message, status ?? 400);
        case 'content':
            return {
                kind: 'refused',
                by: 'filter',
                reason: message,
                answer: null,
                endpoint,
                took: took / 1000,
            };
        default:
            return unreachable(error.class, 'class of chat error');
    }
}

/** What each class says about the endpoint. */
const OUTCOMES: Readonly<Record<ChatErrorClass, Exclude<OutcomeClass, 'abandoned'>>> = {
    rate: 'rate',
    overload: 'overload',
    broken: 'broken',
    quota: 'refused',
    auth: 'refused',
    content: 'ok',
    'bad-request': 'bad-request',
};

const endpointFailure = (lease: Lease, message: string, status: number | null): Failure => ({
    reason: 'endpoint',
    message,
    endpoint: lease.endpoint,
    ...(status === null ? {} : { status }),
});

const refusedAt = ({ endpoint }: Lease, message: string, status: number): Exchange<never> => ({
    kind: 'failed',
    failure: { reason: 'refused', message, endpoint, status },
    endpoint,
});

const failedAt = (lease: Lease, message: string, status: number | null): Exchange<never> => ({
    kind: 'failed',
    failure: endpointFailure(lease, message, status),
    endpoint: lease.endpoint,
});

/** Asks for the list of models: nearly every service has one, and it costs nothing. One without it is well too. */
async function probe(ask: Ask): Promise<ProbeOutcome> {
    const answer = await ask({
        method: 'GET',
        path: '/models',
        timeout: PROBE_ANSWER,
        maxAnswer: MAX_ANSWER,
    });
    switch (answer.kind) {
        case 'aborted':
            return { outcome: 'abandoned', wait: null, message: 'stopped' };
        case 'answer':
            return { outcome: 'ok', wait: null, message: '' };
        case 'failure': {
            const { status, wait } = answer;
            const isUnknownCall = status === 404 || status === 405 || status === 400;
            if (isUnknownCall) return { outcome: 'ok', wait: null, message: '' };
            const error = classifyChatError(status, answer.body, answer.message);
            return { outcome: OUTCOMES[error.class], wait, message: error.message };
        }
        default:
            return unreachable(answer, 'answer');
    }
}
