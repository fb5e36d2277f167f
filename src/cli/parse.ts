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

/** Words that yargs itself puts beside the options. */
const NOT_OPTIONS: ReadonlySet<string> = new Set(['_', '$0', '--']);

/** What yargs leaves to others: values are read by config/, with the same words for every source. */
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
 * Takes a command line apart. null: it asked for completion, which was printed.
 * @throws UserError (exit 2) at unknown options and arguments, with the nearest name that there is
 */
export async function parseCommandLine(argv: readonly string[]): Promise<ParsedCommandLine | null> {
    // Builders must not wait (completion calls them), so what the words may name is loaded first.
    const named = listNamedCommands(argv);
    const loaded = await Promise.all(
        named.map(async (name) => ({ name, command: (await COMMANDS[name].load()).command })),
    );
    refuseFlagValues(argv, loaded);
    const parser = makeParser(argv);
    const [only] = loaded;
    if (loaded.length === 1 && only !== undefined && !isAboutCompletion(argv)) {
        // Before a command of its own yargs renders its help, for which it loads what measures texts.
        addOptions(parser, only.command.options, false);
        return { ...only, input: takeApart(only.name, only.command, await parser.parseAsync([...argv])) };
    }
    const run = loaded.find((one) => one.name === 'run');
    // Completion asks no builder of the default command.
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
    // yargs has printed its script by now, and called the default command all the same.
    return findFirstWord(argv) === COMPLETION_COMMAND ? null : parsed;
}

/** A command's name that stands first decides; elsewhere it may also be the value of an option of `run`. */
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
            // Completion would offer `--j`.
            alias: completing ? [] : [...(spec.aliases ?? [])],
            describe: spec.about,
            // yargs renders its own help, which nobody sees, before each command; hidden options take no time there.
            hidden: !completing,
            type: spec.kind === 'flag' ? 'boolean' : 'string',
            ...(spec.takesSeveral === true ? { array: true } : {}),
            ...(completing && spec.choices !== undefined ? { choices: spec.choices } : {}),
        });
    }
}

/** yargs takes every value of a flag but `true` for false. */
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
    refuseUnknown(command, given);
    refuseArguments(name, command, positionals, after);
    if (name === 'run') refuseMistypedCommand(positionals);
    const options = Object.fromEntries(Object.entries(given).filter(([key]) => !NOT_OPTIONS.has(key)));
    return { options: options as GivenOptions, positionals, command: after };
}

function refuseUnknown(command: Command, given: Record<string, unknown>): void {
    const flags = Object.entries(command.options).filter(([, spec]) => isFlag(spec));
    const known = flags.map(([name]) => name);
    // What can be turned off, as it is typed.
    const negated = flags.flatMap(([name, { kind }]) => (kind === 'flag' ? [`no-${name}`] : []));
    for (const [key, value] of Object.entries(given)) {
        if (NOT_OPTIONS.has(key) || known.includes(key)) continue;
        // To yargs `--no-such` is `such`, which is false.
        const typed = value === false ? `no-${key}` : key;
        const meant = typed.length === 1 ? null : findNearest(typed, [...known, ...negated]);
        const dashed = withDashes(typed);
        throw new UserError(
            `unknown option ${dashed}${meant === null ? '' : ` (did you mean --${meant}?)`}; see resume-run --help`,
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

/** What people type in search of a command, as other tools call it. */
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

/** `resume-run statsu` would otherwise look for a dataset of that name. */
function refuseMistypedCommand(positionals: readonly string[]): void {
    const [only] = positionals;
    if (positionals.length !== 1 || only === undefined || only === COMPLETION_COMMAND || existsSync(only))
        return;
    if (!/^[a-z-]+$/i.test(only)) return;
    const meant = guessCommand(only);
    if (meant !== null) {
        throw new UserError(
            `there is no command and no dataset '${only}' (did you mean resume-run ${meant}?)`,
        );
    }
}

/** A command that a word stands for: another tool's name for it, its beginning, or a slip of the keyboard. */
function guessCommand(word: string): string | null {
    const beginning = word.length < 3 ? undefined : COMMAND_NAMES.find((name) => name.startsWith(word));
    return OTHER_WORDS.get(word) ?? beginning ?? findNearest(word, COMMAND_NAMES);
}
