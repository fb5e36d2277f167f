import type { PoolHooks } from '../../endpoint/pool.js';
import type { Failure } from '../../model/failure.js';
import { isJsonObject, type JsonObject } from '../../model/json.js';
import { formatScorer } from '../../model/scorer.js';
import type { Outcome, Task, VerdictOutcome } from '../../model/task.js';
import { isVerdict } from '../../model/verdict.js';
import { unreachable } from '../../util/unreachable.js';
import type { Executor, ExecutorContext } from '../executor.js';
import type { ServerExecutor } from '../servers/server-executor.js';
import { isBounded } from './budget.js';
import { reserveByMessage } from './budget-desk.js';
import { ChatClient } from './chat-client.js';
import type { ChatResult } from './chat-exchange.js';
import type { ChatDescriptor } from './chat-kind.js';
import { acquireByMessage } from '../servers/places.js';
import { type Spent, SpendingLedger, reportSpending } from './spending.js';
import type { ChatCall, PricedChatAnswer } from './chat-protocol.js';
import { type ConversationEnd, Conversations } from './conversation.js';
import { fillForTask } from './prompt.js';
import { openScorer } from './scoring/open-scorer.js';
import {
    ANSWER_STEP,
    type AnswerScorer,
    answerIn,
    missingField,
    type ScoringDescriptor,
    withScore,
} from './scoring/scoring.js';
import { completeTraced, searchTraced } from './spans.js';
import { callForTask, questionFor } from './task-call.js';
import { buildUsageFields } from './usage.js';
import { SEARCH_STEP, type Search, readSavedSearch, searchRequest, searchText } from './web-search.js';

/**
 * Queries language models, one completion per task.
 * @throws UserError if a key cannot be read
 */
export function createChat(descriptor: ChatDescriptor, hooks: PoolHooks = {}): ServerExecutor {
    const ledger = new SpendingLedger();
    const onSpent = (spent: Spent): void => ledger.add(spent);
    const client = new ChatClient({ ...descriptor, onSpent, modelsVary: variesModels(descriptor) }, hooks);
    const asker = new Asker(client, descriptor);
    return {
        run: (task, context) => asker.run(task, context),
        spent: () => (client.charged === null ? ledger.sum : { ...ledger.sum, charged: client.charged }),
        endpoints: () => client.endpoints(),
        concurrency: () => client.concurrency(),
        widenTo: (concurrency) => client.widenTo(concurrency),
        prepare: (work) => client.prepare(work),
        close: () => asker.close(),
        desk: client.desk(onSpent),
    };
}

/** The same in a worker: places at endpoints come from the main process. @throws UserError if a key cannot be read */
export function createChatInWorker(descriptor: ChatDescriptor): Executor {
    // There is one budget for the whole run.
    const reserve = isBounded(descriptor.budget) ? reserveByMessage : undefined;
    const asked = { acquire: acquireByMessage, onSpent: reportSpending, budget: null, reserve };
    const client = new ChatClient({ ...descriptor, ...asked });
    const asker = new Asker(client, descriptor);
    return { run: (task, context) => asker.run(task, context), close: () => asker.close() };
}

/** Whether rows name the models, so that there may be several. */
const variesModels = ({ sampling }: ChatDescriptor): boolean => sampling.model.includes('{');

class Asker {
    readonly #client: ChatClient;
    readonly #descriptor: ChatDescriptor;
    /** Null if no tools are offered: a task is then one completion. */
    readonly #conversations: Conversations | null;
    /** Opened by the first task that needs it. */
    #scorer: Promise<AnswerScorer> | null = null;

    constructor(client: ChatClient, descriptor: ChatDescriptor) {
        this.#client = client;
        this.#descriptor = descriptor;
        const { tools } = descriptor;
        this.#conversations = tools === null ? null : new Conversations(client, tools);
    }

    async run(task: Task, context: ExecutorContext): Promise<Outcome> {
        const { scoring } = this.#descriptor;
        const first = callForTask(this.#descriptor, task);
        if (first.kind === 'missing') return withoutAnswer(missingField(first.field, first.option));
        if (scoring === null) return this.#ask(first.call, task, context);
        const scorer = await this.#openScorer(scoring);
        // Checked before anything is paid for.
        const problem = scorer.check(task);
        if (problem !== null) return withoutAnswer(problem);
        const saved = savedAnswer(task);
        const outcome = saved ?? (await this.#ask(first.call, task, context));
        if (outcome.kind !== 'verdict') return outcome;
        const keep = async (): Promise<void> => {
            if (saved === null) await context.saveStep?.(ANSWER_STEP, asStep(outcome));
        };
        return scoreOutcome(outcome, { scorer, scoring, keep }, task, context);
    }

    async #ask(first: ChatCall, task: Task, context: ExecutorContext): Promise<Outcome> {
        const client = this.#client;
        const asked = { model: first.sampling.model, context };
        const found = await searchFirst(client, this.#descriptor, task, asked);
        if (found !== null && 'kind' in found) return found;
        const second =
            found === null
                ? ({ kind: 'call', call: first } as const)
                : callForTask(this.#descriptor, task, searchText(found));
        if (second.kind === 'missing') return withoutAnswer(missingField(second.field, second.option));
        const { model } = second.call.sampling;
        const ended =
            this.#conversations === null
                ? toOutcome(await completeTraced(client, second.call, context), model)
                : conversationOutcome(await this.#conversations.hold(second.call, task, context), model);
        return withSearch(ended, found);
    }

    #openScorer(scoring: ScoringDescriptor): Promise<AnswerScorer> {
        const { timeout } = this.#descriptor;
        const buildQuestion = (task: Task): string => questionFor(this.#descriptor, task);
        this.#scorer ??= openScorer(scoring, {
            client: () => this.#client,
            questionOf: buildQuestion,
            timeout,
        });
        return this.#scorer;
    }

    async close(): Promise<void> {
        await (await this.#scorer?.catch(() => null))?.close();
        await this.#client.close();
    }
}

/**
 * An outcome with its score. If scoring takes long or fails, the answer is saved first, since it was paid for: the next attempt
 * only scores it.
 */
async function scoreOutcome(
    outcome: VerdictOutcome,
    {
        scorer,
        scoring,
        keep,
    }: {
        readonly scorer: AnswerScorer;
        readonly scoring: ScoringDescriptor;
        readonly keep: () => Promise<void>;
    },
    task: Task,
    context: ExecutorContext,
): Promise<Outcome> {
    const result = outcome.result as JsonObject;
    const answer = answerIn(result);
    if (answer === null) return outcome;
    if (!scorer.isQuick) await keep();
    const scored = await scorer.score(answer, task, context);
    switch (scored.kind) {
        case 'aborted':
            return { kind: 'abort' };
        case 'failed':
            if (scorer.isQuick) await keep();
            return { kind: 'failure', failure: scored.failure, by: outcome.by };
        case 'scored': {
            const { fingerprint } = scoring;
            return {
                ...outcome,
                ...withScore(result, scored, { text: formatScorer(scoring.scorer), fingerprint }),
            };
        }
        default:
            return unreachable(scored, 'score');
    }
}

const asStep = ({ verdict, result, by }: VerdictOutcome): JsonObject => ({
    verdict,
    result: result as JsonObject,
    api_used: by.api_used,
});

/** The answer that an earlier attempt received but could not score; null: there is none. */
function savedAnswer(task: Task): VerdictOutcome | null {
    const step = task.steps?.[ANSWER_STEP];
    if (!isJsonObject(step)) return null;
    const { verdict, result, api_used: endpoint } = step;
    if (!isVerdict(verdict) || !isJsonObject(result)) return null;
    const by = { api_used: typeof endpoint === 'string' ? endpoint : 'local' };
    return { kind: 'verdict', verdict, result, suspect: null, by };
}

/**
 * The search of a task. It is saved to disk before its completion is requested, so no later attempt searches again.
 * @returns null if the task has no search; the task's outcome if no results came
 */
async function searchFirst(
    client: ChatClient,
    { search }: ChatDescriptor,
    task: Task,
    { model, context }: { readonly model: string; readonly context: ExecutorContext },
): Promise<Search | Outcome | null> {
    if (search === null) return null;
    const query = fillForTask(search.query, task);
    if (query.kind === 'missing') return withoutAnswer(missingField(query.field, '--search-query'));
    const saved = readSavedSearch(task.steps, query.text);
    if (saved !== null) return saved;
    // Subject to the limits of the completion that follows: a limit of a service applies to both.
    const request = { ...searchRequest(query.text, search), model };
    const result = await searchTraced(client, request, context);
    if (result.kind !== 'answered')
        return toOutcome(result.kind === 'refused' ? { ...result, answer: null } : result, model);
    await context.saveStep?.(SEARCH_STEP, result.answer);
    return result.answer;
}

function withSearch(outcome: Outcome, search: Search | null): Outcome {
    if (search === null || outcome.kind !== 'verdict') return outcome;
    const result: JsonObject = {
        ...(outcome.result as JsonObject),
        search_results_count: search.results.length,
        search,
    };
    return { ...outcome, result };
}

/**
 * The outcome of the last request, with the usage of all requests and the messages. A conversation that does not end counts as
 * wrong.
 */
function conversationOutcome(end: ConversationEnd, model: string): Outcome {
    const outcome = toOutcome(end.last, model);
    if (outcome.kind !== 'verdict') return outcome;
    const verdict = end.isUnfinished ? 'WrongAnswer' : outcome.verdict;
    const result: JsonObject = {
        ...(outcome.result as JsonObject),
        ...buildUsageFields(model, end.answers),
        accepted: verdict === 'Accepted',
        verdict,
        ...end.fields,
    };
    return { ...outcome, verdict, result };
}

/**
 * Accepted with the answer, or Refused if the model or its filter declined. An answer without text counts as wrong: only
 * reasoning, which used up the tokens, or calls of tools that were not offered.
 */
function toOutcome(result: ChatResult<PricedChatAnswer>, model: string): Outcome {
    switch (result.kind) {
        case 'aborted':
            return { kind: 'abort' };
        case 'failed': {
            const { failure, endpoint } = result;
            return { kind: 'failure', failure, by: endpoint === null ? null : { api_used: endpoint } };
        }
        case 'answered':
        case 'refused': {
            const { answer, endpoint } = result;
            const isRefused = result.kind === 'refused';
            const isSilent = (answer?.content ?? '').trim() === '';
            const verdict = isRefused ? 'Refused' : isSilent ? 'WrongAnswer' : 'Accepted';
            const fields: JsonObject = {
                accepted: verdict === 'Accepted',
                verdict,
                answer: answer?.content ?? null,
                ...buildUsageFields(model, answer === null ? [] : [answer]),
                finish_reason: answer?.finishReason ?? null,
                completion_id: answer?.id ?? null,
                ...(answer?.firstToken === undefined ? {} : { time_to_first_token: answer.firstToken }),
                ...(answer === null || answer.reasoning === null ? {} : { reasoning: answer.reasoning }),
                ...(isRefused ? { refused_by: result.by, refusal: result.reason } : {}),
            };
            return { kind: 'verdict', verdict, result: fields, suspect: null, by: { api_used: endpoint } };
        }
        default:
            return unreachable(result, 'result of a chat call');
    }
}

const withoutAnswer = (failure: Failure): Outcome => ({ kind: 'failure', failure, by: null });
