import type { LongestLine } from '../results/record/lines.js';
import { UserError } from '../util/user-error.js';
import { unreachable } from '../util/unreachable.js';
import { defineCommand } from './command.js';
import { EXPORTED_FIELDS, type ExportedTask, exportTask, formatExportedLine } from './exported-task.js';
import { openDirectories, openRecords, RECORD_OPTIONS, type RecordPlace } from './records-of.js';

const FORMATS = ['jsonl', 'csv', 'parquet'] as const;

const formatFlag = (about: string) =>
    ({
        kind: 'flag',
        default: false,
        group: 'What you see',
        about,
        decides: 'display',
        only: 'command line',
    }) as const;

export const command = defineCommand({
    usage: 'export [--dir <dir> | --database <folder>] [--jsonl | --csv | --parquet] [--all] [--output <file>]',
    about:
        'Writes every finished task as one row: its record (docs/database.md lists the fields), the row that it got and its ' +
        'output',
    options: {
        ...RECORD_OPTIONS,
        all: formatFlag('Tasks that were given up, too'),
        format: {
            kind: 'choice',
            choices: FORMATS,
            default: null,
            defaultText: 'jsonl',
            group: 'What you see',
            about: 'JSON lines, CSV or Parquet (which needs DuckDB and --output)',
            decides: 'display',
            only: 'command line',
        },
        jsonl: formatFlag('Short for --format jsonl'),
        csv: formatFlag('Short for --format csv'),
        parquet: formatFlag('Short for --format parquet'),
    },
    examples: [
        { line: 'resume-run export --dir results --csv > results.csv', about: 'For a spreadsheet' },
        { line: "resume-run export | jq -r '[.row.url, .output] | @tsv'", about: 'Inputs and outputs' },
        {
            line: 'resume-run export --database database --parquet -o records.parquet',
            about: 'For pandas and DuckDB',
        },
    ],
    run: async ({ values: { all, output, ...values } }) => {
        const format = chooseFormat(values);
        const tasks = keepAsked(await openTasks(values), all);
        switch (format) {
            case 'jsonl':
                await writeLines(tasks, output);
                break;
            case 'csv':
                await writeCsv(tasks, output);
                break;
            case 'parquet':
                await writeParquet(tasks, output);
                break;
            default:
                unreachable(format, 'format');
        }
        return 0;
    },
});

type Format = (typeof FORMATS)[number];

/** @throws UserError if two formats are given */
function chooseFormat(
    values: { readonly format: Format | null } & { readonly [F in Format]: boolean },
): Format {
    const asked = new Set(FORMATS.filter((format) => values[format] || values.format === format));
    if (asked.size > 1)
        throw new UserError(`--${[...asked].join(' and --')} cannot be used together: give one of them`);
    return [...asked][0] ?? 'jsonl';
}

type Tasks = AsyncIterable<readonly ExportedTask[]>;

/** Tasks of a database come without outputs, which only result files hold. */
async function openTasks(place: RecordPlace): Promise<Tasks> {
    if (place.database === null) {
        const { tasksOfCheckpoint } = await import('../results/collect/checkpoint-records.js');
        return openDirectories(place, tasksOfCheckpoint, exportTask);
    }
    const records = await openRecords(place);
    return (async function* () {
        for await (const some of records) yield some.map((record) => exportTask({ record, entry: null }));
    })();
}

async function* keepAsked(tasks: Tasks, all: boolean): Tasks {
    for await (const some of tasks) yield all ? some : some.filter(({ verdict }) => verdict !== null);
}

/** @param longest receives every line of a file that becomes Parquet; null: the lines are for people */
async function* formatLines(tasks: Tasks, longest: LongestLine | null): AsyncGenerator<string> {
    for await (const some of tasks) {
        const lines = some.map((task) => `${formatExportedLine(task, longest !== null)}\n`);
        if (longest !== null) for (const line of lines) longest.add(line);
        if (lines.length > 0) yield lines.join('');
    }
}

async function writeLines(tasks: Tasks, output: string | null): Promise<void> {
    const { writeText } = await import('../host/output-file.js');
    await writeText(output, formatLines(tasks, null));
}

async function writeCsv(tasks: Tasks, output: string | null): Promise<void> {
    const [{ renderCsv }, { writeText }] = await Promise.all([
        import('../util/csv.js'),
        import('../host/output-file.js'),
    ]);
    const names = EXPORTED_FIELDS.map(({ name }) => name);
    const cell = (value: ExportedTask[keyof ExportedTask]): string | number | boolean | null =>
        typeof value === 'object' && value !== null ? JSON.stringify(value) : value;
    const lines = async function* (): AsyncGenerator<string> {
        yield renderCsv([names]);
        for await (const some of tasks)
            yield renderCsv(some.map((task) => names.map((name) => cell(task[name]))));
    };
    await writeText(output, lines());
}

async function writeParquet(tasks: Tasks, output: string | null): Promise<void> {
    if (output === null) throw new UserError('--parquet needs --output: Parquet is not text');
    const [
        { openDuckDb },
        { writeParquetFile },
        { LongestLine },
        { makeOutputFile, writeText },
        { openScratch },
    ] = await Promise.all([
        import('../results/duckdb.js'),
        import('../results/store/parquet-codec.js'),
        import('../results/record/lines.js'),
        import('../host/output-file.js'),
        import('../host/scratch.js'),
    ]);
    const duckdb = await openDuckDb();
    const scratch = await openScratch();
    try {
        const path = `${scratch.path}/tasks.jsonl`;
        const longest = new LongestLine();
        await writeText(path, formatLines(tasks, longest));
        await makeOutputFile(output, (staging) =>
            writeParquetFile(duckdb, { path, longest: longest.bytes }, staging, EXPORTED_FIELDS),
        );
    } finally {
        await scratch.remove();
    }
}
