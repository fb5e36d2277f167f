import { isUtf8 } from 'node:buffer';
import { Readable } from 'node:stream';
import { parse, type Options } from 'csv-parse';
import { parse as parseSync } from 'csv-parse/sync';
import { openFile } from '../../host/open-file.js';
import { shortenPath } from '../../util/shown-path.js';
import { makeDatasetError } from '../dataset-error.js';
import { Field } from '../field.js';
import { readAt } from '../rows/read-row.js';
import { MAX_ROW_BYTES } from '../rows/row.js';
import { boundRecords } from './bound-records.js';
import type { ListFile, ListReader, ListRow } from './list-reader.js';

/** Comma-separated values according to RFC 4180; the first record names the fields. Every value is text. */
export const CSV: ListReader = { key: 'csv', open: (file) => openDelimited(file, ',') };

/** The same with tabs, as written by pandas and spreadsheets. */
export const TSV: ListReader = { key: 'tsv', open: (file) => openDelimited(file, '\t') };

/** A record with its position in the file. */
interface Place {
    readonly record: readonly string[];
    readonly line: number;
    readonly offset: number;
    readonly length: number;
}

async function openDelimited(file: string, delimiter: string): Promise<ListFile> {
    const header = checkHeader(await readHeader(file, delimiter), file);
    return {
        rows: () => readDataRows(file, { header, delimiter }),
        open: () => openFile(file),
        parse: (bytes, place) => {
            checkUtf8(bytes, place);
            const records: unknown = parseSync(bytes, makeOptionsFor(delimiter));
            const first: unknown = Array.isArray(records) ? records[0] : [];
            const record = Array.isArray(first) ? first.filter((value) => typeof value === 'string') : [];
            return buildRow(record, header, place);
        },
    };
}

async function readHeader(file: string, delimiter: string): Promise<readonly string[]> {
    for await (const { record } of readRecords(file, delimiter)) return record;
    return [];
}

function checkHeader(header: readonly string[], file: string): readonly string[] {
    if (header.length === 0) {
        throw makeDatasetError(
            `${shortenPath(file)}:1: expected a header that names the fields; the file is empty`,
        );
    }
    const seen = new Set<string>();
    for (const [i, name] of header.entries()) {
        const problem =
            name.trim() === '' ? 'has no name' : seen.has(name) ? `repeats the name ${name}` : null;
        if (problem !== null) {
            throw makeDatasetError(
                `${shortenPath(file)}:1: column ${i + 1} ${problem}; the header must name each field once`,
            );
        }
        seen.add(name);
    }
    return header;
}

async function* readDataRows(file: string, { header, delimiter }: Dialect): AsyncIterable<ListRow> {
    let isHeader = true;
    for await (const { record, line, offset, length } of readRecords(file, delimiter)) {
        const read = async (place: string): Promise<Field> => {
            // Either decoding has replaced bytes that are not UTF-8 by this character, or the file contains it.
            if (record.some((value) => value.includes('\uFFFD'))) {
                checkUtf8(await readAt(await openFile(file), offset, length), place);
            }
            return buildRow(record, header, place);
        };
        if (!isHeader) yield { line, offset, length, read };
        isHeader = false;
    }
}

interface Dialect {
    readonly header: readonly string[];
    readonly delimiter: string;
}

function checkUtf8(bytes: Buffer, place: string): void {
    if (!isUtf8(bytes)) throw makeDatasetError(`${place}: the row is not valid UTF-8`);
}

/** Tolerates a wrong number of columns: such a row is a bad row and does not end the reading of the file. */
const makeOptionsFor = (delimiter: string): Options => ({
    delimiter,
    bom: true,
    skip_empty_lines: true,
    relax_column_count: true,
    max_record_size: MAX_ROW_BYTES,
});

async function* readRecords(file: string, delimiter: string): AsyncIterable<Place> {
    const input = (await openFile(file)).createReadStream();
    const parser = parse({ ...makeOptionsFor(delimiter), info: true });
    const bounded = Readable.from(boundRecords(input, shortenPath(file), MAX_ROW_BYTES));
    bounded.on('error', (error) => parser.destroy(error)).pipe(parser);
    let offset = 0;
    let line = 1;
    try {
        for await (const { record, info } of parser as AsyncIterable<ParsedRecord>) {
            yield { record, line, offset, length: info.bytes - offset };
            offset = info.bytes;
            line = info.lines + 1;
        }
    } catch (error) {
        throw isCsvError(error)
            ? makeDatasetError(`${shortenPath(file)}:${line}: not valid CSV: ${error.message}`)
            : error;
    } finally {
        bounded.destroy();
        input.destroy();
    }
}

interface ParsedRecord {
    readonly record: readonly string[];
    /** Bytes and lines of the file read up to the end of the record. */
    readonly info: { readonly bytes: number; readonly lines: number };
}

const isCsvError = (error: unknown): error is Error & { readonly code: string } =>
    error instanceof Error && 'code' in error && String(error.code).startsWith('CSV_');

function buildRow(record: readonly string[], header: readonly string[], place: string): Field {
    if (record.length !== header.length) {
        throw makeDatasetError(
            `${place}: expected ${header.length} columns as in the header, got ${record.length}`,
        );
    }
    const row = Object.fromEntries(header.map((name, i) => [name, record[i] ?? '']));
    return Field.of(row, place, null);
}
