import { hasDuckDb } from '../duckdb.js';
import type { StorageFormat } from '../result-store.js';
import type { Manifest } from './manifest.js';

export interface StorageChoice {
    /** The database's folder. */
    readonly dir: string;
    /** Null: what the database has, JSON for a new one. */
    readonly storage: StorageFormat | null;
    /** A line for people. */
    readonly onNotice: (message: string) => void;
}

/**
 * The codec of new parts. Parquet without DuckDB is JSON, with one warning.
 * @param manifest of the database; null: there is none yet
 */
export async function chooseStorage(
    options: StorageChoice,
    manifest: Manifest | null,
): Promise<StorageFormat> {
    const wanted = options.storage ?? manifest?.storage ?? 'json';
    if (wanted === 'parquet' && !(await hasDuckDb())) {
        options.onNotice(
            '[INFO] Parquet不可用，使用JSON存储格式 (Parquet is not available: DuckDB is not installed, so new parts are JSON; ' +
                'npm install @duckdb/node-api@1.5.6-r.1)',
        );
        return 'json';
    }
    if (manifest !== null && manifest.parts.length > 0 && manifest.storage !== wanted) {
        options.onNotice(
            `${options.dir} was written as ${manifest.storage}, and new parts are ${wanted}; ` +
                `\`resume-run migrate --to ${wanted}\` makes it one format`,
        );
    }
    return wanted;
}
