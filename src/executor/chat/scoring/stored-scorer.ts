import { availableParallelism } from 'node:os';
import type { PoolHooks } from '../../../endpoint/pool.js';
import { UserError } from '../../../util/user-error.js';
import type { PlanContext } from '../../executor-kind.js';
import { ChatClient } from '../chat-client.js';
import { planEndpoints } from '../chat-endpoints.js';
import type { ChatConfig } from '../chat-kind.js';
import { startDemoServers } from '../demo.js';
import { readPrices } from '../prices.js';
import { questionFor } from '../task-call.js';
import { openScorer } from './open-scorer.js';
import { planScoring } from './plan-scoring.js';
import type { AnswerScorer, ScoringDescriptor } from './scoring.js';

/** A scorer for stored answers. */
export interface StoredScorer {
    readonly scorer: AnswerScorer;
    readonly scoring: ScoringDescriptor;
    /** Useful number of answers to score at once. */
    readonly concurrency: number;
    readonly notices: readonly string[];
    /** Raises the limit to so many concurrent answers. */
    widenTo(concurrency: number): void;
    close(): Promise<void>;
}

/** Most answers scored at once by a module or by comparison. */
const QUICK_CONCURRENCY = 16;

/**
 * Opens the scorer of a configuration without the model under test: only a judge model needs an endpoint and a key.
 * @param hooks of the judge model's pool
 * @throws UserError if no scorer is configured, or it cannot work here
 */
export async function openStoredScorer(
    config: ChatConfig,
    context: PlanContext,
    hooks: PoolHooks = {},
): Promise<StoredScorer> {
    if (config.scoring === null)
        throw new UserError('score needs --scorer <how>, such as --scorer numeric: this run has none');
    const { scoring, notices } = await planScoring(config.scoring, context);
    const { scorer: how, judge } = scoring;
    // Only a judge model needs a client; other scorers make no requests and need no key.
    const judging = how.kind === 'model' ? await openJudge(config, how.model, context.timeout, hooks) : null;
    const client = judging?.client ?? null;
    const scorer = await openScorer(scoring, {
        client: () => {
            if (client === null) throw new Error('bug in resume-run: a scorer that asks without a client');
            return client;
        },
        questionOf: (task) => questionFor(config, task),
        timeout: context.timeout,
    });
    return {
        scorer,
        scoring,
        notices,
        concurrency: client?.concurrency() ?? (judge === null ? QUICK_CONCURRENCY : availableParallelism()),
        widenTo: (concurrency) => client?.widenTo(concurrency),
        close: async () => {
            await scorer.close();
            await judging?.close();
        },
    };
}

/** The client of a judge model, with a local server if the run used a demonstration endpoint. */
async function openJudge(
    config: ChatConfig,
    model: string,
    timeout: number,
    hooks: PoolHooks,
): Promise<{ readonly client: ChatClient; close(): Promise<void> }> {
    const planned = planEndpoints(config.service, [model]);
    const prices = config.prices === null ? null : readPrices(config.prices);
    if (config.budget.maxCost !== null) {
        const { checkPrices } = await import('../estimate-work.js');
        await checkPrices({ servers: planned, prices }, [model]);
    }
    const demo = await startDemoServers(planned);
    const servers = demo?.servers ?? planned;
    const client = new ChatClient({ servers, timeout, prices, budget: config.budget }, hooks);
    return {
        client,
        close: async () => {
            await client.close();
            await demo?.stop();
        },
    };
}
