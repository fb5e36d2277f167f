import type { DuckDBConnection, DuckDBDataChunk } from '@duckdb/node-api';
import { connectToDuckDb, openDuckDb } from '../duckdb.js';
import {
    boundLines,
    describeColumns,
    quoteName,
    quoteText,
    selectEveryField,
    selectNoRecords,
} from '../record/columns.js';
import { type RecordField, RECORD_FIELDS } from '../record/fields.js';
import { parseRecord, type ResultRecord, recordLine } from '../record/record.js';
import { type CopiedPart, type LineFile, type PartCodec, PartError } from './part-codec.js';

/** Readers are fast from 100,000 rows per group; below 5,000 they are up to ten times slower. */
const ROW_GROUP = 100_000;

/** Parquet takes about a fifth of the size of the same records as JSON lines. */
const LINES_PER_PART = 500 * 1024 * 1024;

/** @throws UserError (exit 2) that says what to install */
export async function openParquetCodec(): Promise<PartCodec> {
    const duckdb = await openDuckDb();
    return {
        extension: '.parquet',
        linesPerPart: LINES_PER_PART,
        encode: encodeRecords,
        copyRows: (sources, target) => copyRows(duckdb, sources, target),
        readRecords,
        readLines: async function* (path) {
            for await (const records of readRecords(path)) yield records.map(recordLine);
        },
    };
}

/**
 * Writes a file of JSON lines as Parquet.
 * @param longest upper bound for the bytes of a line
 * @param fields that occur in the lines; they may go beyond those of records
 */
export async function writeParquetFile(
    duckdb: DuckDBConnection,
    { path, longest }: Pick<LineFile, 'path' | 'longest'>,
    target: string,
    fields: readonly RecordField[],
): Promise<void> {
    await writeParquet(duckdb, selectLines(path, fields, longest), target);
}

/** Does not look for columns without values in the lines, which saves a third of the time. */
async function encodeRecords({ path, longest, present }: LineFile, target: string): Promise<void> {
    const fields = RECORD_FIELDS.filter(({ name }) => present?.has(name) ?? true);
    // Use a separate connection: queries on the same one wait for each other.
    const duckdb = await connectToDuckDb();
    try {
        await writeParquet(duckdb, selectEveryField(fields, selectLines(path, fields, longest)), target);
    } finally {
        duckdb.closeSync();
    }
}

/** @param longest upper bound for the bytes of a line */
function selectLines(lines: string, fields: readonly RecordField[], longest: number): string {
    const columns = describeColumns(fields);
    return `SELECT * FROM read_json(${quoteText(lines)}, format = 'newline_delimited', columns = ${columns}, ${boundLines(longest)})`;
}

/** @returns number of rows written; they keep the query's order, which the engine preserves by default */
async function writeParquet(duckdb: DuckDBConnection, query: string, target: string): Promise<number> {
    const written = await duckdb.runAndReadAll(
        `COPY (${query}) TO ${quoteText(target)} (FORMAT parquet, COMPRESSION zstd, ROW_GROUP_SIZE ${ROW_GROUP})`,
    );
    return Number(written.getRows()[0]?.[0] ?? 0);
}

async function copyRows(
    duckdb: DuckDBConnection,
    sources: readonly CopiedPart[],
    target: string,
): Promise<number> {
    const selects = sources.map(({ path, dropped }) => {
        const rows = `FROM read_parquet(${quoteText(path)}, file_row_number = true)`;
        const condition =
            dropped.size === 0 ? '' : ` WHERE file_row_number NOT IN (${[...dropped].join(', ')})`;
        return `SELECT * EXCLUDE (file_row_number) ${rows}${condition}`;
    });
    try {
        return await writeParquet(
            duckdb,
            [selectNoRecords(), ...selects].join(' UNION ALL BY NAME '),
            target,
        );
    } catch (error) {
        // A disk error on the target is not the sources' fault.
        if (error instanceof Error && error.message.includes(target)) throw error;
        throw partError(sources.map(({ path }) => path).join(', '), error);
    }
}

function partError(path: string, error: unknown): PartError {
    const why = error instanceof Error ? (error.message.split('\n')[0] ?? '') : String(error);
    return new PartError(path, why, { cause: error });
}

async function* readRecords(path: string): AsyncGenerator<readonly ResultRecord[]> {
    const duckdb = await connectToDuckDb();
    try {
        const present = await columnsIn(duckdb, path);
        const fields = RECORD_FIELDS.filter((field) => present.has(field.name));
        const columns = fields.map(selectField).join(', ');
        const result = await duckdb.stream(`SELECT ${columns} FROM read_parquet(${quoteText(path)})`);
        for (;;) {
            const chunk = await result.fetchChunk();
            if (chunk === null || chunk.rowCount === 0) return;
            yield toRecords(chunk, fields);
        }
    } catch (error) {
        throw error instanceof PartError ? error : partError(path, error);
    } finally {
        duckdb.closeSync();
    }
}

/** The fields that a file has: parts of an earlier version lack those added later. */
async function columnsIn(duckdb: DuckDBConnection, path: string): Promise<ReadonlySet<string>> {
    const result = await duckdb.runAndReadAll(`SELECT name FROM parquet_schema(${quoteText(path)})`);
    return new Set(result.getRows().map(([name]) => String(name)));
}

/** Selects numbers and times in a form that JavaScript uses directly: 64-bit integers would arrive as BigInt. */
function selectField({ name, type }: RecordField): string {
    const column = quoteName(name);
    if (type === 'integer') return `${column}::DOUBLE AS ${column}`;
    if (type === 'time') return `epoch_ms(${column})::DOUBLE AS ${column}`;
    return type === 'texts' ? `to_json(${column})::VARCHAR AS ${column}` : column;
}

function toRecords(chunk: DuckDBDataChunk, fields: readonly RecordField[]): ResultRecord[] {
    const columns = chunk.getColumns();
    return Array.from({ length: chunk.rowCount }, (_, row) => {
        const record: Record<string, unknown> = {};
        for (const [at, field] of fields.entries())
            record[field.name] = convertValue(field, columns[at]?.[row]);
        return parseRecord(record);
    });
}

function convertValue({ type }: RecordField, value: unknown): unknown {
    if (value === null || value === undefined) return null;
    if (type === 'time') return new Date(Number(value)).toISOString();
    return type === 'texts' && typeof value === 'string' ? JSON.parse(value) : value;
}
