import type { HttpAnswer, Piece } from '../../endpoint/http-messages.js';
import type { OutcomeClass } from '../../endpoint/outcome-class.js';
import type { Lease, ProbeOutcome } from '../../endpoint/pool.js';
import type { Failure } from '../../model/failure.js';
import type { JsonObject } from '../../model/json.js';
import { unreachable } from '../../util/unreachable.js';
import type { EndpointOptions } from '../descriptor.js';
import type { Ask } from '../servers/fleet.js';
import { type ChatErrorClass, classifyChatError, type ErrorAnswer } from './chat-error.js';

/*
 * One request to a service and its result: classified for the caller and reported to the pool.
 */

/** Most bytes of an answer that are read. */
export const MAX_ANSWER = 64 * 1024 * 1024;
/** Timeout of a probe in seconds. */
const PROBE_ANSWER = 30;

/** The result of one request. */
export type ChatResult<T> =
    | { readonly kind: 'answered'; readonly answer: T; readonly endpoint: string; readonly took: number }
    /** The model or the service's filter declined: a verdict about the task. `answer` is present if the model itself declined. */
    | {
          readonly kind: 'refused';
          readonly by: 'model' | 'filter';
          readonly reason: string | null;
          readonly answer: T | null;
          readonly endpoint: string;
          readonly took: number;
      }
    /**
     * No usable answer. `isRetryable` of model/failure.ts tells whether to try again. `endpoint` is null if none was available.
     */
    | { readonly kind: 'failed'; readonly failure: Failure; readonly endpoint: string | null }
    /** `isUnsent`: no request was in flight. */
    | { readonly kind: 'aborted'; readonly isUnsent?: true };

/** What is wrong with an answer of status 2xx; `error` is the error that the service sent instead, if any. */
export interface BrokenAnswer {
    readonly broken: string;
    readonly error?: Buffer;
}

/** A request to the service other than a chat completion. */
export interface ServiceRequest<T> {
    /** Relative to the endpoint's base URL; begins with `/`. */
    readonly path: string;
    /** Only endpoints that serve this model; absent: any. */
    readonly model?: string;
    /** Estimated tokens that it may use, which per-minute limits reserve. Absent: 0. */
    readonly tokens?: number;
    /** The body to send, which may depend on the endpoint. */
    readonly body: JsonObject | ((endpoint: EndpointOptions) => JsonObject);
    /** Tokens that an answer used; null: not reported. */
    readonly used?: ((answer: T) => number | null) | undefined;
    /** Reads an answer of status 2xx, or says what is wrong with it. */
    readonly read: (body: Buffer, pieces: readonly Piece[]) => T | BrokenAnswer;
    /** The reason for the failure if the service does not offer this call (404, 405) although its other calls work. */
    readonly missing?: string;
}

/** The result of one exchange with an endpoint. */
export type Exchange<T> =
    | ChatResult<T>
    /** The endpoint did not accept the request. */
    | { readonly kind: 'turned-away'; readonly failure: Failure };

/** Describes a request that brought no answer. */
interface UnsuccessfulAnswer extends ErrorAnswer {
    /** Milliseconds. */
    readonly took: number;
    readonly wait?: number | null;
}

export function readAnswer<T extends object>(
    lease: Lease,
    answer: Extract<HttpAnswer, { readonly kind: 'answer' }>,
    { read, used }: Pick<ServiceRequest<T>, 'read' | 'used'>,
    provider?: string,
): Exchange<T> {
    const value = read(answer.body, answer.pieces);
    if (!isBroken(value)) {
        lease.report('ok', answer.took, answer.hold);
        const tokens = used?.(value) ?? null;
        if (tokens !== null) lease.settle(tokens);
        return { kind: 'answered', answer: value, endpoint: lease.endpoint, took: answer.took / 1000 };
    }
    // Some services send an error with status 200.
    const body = value.error ?? answer.body;
    const error = { ...answer, body, provider };
    const { code } = classifyChatError(error, value.broken);
    if (code !== null) return reportUnsuccessful(lease, error, value.broken);
    lease.report('broken', answer.took, null, value.broken);
    return failedAt(lease, value.broken, answer.status);
}

const isBroken = (value: object): value is BrokenAnswer =>
    'broken' in value && typeof value.broken === 'string';

/** Classifies a request that brought no answer, and reports it to the pool. */
export function reportUnsuccessful(lease: Lease, answer: UnsuccessfulAnswer, said: string): Exchange<never> {
    const { status, took } = answer;
    const error = classifyChatError(answer, said);
    const { message } = error;
    const wait = error.wait ?? answer.wait ?? null;
    lease.report(OUTCOMES[error.class], took, wait, message);
    const { endpoint } = lease;
    switch (error.class) {
        case 'rate':
        case 'overload':
        case 'quota':
        case 'auth':
        case 'unknown-model':
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

/** What each error class means for the endpoint. */
const OUTCOMES: Readonly<Record<ChatErrorClass, Exclude<OutcomeClass, 'abandoned'>>> = {
    rate: 'rate',
    overload: 'overload',
    broken: 'broken',
    quota: 'refused',
    auth: 'refused',
    'unknown-model': 'unknown-model',
    content: 'ok',
    'bad-request': 'bad-request',
};

const endpointFailure = (lease: Lease, message: string, status: number | null): Failure => ({
    reason: 'endpoint',
    message,
    endpoint: lease.endpoint,
    ...(status === null ? {} : { status }),
});

export const refusedAt = ({ endpoint }: Lease, message: string, status: number): Exchange<never> => ({
    kind: 'failed',
    failure: { reason: 'refused', message, endpoint, status },
    endpoint,
});

const failedAt = (lease: Lease, message: string, status: number | null): Exchange<never> => ({
    kind: 'failed',
    failure: endpointFailure(lease, message, status),
    endpoint: lease.endpoint,
});

/** Requests the list of models: nearly every service has one, and it is free. A service without one is healthy too. */
export async function probe(ask: Ask): Promise<ProbeOutcome> {
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
            const error = classifyChatError(answer, answer.message);
            return { outcome: OUTCOMES[error.class], wait, message: error.message };
        }
        default:
            return unreachable(answer, 'answer');
    }
}
