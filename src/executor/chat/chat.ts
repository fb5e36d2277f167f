import type { PoolHooks } from '../../endpoint/pool.js';
import type { JsonObject } from '../../model/json.js';
import { type Scorer, scoreAnswer, scorerText } from '../../model/scorer.js';
import type { Outcome, Task } from '../../model/task.js';
import { unreachable } from '../../util/unreachable.js';
import { UserError } from '../../util/user-error.js';
import type { Executor, ExecutorContext } from '../executor.js';
import type { ServerExecutor } from '../servers/server-executor.js';
import { isBounded } from './budget.js';
import { ChatClient, type ChatResult } from './chat-client.js';
import type { ChatDescriptor } from './chat-kind.js';
import { acquireByMessage } from './places.js';
import type { PricedChatAnswer } from './chat-protocol.js';
import { type ConversationEnd, Conversations } from './conversation.js';
import { fillForTask } from './prompt.js';
import { callForTask } from './task-call.js';
import { usageFields } from './usage.js';
import { SEARCH_STEP, type Search, savedSearch, searchRequest, searchText } from './web-search.js';

/**
 * Asks language models, one completion a task.
 * @throws UserError when a key cannot be read
 */
export function createChat(descriptor: ChatDescriptor, hooks: PoolHooks = {}): ServerExecutor {
    const client = new ChatClient(descriptor, hooks);
    const asker = askerOf(client, descriptor);
    return {
        run: (task, context) => ask(asker, descriptor, task, context),
        endpoints: () => client.endpoints(),
        concurrency: () => client.concurrency(),
        close: () => client.close(),
        // A budget is one for the whole run: its requests are made here, whatever the mode.
        ...(isBounded(descriptor.budget) ? {} : { desk: client.desk() }),
    };
}

/** The same in a worker: places at endpoints come from the main process. @throws UserError when a key cannot be read */
export function createChatInWorker(descriptor: ChatDescriptor): Executor {
    const client = new ChatClient({ ...descriptor, acquire: acquireByMessage });
    const asker = askerOf(client, descriptor);
    return {
        run: (task, context) => ask(asker, descriptor, task, context),
        close: () => client.close(),
    };
}

interface Asker {
    readonly client: ChatClient;
    /** Null where no tools are offered: a task is one completion. */
    readonly conversations: Conversations | null;
}

function askerOf(client: ChatClient, { tools }: ChatDescriptor): Asker {
    return { client, conversations: tools === null ? null : new Conversations(client, tools) };
}

async function ask(
    { client, conversations }: Asker,
    descriptor: ChatDescriptor,
    task: Task,
    context: ExecutorContext,
): Promise<Outcome> {
    const { scoring } = descriptor;
    const first = callForTask(descriptor, task);
    if (first.kind === 'missing') return missingField(first.field, first.option);
    // Before anything is paid for.
    const expected = scoring === null ? null : fillForTask(scoring.expected, task);
    if (expected?.kind === 'missing') return missingField(expected.field, '--expected');
    const problem = scoring === null || expected === null ? null : problemOf(scoring.scorer, expected.text);
    if (problem !== null) {
        return { kind: 'failure', failure: { reason: 'judge-error', message: problem }, by: null };
    }
    const found = await searchFirst(client, descriptor, task, { model: first.call.sampling.model, context });
    if (found !== null && 'kind' in found) return found;
    const second = found === null ? first : callForTask(descriptor, task, searchText(found));
    if (second.kind === 'missing') return missingField(second.field, second.option);
    const { model } = second.call.sampling;
    const ended =
        conversations === null
            ? outcomeOf(await client.complete(second.call, context), model)
            : conversationOutcome(await conversations.hold(second.call, task, context), model);
    const outcome = withSearch(ended, found);
    return scoring === null || expected === null ? outcome : score(outcome, scoring.scorer, expected.text);
}

/**
 * The search of a task, which is on disk before its completion is asked for: no later attempt searches again.
 * @returns null where the task has none; how the task ended, where no results came
 */
async function searchFirst(
    client: ChatClient,
    { search }: ChatDescriptor,
    task: Task,
    { model, context }: { readonly model: string; readonly context: ExecutorContext },
): Promise<Search | Outcome | null> {
    if (search === null) return null;
    const query = fillForTask(search.query, task);
    if (query.kind === 'missing') return missingField(query.field, '--search-query');
    const saved = savedSearch(task.steps, query.text);
    if (saved !== null) return saved;
    // Under the limits of the completion that follows: a limit given for a service is one for both.
    const result = await client.request({ ...searchRequest(query.text, search), model }, context);
    if (result.kind !== 'answered')
        return outcomeOf(result.kind === 'refused' ? { ...result, answer: null } : result, model);
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

/** The outcome of the last request, with what all requests used and the messages. A model that does not come to an end is wrong. */
function conversationOutcome(end: ConversationEnd, model: string): Outcome {
    const outcome = outcomeOf(end.last, model);
    if (outcome.kind !== 'verdict') return outcome;
    const verdict = end.isUnfinished ? 'WrongAnswer' : outcome.verdict;
    const result: JsonObject = {
        ...(outcome.result as JsonObject),
        ...usageFields(model, end.answers),
        accepted: verdict === 'Accepted',
        verdict,
        ...end.fields,
    };
    return { ...outcome, verdict, result };
}

/** Accepted with the answer, or Refused where the model or its filter declined. */
function outcomeOf(result: ChatResult<PricedChatAnswer>, model: string): Outcome {
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
            const verdict = isRefused ? 'Refused' : 'Accepted';
            const fields: JsonObject = {
                accepted: !isRefused,
                verdict,
                answer: answer?.content ?? null,
                ...usageFields(model, answer === null ? [] : [answer]),
                finish_reason: answer?.finishReason ?? null,
                completion_id: answer?.id ?? null,
                ...(answer === null || answer.reasoning === null ? {} : { reasoning: answer.reasoning }),
                ...(isRefused ? { refused_by: result.by, refusal: result.reason } : {}),
            };
            return { kind: 'verdict', verdict, result: fields, suspect: null, by: { api_used: endpoint } };
        }
        default:
            return unreachable(result, 'result of a chat call');
    }
}

/** An answer with its score. One that cannot be scored (a pattern that takes too long) is kept, since it was paid for. */
function score(outcome: Outcome, scorer: Scorer, expected: string): Outcome {
    if (outcome.kind !== 'verdict' || outcome.verdict !== 'Accepted') return outcome;
    const result: JsonObject = { ...(outcome.result as JsonObject) };
    const { answer } = result;
    if (typeof answer !== 'string') return outcome;
    const scored = scoreOrProblem(scorer, answer, expected);
    const accepted = scored.score === 1;
    const verdict = accepted ? 'Accepted' : 'WrongAnswer';
    const by = { scorer: scorerText(scorer), expected };
    return { ...outcome, verdict, result: { ...result, accepted, verdict, ...by, ...scored } };
}

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
