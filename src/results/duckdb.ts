import { createRequire } from 'node:module';
import type { DuckDBConnection, DuckDBInstance } from '@duckdb/node-api';
import { getMessage } from '../util/message.js';
import { UserError } from '../util/user-error.js';
import { findCutLibrary } from './cut-library.js';

/** The version that the tests run against. */
const PACKAGE = '@duckdb/node-api@1.5.6-r.1';

/**
 * Threads for a query. A thread that waits for the query's last piece in another thread spins, using as much CPU as a working
 * one. So two parts are encoded at a time with one thread each, which takes a third less CPU than two threads for both.
 */
const SHARED_THREADS = 1;
const OWN_THREADS = 2;

let instance: Promise<DuckDBInstance> | null = null;
let connection: Promise<DuckDBConnection> | null = null;

/**
 * The in-memory engine that reads and writes Parquet; loaded once, on first use.
 * @throws UserError (exit 2) that says what to install
 */
export async function openDuckDb(): Promise<DuckDBConnection> {
    connection ??= connectToDuckDb();
    try {
        return await connection;
    } catch (error) {
        connection = null;
        throw error;
    }
}

/**
 * A separate connection to the same engine, to be closed by the caller. Streaming rows needs one: the next query on a connection
 * silently ends the stream before it.
 * @throws as `openDuckDb`
 */
export async function connectToDuckDb(): Promise<DuckDBConnection> {
    instance ??= createInstance(SHARED_THREADS);
    try {
        return await (await instance).connect();
    } catch (error) {
        instance = null;
        throw error;
    }
}

/**
 * A separate in-memory engine, which the caller may configure freely.
 * @throws UserError (exit 2) that says what to install
 */
export async function createDuckDb(): Promise<DuckDBConnection> {
    return await (await createInstance(OWN_THREADS)).connect();
}

async function createInstance(threads: number): Promise<DuckDBInstance> {
    const { DuckDBInstance: Instance } = loadDuckDb();
    return await Instance.create(':memory:', { threads: String(threads), memory_limit: '1GB' });
}

/**
 * Do not use `import()`: Node would first scan all of the package's files for export names, which takes twice as long as loading
 * them.
 */
function loadDuckDb(): typeof import('@duckdb/node-api') {
    const require = createRequire(import.meta.url);
    let path: string;
    try {
        path = require.resolve('@duckdb/node-api');
    } catch (error) {
        throw explainLoadFailure('is not installed', error);
    }
    const cut = findCutLibrary(path);
    if (cut !== null) throw explainLoadFailure(`cannot be loaded (${cut.path} is cut: ${cut.why})`, null);
    try {
        return require(path) as typeof import('@duckdb/node-api');
    } catch (error) {
        // The package is installed, but its native library may be missing or built for another system.
        throw explainLoadFailure(`cannot be loaded (${getMessage(error).split('\n', 1)[0]})`, error);
    }
}

function explainLoadFailure(what: string, cause: unknown): UserError {
    return new UserError(`this needs DuckDB, which ${what}: npm install ${PACKAGE}`, 2, {
        cause,
        code: 'RESUME_RUN_MISSING_PACKAGE',
    });
}

/** Loads the engine. @throws UserError (exit 2) that says what to install */
export function requireDuckDb(): void {
    loadDuckDb();
}

/** Whether Parquet and SQL are available. */
export async function hasDuckDb(): Promise<boolean> {
    return await openDuckDb().then(
        () => true,
        () => false,
    );
}
