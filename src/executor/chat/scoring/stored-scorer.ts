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

/** A scorer for answers that are stored already. */
export interface StoredScorer {
    readonly scorer: AnswerScorer;
    readonly scoring: ScoringDescriptor;
    /** Answers that are worth scoring at once. */
    readonly concurrency: number;
    readonly notices: readonly string[];
    /** Somebody wants so many answers scored at once. */
    widenTo(concurrency: number): void;
    close(): Promise<void>;
}

/** Answers that a module, or a comparison, is given at once. */
const QUICK_CONCURRENCY = 16;

/**
 * Opens the scorer of a configuration without the model under test: only a model that judges needs an endpoint and a key.
 * @param hooks of the pool that a model judges by
 * @throws UserError where none is configured, or it cannot work here
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
    // Made only where a model judges; other scorers ask nothing, and need no key.
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

/** The client of a model that judges, with a local server where the run asked that of a demonstration. */
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
