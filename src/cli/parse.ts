import { existsSync } from 'node:fs';
import yargs, { type Argv } from 'yargs';
import type { Command, CommandLineInput } from '../commands/command.js';
import { COMMAND_NAMES, COMMANDS, type CommandName } from '../commands/registry.js';
import type { GivenOptions } from '../config/layers.js';
import { isFlag, type OptionTable, withDashes } from '../config/option.js';
import { findNearest } from '../util/nearest.js';
import { UserError } from '../util/user-error.js';
import { COMPLETION } from './help.js';
import { ownWords } from './own-words.js';

/** Keys that yargs itself adds to the parsed options. */
const NOT_OPTIONS: ReadonlySet<string> = new Set(['_', '$0', '--']);

/** Turns off what yargs would otherwise interpret: config/ reads the values, with the same rules for every source. */
const PARSER = {
    'boolean-negation': true,
    'camel-case-expansion': false,
    'dot-notation': false,
    'greedy-arrays': true,
    'parse-numbers': false,
    'parse-positional-numbers': false,
    'populate--': true,
    'strip-aliased': true,
} as const;

const COMPLETION_COMMAND = 'completion';

const NO_ARGUMENTS = { min: 0, max: 0, what: 'no arguments' } as const;

export interface ParsedCommandLine {
    readonly name: CommandName;
    readonly command: Command;
    readonly input: Pick<CommandLineInput, 'options' | 'positionals' | 'command'>;
}

/**
 * Splits a command line into its parts. null: it asked for completion, which was printed.
 * @throws UserError (exit 2) for unknown options and arguments, suggesting the nearest known name
 */
export async function parseCommandLine(argv: readonly string[]): Promise<ParsedCommandLine | null> {
    // Builders must be synchronous (completion calls them), so every command that the arguments may name is loaded first.
    const named = listNamedCommands(argv);
    const loaded = await Promise.all(
        named.map(async (name) => ({ name, command: (await COMMANDS[name].load()).command })),
    );
    refuseFlagValues(argv, loaded);
    const parser = makeParser(argv);
    const [only] = loaded;
    if (loaded.length === 1 && only !== undefined && !isAboutCompletion(argv)) {
        // Without a yargs command: before one, yargs renders its own help, for which it loads a package that measures text.
        addOptions(parser, only.command.options, false);
        return { ...only, input: takeApart(only.name, only.command, await parser.parseAsync([...argv])) };
    }
    const run = loaded.find((one) => one.name === 'run');
    // For completion yargs does not call the builder of the default command.
    if (isCompleting(argv) && loaded.length === 1 && run !== undefined)
        addOptions(parser, run.command.options, true);
    let parsed: ParsedCommandLine | null = null;
    for (const name of COMMAND_NAMES) {
        const command = loaded.find((one) => one.name === name)?.command;
        parser.command(
            name === 'run' ? ['run', '$0'] : name,
            COMMANDS[name].about,
            (builder) => {
                if (command !== undefined) addOptions(builder, command.options, isCompleting(argv));
            },
            (given) => {
                if (command !== undefined) parsed = { name, command, input: takeApart(name, command, given) };
            },
        );
    }
    await parser.parseAsync([...argv]);
    // By now yargs has printed its script, but has called the default command as well.
    return findFirstWord(argv) === COMPLETION_COMMAND ? null : parsed;
}

/** A command's name in first position decides; elsewhere it may also be the value of an option of `run`. */
function listNamedCommands(argv: readonly string[]): readonly CommandName[] {
    const first = COMMAND_NAMES.find((name) => name === argv[0]);
    return first === undefined
        ? COMMAND_NAMES.filter((name) => name === 'run' || argv.includes(name))
        : [first];
}

function makeParser(argv: readonly string[]): Argv {
    return yargs([...argv])
        .scriptName('resume-run')
        .locale('en')
        .help(false)
        .version(false)
        .exitProcess(false)
        .completion(COMPLETION_COMMAND, COMPLETION)
        .parserConfiguration(PARSER)
        .fail((message, error) => {
            throw error ?? new UserError(message);
        });
}

/** The first word that is not an option. */
const findFirstWord = (argv: readonly string[]): string | undefined =>
    ownWords(argv).find((word) => !word.startsWith('-'));

const isAboutCompletion = (argv: readonly string[]): boolean =>
    isCompleting(argv) || findFirstWord(argv) === COMPLETION_COMMAND;

const isCompleting = (argv: readonly string[]): boolean => argv.includes('--get-yargs-completions');

function addOptions(builder: Argv, table: OptionTable, completing: boolean): void {
    for (const [name, spec] of Object.entries(table)) {
        if (!isFlag(spec)) continue;
        builder.option(name, {
            // Otherwise completion would offer `--j`.
            alias: completing ? [] : [...(spec.aliases ?? [])],
            describe: spec.about,
            // Before each command yargs renders its own help, which nobody sees; hidden options cost no time there.
            hidden: !completing,
            type: spec.kind === 'flag' ? 'boolean' : 'string',
            ...(spec.takesSeveral === true ? { array: true } : {}),
            ...(completing && spec.choices !== undefined ? { choices: spec.choices } : {}),
        });
    }
}

/** Refuses values of flags: yargs takes every value except `true` for false. */
function refuseFlagValues(argv: readonly string[], loaded: readonly { readonly command: Command }[]): void {
    for (const word of ownWords(argv)) {
        const [, name = '', value = ''] = /^--([a-z0-9-]+)=(.*)$/s.exec(word) ?? [];
        const isFlagName = loaded.some(
            ({ command }) => Object.hasOwn(command.options, name) && command.options[name]?.kind === 'flag',
        );
        if (isFlagName && value !== 'true' && value !== 'false') {
            throw new UserError(`--${name}: expected true or false, got '${value}'`);
        }
    }
}

function takeApart(
    name: CommandName,
    command: Command,
    given: Record<string, unknown>,
): ParsedCommandLine['input'] {
    const words = (given['_'] as readonly (string | number)[]).map(String);
    const positionals = words[0] === name ? words.slice(1) : words;
    const after = ((given['--'] ?? []) as readonly (string | number)[]).map(String);
    refuseUnknown(name, command, given);
    refuseArguments(name, command, positionals, after);
    if (name === 'run') refuseMistypedCommand(positionals);
    const options = Object.fromEntries(Object.entries(given).filter(([key]) => !NOT_OPTIONS.has(key)));
    return { options: options as GivenOptions, positionals, command: after };
}

function refuseUnknown(name: CommandName, command: Command, given: Record<string, unknown>): void {
    const flags = Object.entries(command.options).filter(([, spec]) => isFlag(spec));
    const known = flags.map(([name]) => name);
    // Flags in the negated form in which they are typed.
    const negated = flags.flatMap(([name, { kind }]) => (kind === 'flag' ? [`no-${name}`] : []));
    for (const [key, value] of Object.entries(given)) {
        if (NOT_OPTIONS.has(key) || known.includes(key)) continue;
        // yargs parses `--no-such` as `such` with the value false.
        const typed = value === false ? `no-${key}` : key;
        const meant = typed.length === 1 ? null : findNearest(typed, [...known, ...negated]);
        const dashed = withDashes(typed);
        throw new UserError(
            `unknown option ${dashed}${meant === null ? '' : ` (did you mean --${meant}?)`}; see resume-run ${name === 'run' ? '' : `${name} `}--help`,
        );
    }
}

function refuseArguments(
    name: CommandName,
    command: Command,
    positionals: readonly string[],
    after: readonly string[],
): void {
    const { min, max, what } = command.arguments ?? NO_ARGUMENTS;
    if (positionals.length > max || positionals.length < min) {
        const got = positionals.length === 0 ? 'none' : positionals.map((one) => `'${one}'`).join(', ');
        throw new UserError(`${name} takes ${what}, got ${got}; see resume-run ${name} --help`);
    }
    if (after.length > 0 && command.takesCommand !== true) {
        throw new UserError(`${name} takes no command after --`);
    }
}

/** Words that people may try as a command because other tools use them. */
const OTHER_WORDS: ReadonlyMap<string, string> = new Map([
    ['help', '-h'],
    ['list', 'status'],
    ['ls', 'status'],
    ['stats', 'status'],
    ['progress', 'status'],
    ['watch', 'status --watch'],
    ['results', 'report'],
    ['summary', 'report'],
    ['resume', '--dir <dir>'],
    ['continue', '--dir <dir>'],
    ['start', 'run'],
    ['query', 'analyze'],
    ['diff', 'compare'],
    ['verify', 'check'],
    ['version', '--version'],
]);

/** Refuses mistyped commands: `resume-run statsu` would otherwise look for a dataset of that name. */
function refuseMistypedCommand(positionals: readonly string[]): void {
    const [only] = positionals;
    if (positionals.length !== 1 || only === undefined || only === COMPLETION_COMMAND || existsSync(only))
        return;
    if (!/^[a-z-]+$/i.test(only)) return;
    const meant = guessCommand(only);
    if (meant !== null) {
        throw new UserError(`no command or dataset is called '${only}' (did you mean resume-run ${meant}?)`);
    }
}

/** The command that a word most likely means: the word is another tool's name for it, the start of its name, or a typo. */
function guessCommand(word: string): string | null {
    const beginning = word.length < 3 ? undefined : COMMAND_NAMES.find((name) => name.startsWith(word));
    return OTHER_WORDS.get(word) ?? beginning ?? findNearest(word, COMMAND_NAMES);
}
