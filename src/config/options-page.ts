import {
    toEnvironmentName,
    isRestored,
    type OptionGroup,
    type OptionSpec,
    type OptionTable,
    describeDefault,
    withDashes,
} from './option.js';

/** Formats a table of options as Markdown, with one table a group. */
function formatOptionsMarkdown(table: OptionTable): string {
    const groups = new Map<OptionGroup, string[]>();
    for (const [name, spec] of Object.entries(table)) {
        const rows = groups.get(spec.group) ?? [];
        rows.push(
            `| ${formatFlagCell(name, spec)} | ${describe(spec)} | ${defaultCell(spec)} | ${isRestored(spec) ? 'yes' : ''} |`,
        );
        groups.set(spec.group, rows);
    }
    const sections = [...groups].map(([group, rows]) =>
        [
            `### ${group}`,
            '',
            '| option | description | default | remembered |',
            '|---|---|---|---|',
            ...rows,
        ].join('\n'),
    );
    return `${sections.join('\n\n')}\n`;
}

function formatFlagCell(name: string, spec: OptionSpec): string {
    if (spec.kind === 'command') return '`-- <command...>`';
    if (spec.only === 'not a flag') return `\`${name}\` (config file, library)`;
    if (spec.only === 'config file') return `\`${name}\` (config file)`;
    const long = spec.aboutNegated === undefined ? `--${name}` : `--no-${name}`;
    const names = [...(spec.aliases ?? []).map(withDashes), long];
    const placeholder = spec.placeholder === undefined ? '' : ` ${spec.placeholder}`;
    return `\`${(names.join(', ') + placeholder).replaceAll('|', '\\|')}\``;
}

function describe(spec: OptionSpec): string {
    const choices =
        spec.choices === undefined ? '' : ` (${spec.choices.map((one) => `\`${one}\``).join(', ')})`;
    const repeatable = spec.repeatable === true ? '; repeatable' : '';
    const synonyms =
        spec.synonyms === undefined
            ? ''
            : `; also written ${Object.keys(spec.synonyms)
                  .map((one) => `\`${one}\``)
                  .join(', ')}`;
    const variable = spec.variable === undefined ? '' : `; also \`${spec.variable}\` in the environment`;
    const fallback =
        spec.defaultVariable === undefined
            ? ''
            : `; \`${spec.defaultVariable}\` in the environment holds the default`;
    return escapeCell(
        `${spec.aboutNegated ?? spec.about}${choices}${synonyms}${repeatable}${variable}${fallback}`,
    );
}

function defaultCell(spec: OptionSpec): string {
    if (spec.defaultText !== undefined) return escapeCell(spec.defaultText);
    const text = describeDefault(spec);
    return text === null ? '' : `\`${text}\``;
}

const escapeCell = (text: string): string => text.replaceAll('|', '\\|').replaceAll('<', '&lt;');

/** The options of a command that runs do not have. */
interface OwnOptions {
    readonly name: string;
    readonly options: OptionTable;
}

/**
 * Renders docs/options.md.
 * @param runOptions the options of every command that runs tasks
 * @param commands every command with its whole table; options shared with runs are not repeated
 */
export function renderOptionsPage(runOptions: OptionTable, commands: readonly OwnOptions[]): string {
    const own = commands.flatMap(({ name, options }) => {
        const entries = Object.entries(options).filter(([option, spec]) => runOptions[option] !== spec);
        if (entries.length === 0) return [];
        return [`## resume-run ${name}\n\n${formatOptionsMarkdown(Object.fromEntries(entries))}`];
    });
    return `# Options

<!-- Written by \`npm run generate\` from src/config/run-options/, src/commands/ and the rows of executors (src/executor/*-kind.ts): change it there. -->

An option is taken from the command line, else the environment (\`.env\` included), else the config file, else what
\`run.json\` of this \`--dir\` remembers, else its default. A default never overrides what is remembered, and a changed
option is announced with its effect before anything runs. On the command line and in the environment, the value
\`default\` makes a run forget an option: \`--checker default\`.

- Environment: \`${toEnvironmentName('time-factor')}\` is \`--time-factor\`. A flag takes \`true\` or \`false\`; a list is one value a
  line or a JSON array. \`${toEnvironmentName('datasets')}\` names the datasets.
- Config file: \`resume-run.config.json\`, \`.yaml\` or \`.yml\` where the run is started, or \`--config <file>\`. Keys are the
  names below without dashes, and \`datasets\`; paths are relative to the file. \`resume-run.config.schema.json\` is its JSON
  Schema: editors complete by it when the file begins with a \`$schema\` key.
- \`--rerun\`, \`--dry-run\` and \`--take-over\` are for one start, so they are read from the command line only.
- A flag is turned off by \`--no-<name>\`.
- *remembered*: kept in \`run.json\`, so that \`resume-run --dir results\` goes on with nothing else said.

## Running tasks

${formatOptionsMarkdown(runOptions)}
${own.join('\n')}`;
}
