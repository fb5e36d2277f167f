import type { Task } from '../../model/task.js';
import type { ModelEstimate, WorkEstimate } from '../../model/work-estimate.js';
import { TYPICAL_ANSWER_TOKENS } from './chat-client.js';
import type { ChatDescriptor } from './chat-kind.js';
import { UserError } from '../../util/user-error.js';
import { estimateTokens } from './chat-protocol.js';
import { computeCost, findSearchPrice } from './prices.js';
import { ANSWER_STEP } from './scoring/scoring.js';
import { callForTask } from './task-call.js';
import { SEARCH_STEP } from './web-search.js';

/**
 * Adds up the requests of tasks: one completion each, plus a search and a judge model's completion where they are used. What an
 * earlier attempt has saved is not requested again. Tasks whose row lacks a field of the prompt fail without a request.
 */
export async function estimateWork(
    descriptor: ChatDescriptor,
    tasks: AsyncIterable<Task>,
): Promise<WorkEstimate> {
    const { search, sampling, scoring } = descriptor;
    const answerTokens = sampling.maxTokens ?? TYPICAL_ANSWER_TOKENS;
    const sums = new Map<string, EstimateSum>();
    const add = async (model: string, prompt: number, completion: number): Promise<void> => {
        const sum = sums.get(model) ?? new EstimateSum(model);
        sums.set(model, sum);
        sum.add(prompt, completion, await estimateCost(descriptor, { model, prompt, completion }));
    };
    const judge = scoring?.scorer.kind === 'model' ? scoring.scorer.model : null;
    let searches = 0;
    for await (const task of tasks) {
        const first = callForTask(descriptor, task);
        if (first.kind === 'missing') continue;
        const { call } = first;
        const prompt = estimateTokens({ ...call, sampling: { ...call.sampling, maxTokens: null } });
        if (task.steps?.[ANSWER_STEP] === undefined) {
            if (search !== null && task.steps?.[SEARCH_STEP] === undefined) searches += 1;
            await add(call.sampling.model, prompt, answerTokens);
        }
        // The judge model reads the question and the answer, and its own answer is not bounded.
        if (judge !== null) await add(judge, prompt + answerTokens, TYPICAL_ANSWER_TOKENS);
    }
    const models = [...sums.values()].map((sum) => sum.value());
    const found =
        search === null || searches === 0 ? null : estimateSearches(descriptor, search.engine, searches);
    const costs = [...models.map(({ cost }) => cost), ...(found === null ? [] : [found.cost])];
    const total = (pick: (one: ModelEstimate) => number): number =>
        models.reduce((sum, one) => sum + pick(one), 0);
    return {
        requests: searches + total((one) => one.requests),
        promptTokens: total((one) => one.promptTokens),
        answerTokens: total((one) => one.answerTokens),
        cost: costs.includes(null) ? null : costs.reduce<number>((sum, cost) => sum + (cost ?? 0), 0),
        assumedAnswer: sampling.maxTokens === null ? TYPICAL_ANSWER_TOKENS : null,
        models,
        ...(found === null ? {} : { searches: found }),
    };
}

function estimateSearches(
    { prices }: ChatDescriptor,
    engine: string,
    count: number,
): NonNullable<WorkEstimate['searches']> {
    const price = findSearchPrice(prices, engine);
    return { count, engine, cost: price === null ? null : count * price.amount };
}

/** A budget in dollars cannot be enforced for a model without a price. @throws UserError before any request is made */
export async function checkPrices(
    priced: Pick<ChatDescriptor, 'servers' | 'prices'>,
    models: readonly string[],
): Promise<void> {
    for (const model of models) {
        if ((await estimateCost(priced, { model, prompt: 1, completion: 1 })) !== null) continue;
        throw new UserError(
            `--max-cost: the price of the model ${model} is unknown; set it in --prices, or limit the run with --max-tokens-total`,
        );
    }
}

/** Computed per request, since prices of some models rise with the length of the prompt. */
async function estimateCost(
    { servers, prices }: Pick<ChatDescriptor, 'servers' | 'prices'>,
    {
        model,
        prompt,
        completion,
    }: { readonly model: string; readonly prompt: number; readonly completion: number },
): Promise<number | null> {
    const serving = servers.endpoints.find(
        ({ deployments }) => deployments === undefined || Object.hasOwn(deployments, model),
    );
    const deployment = serving?.deployments?.[model] ?? null;
    const usage = { prompt, cached: null, completion, reasoning: null };
    const cost = await computeCost({ model, deployment, usage, url: serving?.url ?? '' }, prices);
    return cost?.amount ?? null;
}

class EstimateSum {
    #requests = 0;
    #promptTokens = 0;
    #answerTokens = 0;
    #cost: number | null = 0;

    constructor(private readonly model: string) {}

    add(prompt: number, answer: number, cost: number | null): void {
        this.#requests += 1;
        this.#promptTokens += prompt;
        this.#answerTokens += answer;
        this.#cost = this.#cost === null || cost === null ? null : this.#cost + cost;
    }

    value(): ModelEstimate {
        return {
            model: this.model,
            requests: this.#requests,
            promptTokens: this.#promptTokens,
            answerTokens: this.#answerTokens,
            cost: this.#cost,
        };
    }
}
