import type { ResultRecord } from '../results/record/record.js';
import type { CsvCell } from '../util/csv.js';
import { unreachable } from '../util/unreachable.js';
import { UserError } from '../util/user-error.js';
import { defineCommand } from './command.js';
import { openRecords, RECORD_OPTIONS, type RecordStream } from './records-of.js';

export const command = defineCommand({
    usage: 'export [--dir <dir> | --database <folder>] [--format jsonl|csv|parquet] [--output <file>]',
    about: 'Writes the records of finished tasks as JSON lines, CSV or Parquet; docs/database.md lists their fields',
    options: {
        ...RECORD_OPTIONS,
        format: {
            kind: 'choice',
            choices: ['jsonl', 'csv', 'parquet'],
            default: 'jsonl',
            group: 'What you see',
            about: 'JSON lines, CSV or Parquet (which needs DuckDB and --output)',
            decides: 'display',
            only: 'command line',
        },
    },
    examples: [
        { line: 'resume-run export --dir results --format csv > records.csv', about: 'For a spreadsheet' },
        {
            line: 'resume-run export --database database --format parquet -o records.parquet',
            about: 'For pandas and DuckDB',
        },
    ],
    run: async ({ values: { format, output, ...place } }) => {
        const records = await openRecords(place);
        switch (format) {
            case 'jsonl':
                await writeLines(records, output);
                break;
            case 'csv':
                await writeCsv(records, output);
                break;
            case 'parquet':
                await writeParquet(records, output);
                break;
            default:
                unreachable(format, 'format');
        }
        return 0;
    },
});

async function writeLines(records: RecordStream, output: string | null): Promise<void> {
    const [{ writeText }, { recordLines }] = await Promise.all([
        import('../host/output-file.js'),
        import('../results/record/lines.js'),
    ]);
    await writeText(output, recordLines(records));
}

async function writeCsv(records: RecordStream, output: string | null): Promise<void> {
    const [{ csvText }, { writeText }, { RECORD_FIELDS }] = await Promise.all([
        import('../util/csv.js'),
        import('../host/output-file.js'),
        import('../results/record/fields.js'),
    ]);
    const cell = (value: ResultRecord[keyof ResultRecord]): CsvCell =>
        typeof value === 'object' && value !== null ? JSON.stringify(value) : value;
    const lines = async function* (): AsyncGenerator<string> {
        yield csvText([RECORD_FIELDS.map(({ name }) => name)]);
        for await (const some of records)
            yield csvText(some.map((one) => RECORD_FIELDS.map(({ name }) => cell(one[name]))));
    };
    await writeText(output, lines());
}

async function writeParquet(records: RecordStream, output: string | null): Promise<void> {
    if (output === null) throw new UserError('--format parquet needs --output: Parquet is not text');
    const [{ loadCodec }, { makeOutputFile, writeText }, { recordLines }, { openScratch }] =
        await Promise.all([
            import('../results/store/part-codec.js'),
            import('../host/output-file.js'),
            import('../results/record/lines.js'),
            import('../host/scratch.js'),
        ]);
    const codec = await loadCodec('parquet');
    const scratch = await openScratch();
    try {
        const lines = `${scratch.path}/records.jsonl`;
        await writeText(lines, recordLines(records));
        await makeOutputFile(output, (staging) => codec.encode(lines, staging));
    } finally {
        await scratch.remove();
    }
}
