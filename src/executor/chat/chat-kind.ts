import { dirname, relative, sep } from 'node:path';
import type { Values } from '../../config/option.js';
import { UserError } from '../../util/user-error.js';
import type { ServerOptions } from '../descriptor.js';
import type { MainExecutorKind, PlanContext } from '../executor-kind.js';
import { type BudgetOptions, isBounded } from './budget.js';
import type { RequestTimeouts } from './chat-client.js';
import type { ServiceConfig } from './chat-endpoints.js';
import { CHAT_OPTIONS } from './chat-options.js';
import { configureScoring } from './scoring/scoring-options.js';
import type { ScoringConfig, ScoringDescriptor } from './scoring/scoring.js';
import { configureService, chooseTimeouts } from './service-options.js';
import type { PriceTable } from './prices.js';
import type { SamplingOptions } from './chat-protocol.js';
import type { ConversationOptions } from './conversation.js';
import type { ToolModule } from './tool-simulator.js';
import type { SearchOptions } from './web-search.js';

/** Tools that a model may call, and the module that answers them. */
interface ToolConfig extends ToolModule {
    readonly maxTurns: number;
    /** Part of the fingerprints: the module's path relative to the folder that holds the results directory, and the export. */
    readonly identity: string;
}

export interface ChatConfig {
    readonly kind: 'chat';
    /** Null: no tools are offered. */
    readonly tools: ToolConfig | null;
    /** Null: answers are not scored. */
    readonly scoring: ScoringConfig | null;
    readonly sampling: SamplingOptions;
    readonly promptTemplate: string;
    readonly system: string | null;
    /** Null: no search. */
    readonly search: SearchOptions | null;
    readonly service: ServiceConfig;
    readonly timeouts: RequestTimeouts;
    readonly stream: boolean;
    /** Absolute path of a price file. */
    readonly prices: string | null;
    readonly budget: BudgetOptions;
}

export interface ChatDescriptor {
    readonly kind: 'chat';
    readonly tools: ConversationOptions | null;
    readonly scoring: ScoringDescriptor | null;
    readonly sampling: SamplingOptions;
    readonly promptTemplate: string;
    readonly system: string | null;
    readonly search: SearchOptions | null;
    readonly servers: ServerOptions;
    /** Seconds for one request, including its answer. */
    readonly timeout: number;
    readonly timeouts?: RequestTimeouts;
    /** Absent: false. */
    readonly stream?: boolean;
    /** The user's prices. */
    readonly prices: PriceTable | null;
    readonly budget: BudgetOptions;
}

/** Queries a language model through the chat completions API of OpenAI-compatible services. */
export const CHAT: MainExecutorKind<typeof CHAT_OPTIONS, ChatConfig, ChatDescriptor> = {
    name: 'chat',
    options: CHAT_OPTIONS,
    judges: false,
    usesEndpoints: true,
    leavesFiles: true,
    usualTimeout: 120,
    runsIn: 'main',
    configure(values, { dir }) {
        const { model } = values;
        if (model === null)
            throw new UserError('--executor chat needs --model <name>, such as --model gpt-4o-mini');
        return {
            kind: 'chat',
            sampling: chooseSampling(values, model),
            promptTemplate: values['prompt-template'],
            system: values.system,
            search: chooseSearch(values),
            tools: chooseTools(values, dir),
            scoring: configureScoring(values),
            service: configureService(values),
            timeouts: chooseTimeouts(values),
            stream: values.stream,
            prices: values.prices,
            budget: { maxCost: values['max-cost'], maxTokens: values['max-tokens-total'] },
        };
    },
    async checkFields({ sampling, system, promptTemplate, scoring, search }, lists) {
        const { checkTemplateFields } = await import('./prompt.js');
        if (search !== null) checkTemplateFields('--search-query', search.query, lists);
        checkTemplateFields('--model', sampling.model, lists);
        if (system !== null) checkTemplateFields('--system', system, lists);
        checkTemplateFields('--prompt-template', promptTemplate, lists);
        const { needsExpected } = await import('./scoring/plan-scoring.js');
        if (scoring !== null && needsExpected(scoring.scorer))
            checkTemplateFields('--expected', scoring.expected, lists);
    },
    async plan(config, context) {
        const { timeout, dir, holder } = context;
        const { kind, sampling, promptTemplate, system, search, tools } = config;
        const [{ describeDeployments, planEndpoints }, { readPrices }] = await Promise.all([
            import('./chat-endpoints.js'),
            import('./prices.js'),
        ]);
        const prices = config.prices === null ? null : readPrices(config.prices);
        const models = [...namedModels(sampling), ...judgingModels(config.scoring)];
        const servers = planEndpoints(config.service, models);
        const scoring = await planned(config.scoring, context);
        return {
            descriptor: {
                kind,
                sampling,
                promptTemplate,
                system,
                scoring: scoring?.scoring ?? null,
                search,
                tools: tools === null ? null : { ...tools, dir, holder },
                servers,
                timeout,
                timeouts: config.timeouts,
                stream: config.stream,
                prices,
                budget: config.budget,
            },
            identity: JSON.stringify([
                'chat',
                sampling,
                system,
                promptTemplate,
                ...(search === null ? [] : [search]),
                ...(tools === null ? [] : [await identifyTools(tools)]),
            ]),
            remarks: describeDeployments(servers, namedModels(sampling).length === 0 ? [] : models),
            notices: [...(scoring?.notices ?? []), ...(await listBudgetNotices(config, prices))],
        };
    },
    async preflight(descriptor) {
        const { budget, sampling, scoring } = descriptor;
        if (budget.maxCost !== null) {
            const { checkPrices } = await import('./estimate-work.js');
            await checkPrices(descriptor, [...namedModels(sampling), ...judgingModels(scoring)]);
        }
        if (scoring !== null) await (await import('./scoring/open-scorer.js')).checkScorer(scoring);
        return {};
    },
    isPaid: true,
    estimate: async (descriptor, tasks) =>
        (await import('./estimate-work.js')).estimateWork(descriptor, tasks),
    patience: () => null,
    async create(descriptor, hooks) {
        const [{ createChat }, { startDemo }] = await Promise.all([import('./chat.js'), import('./demo.js')]);
        return startDemo(descriptor, (started) => createChat(started, hooks));
    },
    createInWorker: async (descriptor) => (await import('./chat.js')).createChatInWorker(descriptor),
    hasLocalWorkers: true,
    describeForWorkers: async (descriptor) => (await import('./adopt-chat.js')).describeChat(descriptor),
    adopt: async (theirs, own) => (await import('./adopt-chat.js')).adoptChat(theirs, own),
    checkWorker: async (own) => (await import('./adopt-chat.js')).checkChatWorker(own),
};

function chooseTools(values: Values<typeof CHAT_OPTIONS>, dir: string): ToolConfig | null {
    const { 'tool-module': module, 'max-turns': maxTurns } = values;
    if (module === null) return null;
    const exportName = module.exportName ?? 'default';
    // Relative to the results, not to the working directory: a restart from elsewhere must give the same tasks.
    const path = relative(dirname(dir), module.file).split(sep).join('/');
    return { file: module.file, exportName, maxTurns, identity: `${path}#${exportName}` };
}

/** The properties of tools that affect answers: which tools are offered, who answers them, and how often. */
async function identifyTools(tools: ToolConfig): Promise<readonly unknown[]> {
    const { ToolSimulator } = await import('./tool-simulator.js');
    const { definitions } = await ToolSimulator.load(tools);
    return ['tools', tools.identity, tools.maxTurns, definitions];
}

function chooseSearch(values: Values<typeof CHAT_OPTIONS>): SearchOptions | null {
    if (!values['web-search']) return null;
    return {
        query: values['search-query'],
        engine: values['search-engine'],
        contentSize: values['search-content-size'],
        count: values['search-count'],
    };
}

/** Notices about spending that a budget cannot bound. */
async function listBudgetNotices(
    { budget, sampling, scoring, search }: ChatConfig,
    prices: PriceTable | null,
): Promise<readonly string[]> {
    if (!isBounded(budget)) return [];
    const notices: string[] = [];
    const isJudged = judgingModels(scoring).length > 0;
    const missing = [
        ...(sampling.maxTokens === null ? ['--max-tokens'] : []),
        ...(isJudged && scoring?.judgeMaxTokens === null ? ['--judge-max-tokens'] : []),
    ];
    if (missing.length > 0) {
        const why = `without ${missing.join(' and ')} nobody knows how long an answer gets`;
        notices.push(`${why}: requests in flight when a budget is spent may exceed it`);
    }
    if (budget.maxCost !== null && search !== null) {
        const { findSearchPrice } = await import('./prices.js');
        if (findSearchPrice(prices, search.engine) === null)
            notices.push(
                `the price of a search by ${search.engine} is unknown, so --max-cost does not count searches: ` +
                    'add it under "searches" in the --prices file',
            );
    }
    return notices;
}

/** Models that are used besides those under test. */
const judgingModels = (scoring: Pick<ScoringConfig, 'scorer'> | null): readonly string[] =>
    scoring?.scorer.kind === 'model' ? [scoring.scorer.model] : [];

async function planned(
    scoring: ScoringConfig | null,
    context: PlanContext,
): Promise<{ readonly scoring: ScoringDescriptor; readonly notices: readonly string[] } | null> {
    if (scoring === null) return null;
    return (await import('./scoring/plan-scoring.js')).planScoring(scoring, context);
}

/** A template stands for the models of the rows, which become known when the requests are made. */
const namedModels = ({ model }: SamplingOptions): readonly string[] => (model.includes('{') ? [] : [model]);

function chooseSampling(values: Values<typeof CHAT_OPTIONS>, model: string): SamplingOptions {
    return {
        model,
        temperature: values.temperature,
        topP: values['top-p'],
        maxTokens: values['max-tokens'],
        seed: values.seed,
    };
}
