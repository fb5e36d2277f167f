import type { DuckDBConnection } from '@duckdb/node-api';
import { UserError } from '../util/user-error.js';

/** The version that the tests run with. */
const PACKAGE = '@duckdb/node-api@1.5.6-r.1';

let connection: Promise<DuckDBConnection> | null = null;

/**
 * The engine that reads and writes Parquet, in memory only; loaded once, when it is first used.
 * @throws UserError (exit 2) that says what to install
 */
export async function openDuckDb(): Promise<DuckDBConnection> {
    connection ??= createDuckDb();
    try {
        return await connection;
    } catch (error) {
        connection = null;
        throw error;
    }
}

/**
 * An engine of the caller's own, in memory only, which it may configure as it likes.
 * @throws UserError (exit 2) that says what to install
 */
export async function createDuckDb(): Promise<DuckDBConnection> {
    let duckdb: typeof import('@duckdb/node-api');
    try {
        duckdb = await import('@duckdb/node-api');
    } catch (error) {
        throw new UserError(`this needs DuckDB, which is not installed: npm install ${PACKAGE}`, 2, {
            cause: error,
            code: 'RESUME_RUN_MISSING_PACKAGE',
        });
    }
    const instance = await duckdb.DuckDBInstance.create(':memory:', { threads: '2', memory_limit: '1GB' });
    return await instance.connect();
}

/** Whether Parquet and SQL work here. */
export async function hasDuckDb(): Promise<boolean> {
    return await openDuckDb().then(
        () => true,
        () => false,
    );
}
