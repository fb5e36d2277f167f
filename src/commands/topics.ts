import { readTextFile } from '../host/open-file.js';
import type { GivenOptions, Resolved, RunConfig } from '../config.js';
import type { OptionTable } from '../config/option.js';
import { RUN_OPTIONS } from '../config/run-options.js';
import { TOPICS_FIXED, TOPICS_PRESETS } from '../config/topics-presets.js';
import type { RunEnd } from '../model/event.js';
import type { JsonObject } from '../model/json.js';
import { readReason } from '../util/io-error.js';
import { shortenPath } from '../util/shown-path.js';
import { type ExitCode, UserError } from '../util/user-error.js';
import { defineTaskCommand, type TaskActionInput } from './command.js';

/** The topics if none are given. */
const BUILT_IN = [
    'Large language models in education',
    'Battery recycling for electric cars',
    'Open-source sandboxes for untrusted code',
    'Urban heat and city planning',
    'Antibiotic resistance',
];

const OPTIONS = {
    topics: {
        kind: 'text',
        repeatable: true,
        takesSeveral: true,
        defaultVariable: 'DEFAULT_TOPICS',
        default: [],
        defaultText: 'five that are built in',
        placeholder: '<topic...>',
        group: 'Topics',
        about: 'Topics to analyse',
        decides: 'tasks',
        effect: 'answers about topics that are no longer named stay where they are',
    },
    'topics-file': {
        kind: 'path',
        default: null,
        placeholder: '<file>',
        group: 'Topics',
        about: 'File with one topic a line, in addition to --topics',
        decides: 'tasks',
        effect: 'answers about topics that are no longer named stay where they are',
    },
    iterations: {
        kind: 'integer',
        defaultVariable: 'DEFAULT_ITERATIONS',
        default: 1,
        min: 0,
        max: 1_000_000,
        placeholder: '<n>',
        group: 'Topics',
        about: 'Rounds over all topics; 0: round after round until stopped',
        decides: 'tasks',
        effect: {
            raised: 'the rounds that are missing run',
            lowered: 'finished rounds stay, nothing runs again',
        },
    },
    output: {
        kind: 'path',
        aliases: ['o'],
        default: null,
        defaultText: 'none',
        placeholder: '<file>',
        group: 'Topics',
        about: 'Also keep all results in one JSON file: a summary, and one row a topic and round',
        decides: 'run',
    },
    demo: {
        kind: 'flag',
        default: false,
        group: 'Topics',
        about: 'Ask a local server that needs no key and no network, into topics-demo',
        decides: 'run',
        only: 'command line',
    },
} as const satisfies OptionTable;

const TABLE = { ...OPTIONS, ...RUN_OPTIONS } as const;

export const command = defineTaskCommand({
    usage: 'topics [options]',
    about:
        'Asks a language model about each topic, in as many rounds as wanted. Each answer is saved before it is counted: ' +
        'the same command, or resume-run --dir, asks only what is left',
    options: TABLE,
    common: [
        'demo',
        'dir',
        'topics',
        'topics-file',
        'iterations',
        'model',
        'endpoint',
        'concurrency',
        'dry-run',
    ],
    fixed: TOPICS_FIXED,
    presets: TOPICS_PRESETS,
    examples: [
        {
            line: 'resume-run topics --topics "solar power" "wind power" --iterations 3',
            about: 'Three rounds over two topics; the same line resumes after any kill',
        },
        { line: 'resume-run topics --demo', about: 'See it run against a local server, with no key' },
        {
            line: 'resume-run topics --topics-file t.txt --base-url http://127.0.0.1:8000/v1',
            about: 'Ask a server of your own',
        },
    ],
    run: async ({ given, resolve }) => {
        const [resolved, { countBegunRounds }] = await Promise.all([
            given['demo'] === true ? resolveDemo(given, resolve) : resolve([]),
            import('../compose/topics.js'),
        ]);
        const { values } = resolved;
        let { config } = resolved;
        const topics = await readTopics(values.topics, values['topics-file']);
        const isEndless = values.iterations === 0 && !config.dryRun;
        let goesOn = true;
        const isFollowed = (end: RunEnd): boolean => {
            const { stop, committed, failed } = end;
            // If the service has stopped answering, rounds must not go on forever.
            goesOn = isEndless && stop === null && (committed > 0 || failed === 0);
            config = chargeRound(config, end);
            return goesOn;
        };
        for (let round = isEndless ? Math.max(1, await countBegunRounds(config)) : 1; ; round += 1) {
            goesOn = false;
            const rounds = isEndless ? round : Math.max(1, values.iterations);
            const code = await startRounds({ ...resolved, config }, topics, rounds, isFollowed);
            if (!goesOn) return code;
        }
    },
});

/** Reduces limits by what a round has used: the limits of a command apply to all of its rounds together. */
function chargeRound(config: RunConfig, { committed, spent }: RunEnd): RunConfig {
    const { stopAfter, executor } = config;
    const charged = stopAfter === null ? config : { ...config, stopAfter: stopAfter - committed };
    if (executor.kind !== 'chat' || spent?.charged === undefined) return charged;
    return { ...charged, executor: { ...executor, budget: { ...executor.budget, spent: spent.charged } } };
}

/** Runs the remaining tasks of the first `iterations` rounds, with the file of `--output` and statistics of the rounds. */
async function startRounds(
    resolved: Resolved<typeof TABLE>,
    topics: readonly string[],
    iterations: number,
    isFollowed: (end: RunEnd) => boolean,
): Promise<ExitCode> {
    const [
        { startRun },
        { makeTopicsDataset },
        { RoundFigures },
        { TopicsOutput, OUTPUT_INTERVAL },
        { tell },
    ] = await Promise.all([
        import('./start-run.js'),
        import('../compose/topics.js'),
        import('../report/rounds.js'),
        import('../compose/topics-output.js'),
        import('../compose/output.js'),
    ]);
    const { config, values } = resolved;
    const output =
        values.output === null || config.dryRun
            ? null
            : new TopicsOutput({
                  path: values.output,
                  dir: config.dir,
                  topics,
                  summary: summarizeTopics(resolved, OUTPUT_INTERVAL),
                  onNotice: tell,
              });
    const rounds = new RoundFigures();
    return startRun(resolved, {
        generated: makeTopicsDataset(topics, iterations, config),
        onEvent: (event) => {
            rounds.add(event);
            output?.onEvent(event);
        },
        onEnd: () => output?.finish(),
        isFollowed,
        section: (page) => rounds.table(MAX_ROUNDS, page),
    });
}

/** Maximum number of rounds in the summary. */
const MAX_ROUNDS = 10;

/** The configuration in the summary of `--output`, with the keys of the earlier tool. */
function summarizeTopics(
    { config, values }: Resolved<typeof TABLE>,
    interval: number,
): { readonly config: JsonObject; readonly models: JsonObject } {
    return {
        config: {
            concurrency: config.concurrency,
            mode: config.mode,
            batch_size: config.batchSize,
            timeout: config.limits.timeout,
            max_retries: config.retries,
            delay_between_tasks: config.delay,
            progress_interval: interval,
        },
        models: { chat_model: values.model, tool_model: values['tool-model'] ?? values.model },
    };
}

type Resolve = TaskActionInput<typeof TABLE>['resolve'];

/**
 * The options of the demonstration. Its folder counts as typed, so that the run.json of `results`, where other runs may have been,
 * is not read.
 * @throws UserError if a server is given too
 */
async function resolveDemo(given: GivenOptions, resolve: Resolve): ReturnType<Resolve> {
    if (given['endpoint'] !== undefined)
        throw new UserError('--demo brings its own server: leave --base-url out');
    const { DEMO_URL } = await import('../demo/demo-endpoint.js');
    const dir: GivenOptions = given['dir'] === undefined ? { dir: 'topics-demo' } : {};
    return resolve([], { endpoint: DEMO_URL, model: 'demo-model', ...dir });
}

/** @throws UserError if the file cannot be read or names no topic */
async function readTopics(named: readonly string[], file: string | null): Promise<readonly string[]> {
    const fromFile = file === null ? [] : await readTopicsFile(file);
    const topics = [...new Set([...named, ...fromFile].map((topic) => topic.trim()))].filter(
        (topic) => topic !== '',
    );
    if (topics.length > 0) return topics;
    if (file !== null) throw new UserError(`${shortenPath(file)}: expected one topic a line, found none`);
    return BUILT_IN;
}

async function readTopicsFile(file: string): Promise<readonly string[]> {
    try {
        return (await readTextFile(file)).replace(/^\uFEFF/, '').split(/\r?\n/);
    } catch (error) {
        throw new UserError(`--topics-file: cannot read ${shortenPath(file)}: ${readReason(error)}`);
    }
}
