import type { HttpAnswer } from '../../endpoint/http.js';
import type { OutcomeClass } from '../../endpoint/outcome-class.js';
import { type Lease, NoEndpointError, type PoolHooks, type ProbeOutcome } from '../../endpoint/pool.js';
import type { Failure } from '../../model/failure.js';
import type { JsonObject } from '../../model/json.js';
import { type Scorer, scoreAnswer, scorerText } from '../../model/scorer.js';
import type { Outcome, Task } from '../../model/task.js';
import { unreachable } from '../../util/unreachable.js';
import { UserError } from '../../util/user-error.js';
import type { ExecutorContext } from '../executor.js';
import { type Ask, Fleet } from '../servers/fleet.js';
import type { ServerExecutor } from '../servers/server-executor.js';
import { type ChatErrorClass, classifyChatError } from './chat-error.js';
import type { ChatDescriptor } from './chat-kind.js';
import { type ChatAnswer, type ChatMessage, chatBody, readChatAnswer } from './chat-protocol.js';
import { fillForTask, messagesOf } from './prompt.js';

/** Requests at once to an endpoint that names no number. The adaptive limit halves it where a service asks for less. */
const DEFAULT_CONCURRENCY = 8;
/** Bytes of an answer that are read. */
const MAX_ANSWER = 64 * 1024 * 1024;
/** Seconds that a probe's answer gets. */
const PROBE_ANSWER = 30;
/** Requests of one attempt that an endpoint turned away unheard: asking for fewer is not an answer to the task. */
const TURNED_AWAY = 50;

/**
 * Asks language models over one pool of endpoints. An attempt is one request that was answered or failed; requests that
 * were turned away (429, 503, a key without credit) are made again, elsewhere or later, as part of the same attempt.
 * @throws UserError when a key cannot be read
 */
export function createChat(descriptor: ChatDescriptor, hooks: PoolHooks = {}): ServerExecutor {
    const fleet = new Fleet(descriptor.servers, DEFAULT_CONCURRENCY, probe, hooks);
    const chat = new Chat(descriptor, fleet);
    return {
        run: (task, context) => chat.run(task, context),
        endpoints: () => fleet.pool.states(),
        concurrency: () => fleet.pool.concurrency,
        close: () => fleet.close(),
    };
}

/** What one request came to, for the attempt. */
type Exchange =
    | { readonly kind: 'ended'; readonly outcome: Outcome }
    /** The endpoint did not take it. */
    | { readonly kind: 'turned-away'; readonly failure: Failure };

class Chat {
    constructor(
        private readonly descriptor: ChatDescriptor,
        private readonly fleet: Fleet,
    ) {}

    async run(task: Task, { signal, log }: ExecutorContext): Promise<Outcome> {
        const { promptTemplate, system, scoring } = this.descriptor;
        const prompt = fillForTask(promptTemplate, task);
        if (prompt.kind === 'missing') return missingField(prompt.field, '--prompt-template');
        // Before anything is paid for.
        const expected = scoring === null ? null : fillForTask(scoring.expected, task);
        if (expected?.kind === 'missing') return missingField(expected.field, '--expected');
        const problem =
            scoring === null || expected === null ? null : problemOf(scoring.scorer, expected.text);
        if (problem !== null) {
            return { kind: 'failure', failure: { reason: 'judge-error', message: problem }, by: null };
        }
        const messages = messagesOf(prompt.text, system);
        for (let turned = 1; ; turned += 1) {
            const lease = await this.#acquire(signal);
            if ('kind' in lease) return lease;
            const exchange = await this.#ask(lease, messages, signal);
            lease.release();
            if (exchange.kind === 'ended') return this.#scored(exchange.outcome, expected?.text ?? null);
            const { failure } = exchange;
            if (turned >= TURNED_AWAY) return { kind: 'failure', failure, by: { api_used: lease.endpoint } };
            log(`${lease.endpoint}: ${failure.message}; asking again`);
        }
    }

    /** An answer with its score. One that cannot be scored (a pattern that takes too long) is kept, since it was paid for. */
    #scored(outcome: Outcome, expected: string | null): Outcome {
        const { scoring } = this.descriptor;
        if (scoring === null || expected === null || outcome.kind !== 'verdict') return outcome;
        const result: JsonObject = { ...(outcome.result as JsonObject) };
        const { answer } = result;
        if (outcome.verdict !== 'Accepted' || typeof answer !== 'string') return outcome;
        const scored = scoreOrProblem(scoring.scorer, answer, expected);
        const accepted = scored.score === 1;
        const verdict = accepted ? 'Accepted' : 'WrongAnswer';
        const scorer = scorerText(scoring.scorer);
        return { ...outcome, verdict, result: { ...result, accepted, verdict, scorer, expected, ...scored } };
    }

    async #acquire(signal: AbortSignal): Promise<Lease | Outcome> {
        try {
            return await this.fleet.pool.acquire(signal);
        } catch (error) {
            if (signal.aborted) return { kind: 'abort' };
            if (!(error instanceof NoEndpointError)) throw error;
            const failure: Failure = { reason: 'endpoint', message: error.message, endpoint: '' };
            return { kind: 'failure', failure, by: null };
        }
    }

    async #ask(lease: Lease, messages: readonly ChatMessage[], signal: AbortSignal): Promise<Exchange> {
        try {
            await lease.turn(signal);
        } catch {
            return { kind: 'ended', outcome: { kind: 'abort' } };
        }
        const request = {
            method: 'POST',
            path: '/chat/completions',
            body: JSON.stringify(chatBody(this.descriptor.sampling, messages)),
            timeout: this.descriptor.timeout,
            maxAnswer: MAX_ANSWER,
        } as const;
        const answer = await this.fleet.send(lease.endpoint, request, signal);
        switch (answer.kind) {
            case 'aborted':
                lease.report('abandoned', 0);
                return { kind: 'ended', outcome: { kind: 'abort' } };
            case 'failure':
                return this.#failed(lease, answer);
            case 'answer': {
                const read = readChatAnswer(answer.body);
                if ('broken' in read) {
                    // Some services send an error with status 200.
                    const error = classifyChatError(answer.status, answer.body, read.broken);
                    if (error.code !== null)
                        return this.#turnedDown(lease, error.class, error.message, answer);
                    lease.report('broken', answer.took, null, read.broken);
                    return failedAt(lease, read.broken, answer.status);
                }
                lease.report('ok', answer.took);
                return {
                    kind: 'ended',
                    outcome: outcomeOf(read, this.descriptor.sampling.model, lease.endpoint),
                };
            }
            default:
                return unreachable(answer, 'answer');
        }
    }

    #failed(lease: Lease, answer: Extract<HttpAnswer, { readonly kind: 'failure' }>): Exchange {
        const error = classifyChatError(answer.status, answer.body, answer.message);
        return this.#turnedDown(lease, error.class, error.message, answer);
    }

    #turnedDown(
        lease: Lease,
        kind: ChatErrorClass,
        message: string,
        answer: { readonly status: number | null; readonly took: number; readonly wait?: number | null },
    ): Exchange {
        lease.report(OUTCOMES[kind], answer.took, answer.wait ?? null, message);
        const { status } = answer;
        switch (kind) {
            case 'rate':
            case 'overload':
            case 'quota':
            case 'auth': {
                const failure = endpointFailure(lease, message, status);
                return { kind: 'turned-away', failure };
            }
            case 'broken':
                return failedAt(lease, message, status);
            case 'bad-request': {
                const failure: Failure = {
                    reason: 'refused',
                    message,
                    endpoint: lease.endpoint,
                    status: status ?? 400,
                };
                return ended({ kind: 'failure', failure, by: { api_used: lease.endpoint } });
            }
            case 'content': {
                const result: JsonObject = {
                    accepted: false,
                    verdict: 'Refused',
                    answer: null,
                    model: this.descriptor.sampling.model,
                    refused_by: 'filter',
                    refusal: message,
                };
                return ended({
                    kind: 'verdict',
                    verdict: 'Refused',
                    result,
                    suspect: null,
                    by: { api_used: lease.endpoint },
                });
            }
            default:
                return unreachable(kind, 'class of chat error');
        }
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

/** Why answers cannot be compared with this; null if they can. */
const problemOf = (scorer: Scorer, expected: string): string | null =>
    scoreOrProblem(scorer, '', expected).score_problem ?? null;

function scoreOrProblem(
    scorer: Scorer,
    answer: string,
    expected: string,
): { readonly score: number | null; readonly score_problem?: string } {
    try {
        return { score: scoreAnswer(scorer, answer, expected) };
    } catch (error) {
        if (!(error instanceof UserError)) throw error;
        return { score: null, score_problem: error.message };
    }
}

const missingField = (field: string, option: string): Outcome => ({
    kind: 'failure',
    failure: { reason: 'not-started', message: `the row has no field for {${field}} of ${option}` },
    by: null,
});

const ended = (outcome: Outcome): Exchange => ({ kind: 'ended', outcome });

const endpointFailure = (lease: Lease, message: string, status: number | null): Failure => ({
    reason: 'endpoint',
    message,
    endpoint: lease.endpoint,
    ...(status === null ? {} : { status }),
});

const failedAt = (lease: Lease, message: string, status: number | null): Exchange =>
    ended({
        kind: 'failure',
        failure: endpointFailure(lease, message, status),
        by: { api_used: lease.endpoint },
    });

/** Accepted with the answer, or Refused where the model or its filter declined. */
function outcomeOf(answer: ChatAnswer, model: string, endpoint: string): Outcome {
    const { usage } = answer;
    const isFiltered = answer.finishReason === 'content_filter';
    const isRefused = isFiltered || (answer.refusal !== null && answer.content === null);
    const verdict = isRefused ? 'Refused' : 'Accepted';
    const result: JsonObject = {
        accepted: !isRefused,
        verdict,
        answer: answer.content,
        model,
        deployment: answer.model,
        finish_reason: answer.finishReason,
        prompt_tokens: usage.prompt,
        cached_tokens: usage.cached,
        completion_tokens: usage.completion,
        reasoning_tokens: usage.reasoning,
        completion_id: answer.id,
        ...(answer.reasoning === null ? {} : { reasoning: answer.reasoning }),
        ...(isRefused ? { refused_by: isFiltered ? 'filter' : 'model', refusal: answer.refusal } : {}),
    };
    return { kind: 'verdict', verdict, result, suspect: null, by: { api_used: endpoint } };
}

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
