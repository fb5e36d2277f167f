import {
    isFlag,
    type OptionGroup,
    type OptionSpec,
    type OptionTable,
    describeDefault,
    withDashes,
} from '../config/option.js';
import type { Command, Example } from '../commands/command.js';
import { COMMANDS, type CommandName } from '../commands/registry.js';

const WIDTH = 80;
/** Column at which descriptions begin. */
const COLUMN = 30;

/** The help of one command, at most 80 columns wide. The help of the default command also lists the other commands. */
export function renderHelp(name: CommandName, command: Command): string {
    const parts = [
        formatUsage(command.usage),
        wrap(`${command.about}.`, 0).join('\n'),
        ...(name === 'run' ? [formatCommandList()] : []),
        ...formatOptionGroups(command),
        ...(command.examples.length > 0 ? [formatExamples(command.examples)] : []),
        ...(name === 'run' ? [CLOSING] : []),
    ];
    return `${parts.join('\n\n')}\n`;
}

/** What `-h` prints: for a command with many options, only those that most people need. */
export function renderShortHelp(name: CommandName, command: Command): string {
    const { common, options } = command;
    if (common === undefined) return renderHelp(name, command);
    const shown = common.flatMap((option) => {
        const spec = options[option];
        return spec === undefined
            ? []
            : formatHelpEntry(`  ${formatFlag(option, spec)}`, describe({ ...spec, aliases: [] }));
    });
    const full = name === 'run' ? 'resume-run --help' : `resume-run ${name} --help`;
    const parts = [
        formatUsage(command.usage),
        wrap(`${command.about}.`, 0).join('\n'),
        ['Common options', ...shown].join('\n'),
        [
            ...(name === 'run' ? wrap(`Commands: ${Object.keys(COMMANDS).join(', ')}, completion`, 0) : []),
            `All ${countFlags(options)} options${name === 'run' ? ', examples and exit codes' : ' and examples'}: ${full}`,
        ].join('\n'),
    ];
    return `${parts.join('\n\n')}\n`;
}

const countFlags = (options: OptionTable): number => Object.values(options).filter(isFlag).length;

/** Continues a usage that needs several lines below its first argument. */
function formatUsage(usage: string): string {
    const start = 'Usage: resume-run ';
    return start + wrap(usage, start.length).join(`\n${' '.repeat(start.length)}`);
}

/** Describes the command that yargs itself adds. */
export const COMPLETION = 'Print a script for completion in bash, zsh or fish';

const CLOSING = `Exit codes
  0  everything requested is finished (a wrong answer is a result, not an error)
  1  finished, but some tasks ended in failure, or a budget or --halt stopped it
  2  usage, config or dataset error
  3  another run holds the directory
  4  a checkpoint could not be written
  5  no endpoint came back in time, or all of them refuse us
  129, 130, 143  stopped by a signal, after saving

Options can also be given as RESUME_RUN_<NAME> (in the environment or in .env)
or as <name> in resume-run.config.json or .yaml; see docs/options.md. A later
start remembers the datasets and every option that decides results; the value
"default" makes it forget one. More about a command: resume-run <command> -h`;

function formatCommandList(): string {
    const lines = Object.entries(COMMANDS).flatMap(([name, { about }]) =>
        formatHelpEntry(`  ${name}`, about),
    );
    const completion = formatHelpEntry('  completion', COMPLETION);
    return ['Commands', ...lines, ...completion].join('\n');
}

function formatOptionGroups(command: Command): string[] {
    const groups = new Map<OptionGroup, string[]>();
    for (const [name, spec] of Object.entries(command.options)) {
        if (!isFlag(spec)) continue;
        const lines = groups.get(spec.group) ?? [];
        lines.push(...formatHelpEntry(`  ${formatFlag(name, spec)}`, describe(spec)));
        groups.set(spec.group, lines);
    }
    const general = [
        '  -h                          Show a short help',
        '  --help                      Show this help',
        '  -V, --version               Show the version',
    ];
    return [
        ...[...groups].map(([group, lines]) => [group, ...lines].join('\n')),
        ['Help', ...general].join('\n'),
    ];
}

/** `-t, --timeout <seconds>` */
export function formatFlag(name: string, spec: OptionSpec): string {
    const short = (spec.aliases ?? [])
        .filter((alias) => alias.length === 1)
        .map((alias) => `-${alias}, `)
        .join('');
    const long = spec.aboutNegated === undefined ? `--${name}` : `--no-${name}`;
    return `${short}${long}${spec.placeholder === undefined ? '' : ` ${spec.placeholder}`}`;
}

function describe(spec: OptionSpec): string {
    const named = spec.choices?.every((choice) => new RegExp(`\\b${choice}\\b`).test(spec.about)) ?? true;
    const choices = named ? '' : `: ${spec.choices?.join(', ')}`;
    const repeatable = spec.repeatable === true ? ' (repeatable)' : '';
    const words = (spec.aliases ?? []).filter((alias) => alias.length > 1).map(withDashes);
    const aliases = words.length === 0 ? '' : ` (also ${words.join(', ')})`;
    const standard = describeDefault(spec);
    return `${spec.aboutNegated ?? spec.about}${choices}${repeatable}${aliases}${standard === null ? '' : ` [${standard}]`}`;
}

function formatExamples(list: readonly Example[]): string {
    return ['Examples', ...list.map(({ line, about }) => `  ${line}\n      ${about}`)].join('\n');
}

/** Formats two columns; a long left side gets a line of its own. */
function formatHelpEntry(left: string, right: string): string[] {
    const lines = wrap(right, COLUMN);
    const pad = ' '.repeat(COLUMN);
    if (left.length > COLUMN - 2) return [left, ...lines.map((line) => pad + line)];
    return lines.map((line, index) => (index === 0 ? left.padEnd(COLUMN) : pad) + line);
}

function wrap(text: string, indent: number): string[] {
    const lines: string[] = [];
    let line = '';
    for (const word of text.split(' ')) {
        if (line !== '' && line.length + 1 + word.length > WIDTH - indent) {
            lines.push(line);
            line = word;
        } else {
            line = line === '' ? word : `${line} ${word}`;
        }
    }
    return [...lines, line];
}
