import type { DuckDBConnection, DuckDBDataChunk, JS } from '@duckdb/node-api';
import type { AnswerColumn, AnswerKind, AnswerValue } from '../../model/answer.js';
import { UserError } from '../../util/user-error.js';
import { createDuckDb } from '../duckdb.js';
import { quoteText } from '../record/columns.js';
import { createSides, createViews, type RecordFiles, type RecordSide } from './views.js';

/** The result of a query: its columns are known at once, its rows arrive as they are read. */
export interface QueryResult {
    readonly columns: readonly AnswerColumn[];
    readonly rows: AsyncIterable<readonly AnswerValue[]>;
}

/**
 * Answers SQL over records. All data is in memory or in the given files. Nothing is written, and once the engine is open it can
 * read nothing but those files.
 */
export class AskEngine {
    /** Number of cells from earlier databases next to the records; their counts enter none of our rates. */
    readonly earlierCells: number;
    readonly #connection: DuckDBConnection;

    private constructor(connection: DuckDBConnection, earlierCells: number) {
        this.#connection = connection;
        this.earlierCells = earlierCells;
    }

    /**
     * @param scratch folder for data that does not fit into memory
     * @throws UserError (exit 2) if DuckDB is missing, or a file cannot be read
     */
    static open(files: RecordFiles, scratch: string): Promise<AskEngine> {
        const earlierCells = files.cells.reduce((sum, { count }) => sum + count, 0);
        return AskEngine.#create(files.folders, scratch, earlierCells, (connection) =>
            createViews(connection, files),
        );
    }

    /**
     * Opens an engine with the views `first` and `second` instead of the usual ones: the records of two sides.
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
        // The order matters: once external access is off, no more folders can be allowed.
        await connection.run(`SET allowed_directories = [${folders}]`);
        await connection.run('SET enable_external_access = false');
        await connection.run('SET lock_configuration = true');
        return new AskEngine(connection, earlierCells);
    }

    /** All rows of one of our own queries, by column name. */
    async rows(sql: string): Promise<readonly Readonly<Record<string, AnswerValue>>[]> {
        const { columns, rows } = await this.query(sql);
        const found: Readonly<Record<string, AnswerValue>>[] = [];
        for await (const row of rows)
            found.push(Object.fromEntries(columns.map(({ name }, at) => [name, row[at] ?? null])));
        return found;
    }

    /** For queries written wholly or partly by a user. @throws UserError (exit 2) with the engine's message */
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
     * Runs a query that a user wrote: a single SELECT over the views `records`, `attempts`, `cells` and `runs`.
     * @throws UserError (exit 2) if it is anything else, or has an error
     */
    async ask(sql: string): Promise<QueryResult> {
        await this.#requireSelect(sql);
        return await this.query(sql);
    }

    /** @throws UserError (exit 2) if it is not a condition on records */
    async requireCondition(where: string): Promise<void> {
        try {
            await this.rows(`SELECT 1 FROM records WHERE (${where}\n) LIMIT 0`);
        } catch (error) {
            if (!(error instanceof UserError)) throw error;
            // What follows says where in this query it is, which nobody wrote.
            const [why = ''] = error.message.replace('the query failed: ', '').split('\n\nLINE ');
            throw new UserError(
                `--where: expected a condition in SQL, such as "model = 'm'", got ${JSON.stringify(where)}: ${why}`,
                2,
                { cause: error },
            );
        }
    }

    /**
     * Only parses the query. Even preparing a statement, like executing it, may create folders (EXPORT) or read scripts (IMPORT)
     * in the allowed folders.
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

/** What `json_serialize_sql` returns for a text: it accepts only SELECTs and their short forms (DESCRIBE, FROM, VALUES, ...). */
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

/** DuckDB throws plain errors whose message starts with their kind; a mistake in the SQL is the user's. */
function explain(error: unknown): unknown {
    if (!(error instanceof Error) || error instanceof UserError) return error;
    const internal = error.message.startsWith('INTERNAL');
    return internal ? error : new UserError(`the query failed: ${error.message.trim()}`, 2, { cause: error });
}
