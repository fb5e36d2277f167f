import { unreachable } from '../../util/unreachable.js';
import { type RecordField, type FieldType, RECORD_FIELDS } from './fields.js';

/** Column type in DuckDB, which decides the type in Parquet. */
export function chooseColumnType(type: FieldType): string {
    switch (type) {
        case 'text':
        case 'json':
            return 'VARCHAR';
        case 'integer':
            return 'BIGINT';
        case 'number':
            return 'DOUBLE';
        case 'boolean':
            return 'BOOLEAN';
        case 'time':
            return 'TIMESTAMPTZ';
        case 'texts':
            return 'VARCHAR[]';
        default:
            return unreachable(type, 'field type');
    }
}

/** Quotes a name for SQL. */
export const quoteName = (name: string): string => `"${name.replaceAll('"', '""')}"`;

/** Quotes a text for SQL. */
export const quoteText = (text: string): string => `'${text.replaceAll("'", "''")}'`;

/** A SELECT of all fields without rows: in a UNION BY NAME it supplies the columns that older parts lack, and their order. */
export function selectNoRecords(): string {
    const columns = RECORD_FIELDS.map(
        ({ name, type }) => `NULL::${chooseColumnType(type)} AS ${quoteName(name)}`,
    );
    return `SELECT ${columns.join(', ')} WHERE false`;
}

/**
 * The rows of a query over the given fields, extended to every field of a record in schema order: null where the query lacks the
 * field.
 */
export function selectEveryField(fields: readonly RecordField[], query: string): string {
    const present = new Set(fields.map(({ name }) => name));
    const columns = RECORD_FIELDS.map(({ name, type }) =>
        present.has(name) ? quoteName(name) : `NULL::${chooseColumnType(type)} AS ${quoteName(name)}`,
    );
    return `SELECT ${columns.join(', ')} FROM (${query})`;
}

/** `{"run": 'VARCHAR', ...}`: the `columns` argument of DuckDB's read_json, so that no type is guessed from the data. */
export function describeColumns(fields: readonly RecordField[] = RECORD_FIELDS): string {
    return `{${fields.map(({ name, type }) => `${quoteName(name)}: ${quoteText(chooseColumnType(type))}`).join(', ')}}`;
}

/**
 * The engine reads blocks of twice this many bytes, one per thread. With its default block of 32 MB, a whole part would go to one
 * thread.
 */
const MIN_LINE_BOUND = 1024 * 1024;

/** The option of DuckDB's read_json for lines of at most so many bytes. */
export const boundLines = (longest: number): string =>
    `maximum_object_size = ${Math.max(longest, MIN_LINE_BOUND)}`;
