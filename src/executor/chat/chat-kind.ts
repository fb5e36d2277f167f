import { dirname, relative, sep } from 'node:path';
import type { OptionTable, Values } from '../../config/option.js';
import { MODULE_REFERENCE } from '../../config/values/module.js';
import { SCORER } from '../../config/values/scorer.js';
import { SCORER_FORMS, type Scorer } from '../../model/scorer.js';
import { UserError } from '../../util/user-error.js';
import type { ServerOptions } from '../descriptor.js';
import type { MainExecutorKind } from '../executor-kind.js';
import { SERVER_OPTIONS } from '../servers/server-options.js';
import type { BudgetOptions } from './budget.js';
import type { ServiceConfig } from './chat-endpoints.js';
import { configureService, SERVICE_OPTIONS } from './service-options.js';
import type { PriceTable } from './prices.js';
import type { SamplingOptions } from './chat-protocol.js';
import type { ConversationOptions } from './conversation.js';
import type { ToolModule } from './tool-simulator.js';
import type { SearchOptions } from './web-search.js';

const { endpoint, 'endpoint-limits': endpointLimits, 'endpoint-wait': endpointWait } = SERVER_OPTIONS;

const OPTIONS = {
    endpoint,
    'endpoint-limits': endpointLimits,
    'endpoint-wait': endpointWait,
    ...SERVICE_OPTIONS,
    model: {
        kind: 'text',
        aliases: ['chat-model'],
        defaultVariable: 'DEFAULT_CHAT_MODEL',
        default: null,
        defaultText: 'none',
        placeholder: '<name>',
        group: 'Language models',
        about: 'Model that --executor chat asks, as its service names it; {field} stands for a value of the row',
        decides: 'verdict',
        effect: 'tasks that the other model answered run again',
    },
    'prompt-template': {
        kind: 'text',
        default: '{prompt}',
        placeholder: '<text>',
        group: 'Language models',
        about: 'Prompt of a task; {field} stands for a value of its row',
        decides: 'verdict',
        effect: 'tasks that the other prompt asked run again',
    },
    system: {
        kind: 'text',
        default: null,
        defaultText: 'none',
        placeholder: '<text>',
        group: 'Language models',
        about: 'System message before each prompt; {field} stands for a value of its row',
        decides: 'verdict',
        effect: 'tasks that the other message asked run again',
    },
    temperature: {
        kind: 'factor',
        default: null,
        defaultText: "the service's",
        min: 0,
        max: 2,
        placeholder: '<number>',
        group: 'Language models',
        about: 'Sampling temperature',
        decides: 'verdict',
        effect: 'tasks that were sampled another way run again',
    },
    'top-p': {
        kind: 'factor',
        default: null,
        defaultText: "the service's",
        min: 0,
        max: 1,
        placeholder: '<number>',
        group: 'Language models',
        about: 'Nucleus sampling: share of the probability that is sampled from',
        decides: 'verdict',
        effect: 'tasks that were sampled another way run again',
    },
    'max-tokens': {
        kind: 'integer',
        default: null,
        defaultText: "the service's",
        min: 1,
        placeholder: '<n>',
        group: 'Language models',
        about: 'Longest answer, in tokens',
        decides: 'verdict',
        effect: 'tasks that had another bound run again',
    },
    seed: {
        kind: 'integer',
        default: null,
        defaultText: 'none',
        min: 0,
        placeholder: '<n>',
        group: 'Language models',
        about: 'Seed that the service samples with, where it can',
        decides: 'verdict',
        effect: 'tasks that had another seed run again',
    },
    'tool-module': {
        kind: 'parsed',
        parser: MODULE_REFERENCE,
        default: null,
        placeholder: '<file[#export]>',
        group: 'Language models',
        about: 'Function that answers the tools a model calls; its module exports what is offered as `tools`',
        decides: 'verdict',
        effect: 'tasks that had other tools run again',
    },
    'max-turns': {
        kind: 'integer',
        default: 10,
        min: 1,
        max: 1000,
        placeholder: '<n>',
        group: 'Language models',
        about: 'Answers of a model that calls tools, at most; one that still calls them then is wrong',
        decides: 'verdict',
        effect: 'tasks with tools that had another bound run again',
    },
    scorer: {
        kind: 'parsed',
        parser: SCORER,
        default: null,
        defaultText: 'none: every answer is accepted',
        placeholder: '<how>',
        group: 'Language models',
        about: `How an answer is compared with --expected: ${SCORER_FORMS}`,
        decides: 'verdict',
        effect: 'answers that are there keep their score',
    },
    expected: {
        kind: 'text',
        default: '{expected}',
        placeholder: '<text>',
        group: 'Language models',
        about: 'What --scorer compares an answer with; {field} stands for a value of its row',
        decides: 'verdict',
        effect: 'answers that are there keep their score',
    },
    'web-search': {
        kind: 'flag',
        default: false,
        group: 'Language models',
        about: 'Search the web first (POST <base URL>/web_search); {search_results} of the prompt is what was found',
        decides: 'verdict',
        effect: 'every task runs again',
    },
    'search-query': {
        kind: 'text',
        default: '{prompt}',
        placeholder: '<text>',
        group: 'Language models',
        about: 'What --web-search looks for; {field} stands for a value of the row',
        decides: 'verdict',
        effect: 'tasks that searched for something else run again',
    },
    'search-engine': {
        kind: 'text',
        defaultVariable: 'SEARCH_ENGINE',
        default: 'search-prime-aqdr',
        placeholder: '<name>',
        group: 'Language models',
        about: 'Engine of --web-search, as the service names it',
        decides: 'verdict',
        effect: 'tasks that another engine searched for run again',
    },
    'search-content-size': {
        kind: 'text',
        defaultVariable: 'SEARCH_CONTENT_SIZE',
        default: 'medium',
        placeholder: '<size>',
        group: 'Language models',
        about: 'How much of each page --web-search returns, as the service names it',
        decides: 'verdict',
        effect: 'tasks that searched another way run again',
    },
    'search-count': {
        kind: 'integer',
        defaultVariable: 'SEARCH_COUNT',
        default: 5,
        min: 1,
        max: 50,
        placeholder: '<n>',
        group: 'Language models',
        about: 'Results that --web-search asks for',
        decides: 'verdict',
        effect: 'tasks that searched another way run again',
    },
    'tool-model': {
        kind: 'text',
        defaultVariable: 'DEFAULT_TOOL_MODEL',
        default: null,
        defaultText: 'that of --model',
        placeholder: '<name>',
        group: 'Language models',
        about: 'Model recorded for searches; search engines take none, so it changes no request',
        decides: 'run',
    },
    prices: {
        kind: 'path',
        default: null,
        defaultText: 'the bundled ones',
        placeholder: '<file>',
        group: 'Language models',
        about: 'JSON file of prices, in US dollars a million tokens, that go before the bundled ones',
        decides: 'verdict',
        effect: 'answers that are there keep their cost',
    },
} as const satisfies OptionTable;

/** How answers are scored; null: not at all. Not in fingerprints: scoring another way asks nothing again. */
export interface Scoring {
    readonly scorer: Scorer;
    /** Template of the expected answer. */
    readonly expected: string;
}

/** Tools that a model may call, and who answers them. */
interface ToolConfig extends ToolModule {
    readonly maxTurns: number;
    /** Stands in fingerprints: the module's path relative to the folder that holds the results directory, and the export. */
    readonly identity: string;
}

export interface ChatConfig {
    readonly kind: 'chat';
    /** Null: none are offered. */
    readonly tools: ToolConfig | null;
    readonly scoring: Scoring | null;
    readonly sampling: SamplingOptions;
    readonly promptTemplate: string;
    readonly system: string | null;
    /** Null: no search. */
    readonly search: SearchOptions | null;
    readonly service: ServiceConfig;
    /** Absolute path of a file of prices. */
    readonly prices: string | null;
    readonly budget: BudgetOptions;
}

export interface ChatDescriptor {
    readonly kind: 'chat';
    readonly tools: ConversationOptions | null;
    readonly scoring: Scoring | null;
    readonly sampling: SamplingOptions;
    readonly promptTemplate: string;
    readonly system: string | null;
    readonly search: SearchOptions | null;
    readonly servers: ServerOptions;
    /** Seconds for one request, its answer included. */
    readonly timeout: number;
    /** The user's prices. */
    readonly prices: PriceTable | null;
    readonly budget: BudgetOptions;
}

/** Asks a language model by the chat completions call of OpenAI-compatible services. */
export const CHAT: MainExecutorKind<typeof OPTIONS, ChatConfig, ChatDescriptor> = {
    name: 'chat',
    options: OPTIONS,
    judges: false,
    usesEndpoints: true,
    usualTimeout: 120,
    runsIn: 'main',
    configure(values, { dir }) {
        const { model } = values;
        if (model === null)
            throw new UserError('--executor chat needs --model <name>, such as --model gpt-4o-mini');
        return {
            kind: 'chat',
            sampling: samplingOf(values, model),
            promptTemplate: values['prompt-template'],
            system: values.system,
            search: searchOf(values),
            tools: toolsOf(values, dir),
            scoring: values.scorer === null ? null : { scorer: values.scorer, expected: values.expected },
            service: configureService(values),
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
        if (scoring !== null) checkTemplateFields('--expected', scoring.expected, lists);
    },
    async plan(config, { timeout, dir, holder }) {
        const { kind, sampling, promptTemplate, system, scoring, search, tools } = config;
        const [{ planEndpoints }, { readPrices }] = await Promise.all([
            import('./chat-endpoints.js'),
            import('./prices.js'),
        ]);
        const prices = config.prices === null ? null : readPrices(config.prices);
        const servers = planEndpoints(config.service, namedModels(sampling));
        return {
            descriptor: {
                kind,
                sampling,
                promptTemplate,
                system,
                scoring,
                search,
                tools: tools === null ? null : { ...tools, dir, holder },
                servers,
                timeout,
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
        };
    },
    patience: () => null,
    async create(descriptor, hooks) {
        const [{ createChat }, { startDemo }] = await Promise.all([import('./chat.js'), import('./demo.js')]);
        return startDemo(descriptor, (started) => createChat(started, hooks));
    },
    createInWorker: async (descriptor) => (await import('./chat.js')).createChatInWorker(descriptor),
};

function toolsOf(values: Values<typeof OPTIONS>, dir: string): ToolConfig | null {
    const { 'tool-module': module, 'max-turns': maxTurns } = values;
    if (module === null) return null;
    const exportName = module.exportName ?? 'default';
    // Relative to the results, not to where the run was started: a restart from elsewhere is the same task.
    const path = relative(dirname(dir), module.file).split(sep).join('/');
    return { file: module.file, exportName, maxTurns, identity: `${path}#${exportName}` };
}

/** What of tools decides answers: which are offered, who answers them, how often. */
async function identifyTools(tools: ToolConfig): Promise<readonly unknown[]> {
    const { ToolSimulator } = await import('./tool-simulator.js');
    const { definitions } = await ToolSimulator.load(tools);
    return ['tools', tools.identity, tools.maxTurns, definitions];
}

function searchOf(values: Values<typeof OPTIONS>): SearchOptions | null {
    if (!values['web-search']) return null;
    return {
        query: values['search-query'],
        engine: values['search-engine'],
        contentSize: values['search-content-size'],
        count: values['search-count'],
    };
}

/** A template stands for the models of the rows, which are known when they are asked for. */
const namedModels = ({ model }: SamplingOptions): readonly string[] => (model.includes('{') ? [] : [model]);

function samplingOf(values: Values<typeof OPTIONS>, model: string): SamplingOptions {
    return {
        model,
        temperature: values.temperature,
        topP: values['top-p'],
        maxTokens: values['max-tokens'],
        seed: values.seed,
    };
}
