import { openDuckDb } from '../duckdb.js';
import type { StorageFormat } from '../result-store.js';
import { getMessage } from '../../util/message.js';
import type { Manifest } from './manifest.js';

export interface StorageChoice {
    /** The database's folder. */
    readonly dir: string;
    /** Null: the database's own format, or JSON for a new one. */
    readonly storage: StorageFormat | null;
    /** Receives a line for the user. */
    readonly onNotice: (message: string) => void;
    /** The database is about to be converted, so parts in two formats need no notice. */
    readonly converts?: boolean;
}

/**
 * Chooses the codec of new parts. Parquet without DuckDB falls back to JSON, with one warning.
 * @param manifest of the database; null if there is none yet
 */
export async function chooseStorage(
    options: StorageChoice,
    manifest: Manifest | null,
): Promise<StorageFormat> {
    const wanted = options.storage ?? manifest?.storage ?? 'json';
    const problem = wanted === 'parquet' ? await findParquetProblem() : null;
    if (problem !== null) {
        options.onNotice(`[INFO] Parquet不可用，使用JSON存储格式 (new parts are JSON: ${problem})`);
        return 'json';
    }
    const other = manifest?.parts.find(({ codec }) => codec !== wanted)?.codec;
    if (other !== undefined && options.converts !== true) {
        options.onNotice(
            `${options.dir} has ${other} parts, and new parts are written as ${wanted}; run ` +
                `\`resume-run migrate --to ${wanted}\` (or --to ${other}) to convert all parts to one format`,
        );
    }
    return wanted;
}

/** @returns null if Parquet can be written */
async function findParquetProblem(): Promise<string | null> {
    return await openDuckDb().then(
        () => null,
        (error: unknown) => getMessage(error),
    );
}
