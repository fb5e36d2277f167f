import type { DuckDBConnection, DuckDBDataChunk } from '@duckdb/node-api';
import { openDuckDb } from '../duckdb.js';
import { describeColumns, quoteName, quoteText } from '../record/columns.js';
import { type RecordField, RECORD_FIELDS } from '../record/fields.js';
import { parseRecord, type ResultRecord, recordLine } from '../record/record.js';
import { type PartCodec, PartError } from './part-codec.js';

/** Readers are fast from 100,000 rows a group; under 5,000 they are up to ten times slower. */
const ROW_GROUP = 100_000;

/** Parquet is about a fifth of the same records as JSON lines. */
const LINES_PER_PART = 500 * 1024 * 1024;

/** @throws UserError (exit 2) that says what to install */
export async function openParquetCodec(): Promise<PartCodec> {
    const duckdb = await openDuckDb();
    return {
        extension: '.parquet',
        linesPerPart: LINES_PER_PART,
        encode: (lines, target) => encode(duckdb, lines, target),
        readRecords: (path) => readRecords(duckdb, path),
        readLines: async function* (path) {
            for await (const records of readRecords(duckdb, path)) yield records.map(recordLine);
        },
    };
}

async function encode(duckdb: DuckDBConnection, lines: string, target: string): Promise<void> {
    const source = `read_json(${quoteText(lines)}, format = 'newline_delimited', columns = ${describeColumns()})`;
    await duckdb.run(
        `COPY (SELECT * FROM ${source}) TO ${quoteText(target)} ` +
            `(FORMAT parquet, COMPRESSION zstd, ROW_GROUP_SIZE ${ROW_GROUP})`,
    );
}

async function* readRecords(duckdb: DuckDBConnection, path: string): AsyncGenerator<readonly ResultRecord[]> {
    try {
        const present = await columnsIn(duckdb, path);
        const fields = RECORD_FIELDS.filter((field) => present.has(field.name));
        const columns = fields.map(selectField).join(', ');
        const result = await duckdb.stream(`SELECT ${columns} FROM read_parquet(${quoteText(path)})`);
        for (;;) {
            const chunk = await result.fetchChunk();
            if (chunk === null || chunk.rowCount === 0) return;
            yield recordsOf(chunk, fields);
        }
    } catch (error) {
        if (error instanceof PartError) throw error;
        throw new PartError(
            path,
            error instanceof Error ? (error.message.split('\n')[0] ?? '') : String(error),
            {
                cause: error,
            },
        );
    }
}

/** A part of an earlier version lacks the fields that came later. */
async function columnsIn(duckdb: DuckDBConnection, path: string): Promise<ReadonlySet<string>> {
    const result = await duckdb.runAndReadAll(`SELECT name FROM parquet_schema(${quoteText(path)})`);
    return new Set(result.getRows().map(([name]) => String(name)));
}

/** Numbers and times in a form that JavaScript takes as it is: 64-bit integers would come as BigInt. */
function selectField({ name, type }: RecordField): string {
    const column = quoteName(name);
    if (type === 'integer') return `${column}::DOUBLE AS ${column}`;
    if (type === 'time') return `epoch_ms(${column})::DOUBLE AS ${column}`;
    return type === 'texts' ? `to_json(${column})::VARCHAR AS ${column}` : column;
}

function recordsOf(chunk: DuckDBDataChunk, fields: readonly RecordField[]): ResultRecord[] {
    const columns = chunk.getColumns();
    return Array.from({ length: chunk.rowCount }, (_, row) => {
        const record: Record<string, unknown> = {};
        for (const [at, field] of fields.entries()) record[field.name] = valueOf(field, columns[at]?.[row]);
        return parseRecord(record);
    });
}

function valueOf({ type }: RecordField, value: unknown): unknown {
    if (value === null || value === undefined) return null;
    if (type === 'time') return new Date(Number(value)).toISOString();
    return type === 'texts' ? JSON.parse(String(value)) : value;
}
