import { createRequire } from 'node:module';
import type { DuckDBConnection, DuckDBInstance } from '@duckdb/node-api';
import { getMessage } from '../util/message.js';
import { UserError } from '../util/user-error.js';
import { findCutLibrary } from './cut-library.js';

/** The version that the tests run with. */
const PACKAGE = '@duckdb/node-api@1.5.6-r.1';

/**
 * Threads for a query. A query that waits for its last piece in another thread spins, and takes as much of the processor as one that
 * works: parts are encoded two at a time, each by one thread, which takes a third less of it than two threads for both.
 */
const SHARED_THREADS = 1;
const OWN_THREADS = 2;

let instance: Promise<DuckDBInstance> | null = null;
let connection: Promise<DuckDBConnection> | null = null;

/**
 * The engine that reads and writes Parquet, in memory only; loaded once, when it is first used.
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
 * A connection of the caller's own to the same engine, to be closed by them. Who streams rows needs one: the next query on a
 * connection ends the stream before, without an error.
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
 * An engine of the caller's own, in memory only, which it may configure as it likes.
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
 * Not by `import()`: Node would first search all of the package's files for names of exports, which takes twice as long as to
 * load them.
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
        // The package is there: its native library may be missing, or made for another system.
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

/** Whether Parquet and SQL work here. */
export async function hasDuckDb(): Promise<boolean> {
    return await openDuckDb().then(
        () => true,
        () => false,
    );
}
