import type { DuckDBConnection, DuckDBDataChunk, JS } from '@duckdb/node-api';
import type { AnswerColumn, AnswerKind, AnswerValue } from '../../model/answer.js';
import { UserError } from '../../util/user-error.js';
import { createDuckDb } from '../duckdb.js';
import { quoteText } from '../record/columns.js';
import { createSides, createViews, type RecordFiles, type RecordSide } from './views.js';

/** What a query gave: its columns are known at once, its rows come as they are read. */
export interface QueryResult {
    readonly columns: readonly AnswerColumn[];
    readonly rows: AsyncIterable<readonly AnswerValue[]>;
}

/**
 * Answers SQL over records. Everything is in memory or in the given files; nothing is written, and once it is open nothing but
 * those files can be read.
 */
export class AskEngine {
    /** Cells of earlier databases that stand beside the records: counts, which are in no rate of ours. */
    readonly earlierCells: number;
    readonly #connection: DuckDBConnection;

    private constructor(connection: DuckDBConnection, earlierCells: number) {
        this.#connection = connection;
        this.earlierCells = earlierCells;
    }

    /**
     * @param scratch folder for what does not fit into memory
     * @throws UserError (exit 2) if DuckDB is missing, or a file cannot be read
     */
    static open(files: RecordFiles, scratch: string): Promise<AskEngine> {
        const earlierCells = files.cells.reduce((sum, { count }) => sum + count, 0);
        return AskEngine.#create(files.folders, scratch, earlierCells, (connection) =>
            createViews(connection, files),
        );
    }

    /**
     * An engine with the views `first` and `second` in place of the others: the records of two sides.
     * @throws UserError (exit 2) if DuckDB is missing, or a file cannot be read
     */
    static openPair(first: RecordSide, second: RecordSide, scratch: string): Promise<AskEngine> {
        const folders = [...new Set([...first.folders, ...second.folders])];
        return AskEngine.#create(folders, scratch, 0, (connection) => createSides(connection, first, second));
    }

    static async #create(
        allowed: readonly string[],
        scratch: string,
        earlierCells: number,
        prepare: (connection: DuckDBConnection) => Promise<void>,
    ): Promise<AskEngine> {
        const connection = await createDuckDb();
        await connection.run(`SET temp_directory = ${quoteText(scratch)}`);
        await connection.run("SET TimeZone = 'UTC'");
        await connection.run('SET autoinstall_known_extensions = false');
        await connection.run('SET autoload_known_extensions = false');
        await prepare(connection);
        const folders = allowed.map(quoteText).join(', ');
        // In this order: with external access off no folder could be allowed any more.
        await connection.run(`SET allowed_directories = [${folders}]`);
        await connection.run('SET enable_external_access = false');
        await connection.run('SET lock_configuration = true');
        return new AskEngine(connection, earlierCells);
    }

    /** Every row of a query of ours, by column name. */
    async rows(sql: string): Promise<readonly Readonly<Record<string, AnswerValue>>[]> {
        const { columns, rows } = await this.query(sql);
        const found: Readonly<Record<string, AnswerValue>>[] = [];
        for await (const row of rows)
            found.push(Object.fromEntries(columns.map(({ name }, at) => [name, row[at] ?? null])));
        return found;
    }

    /** @throws UserError (exit 2) with the engine's message, for a query that a person wrote or had a part in */
    async query(sql: string): Promise<QueryResult> {
        try {
            const result = await this.#connection.stream(sql);
            const columns = result.deduplicatedColumnNames().map((name, at): AnswerColumn => {
                return { name, kind: chooseKind(String(result.columnType(at))) };
            });
            return { columns, rows: readRows(result) };
        } catch (error) {
            throw explain(error);
        }
    }

    /**
     * A query that a person wrote: one SELECT, over the views `records`, `attempts`, `cells` and `runs`.
     * @throws UserError (exit 2) if it is anything else, or wrong
     */
    async ask(sql: string): Promise<QueryResult> {
        await this.#requireSelect(sql);
        return await this.query(sql);
    }

    /**
     * Parses and does nothing else: preparing a statement, as executing it, may make folders (EXPORT) or read scripts (IMPORT)
     * in the folders that are allowed.
     */
    async #requireSelect(sql: string): Promise<void> {
        const parsed = await this.rows(`SELECT json_serialize_sql(${quoteText(sql)}::VARCHAR) AS tree`);
        const tree = JSON.parse(String(parsed[0]?.['tree'])) as ParsedSql;
        if (tree.error_type === 'parser') throw new UserError(`the query failed: ${tree.error_message}`);
        if (tree.error || tree.statements.length !== 1)
            throw new UserError(`--sql takes one SELECT, got ${JSON.stringify(sql.trim().slice(0, 60))}`);
    }

    close(): void {
        this.#connection.closeSync();
    }
}

/** What `json_serialize_sql` makes of a text: it takes SELECTs only, and what is short for one (DESCRIBE, FROM, VALUES, ...). */
type ParsedSql =
    | { readonly error: true; readonly error_type: string; readonly error_message: string }
    | { readonly error: false; readonly error_type?: never; readonly statements: readonly unknown[] };

async function* readRows(result: {
    fetchChunk(): Promise<DuckDBDataChunk | null>;
    yieldRowsJs(): AsyncIterableIterator<JS[][]>;
}): AsyncGenerator<readonly AnswerValue[]> {
    try {
        for await (const rows of result.yieldRowsJs()) for (const row of rows) yield row.map(convertValue);
    } catch (error) {
        throw explain(error);
    }
}

function convertValue(value: JS): AnswerValue {
    if (value === null || value === undefined) return null;
    if (typeof value === 'string' || typeof value === 'boolean') return value;
    if (typeof value === 'number') return Number.isFinite(value) ? value : null;
    if (typeof value === 'bigint') return Number.isSafeInteger(Number(value)) ? Number(value) : String(value);
    return value instanceof Date ? value.toISOString() : JSON.stringify(value, jsonValue);
}

const jsonValue = (_: string, value: unknown): unknown =>
    typeof value === 'bigint' ? convertValue(value) : value;

function chooseKind(type: string): AnswerKind {
    if (/INT/.test(type) && !/INTERVAL|\[|\(/.test(type)) return 'integer';
    if (/^(DOUBLE|FLOAT|DECIMAL)/.test(type)) return 'number';
    if (type === 'BOOLEAN') return 'boolean';
    return type.startsWith('TIMESTAMP') || type === 'DATE' ? 'time' : 'text';
}

/** DuckDB's errors are plain ones that begin with their kind; a mistake in SQL is the user's. */
function explain(error: unknown): unknown {
    if (!(error instanceof Error) || error instanceof UserError) return error;
    const internal = error.message.startsWith('INTERNAL');
    return internal ? error : new UserError(`the query failed: ${error.message.trim()}`, 2, { cause: error });
}
