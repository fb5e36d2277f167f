import { randomUUID } from 'node:crypto';
import { hostname } from 'node:os';
import { join, resolve } from 'node:path';
import { DurableWriter, makeDirectory } from '../../host/durable-write.js';
import { listFiles } from '../../host/listing.js';
import { makeHolderId } from '../../host/staging-name.js';
import { isJsonObject, type JsonObject } from '../../model/json.js';
import { MAX_BATCH_BYTES } from '../../results/collect/batch-file.js';
import { buildEarlierRecord } from '../../results/collect/earlier-record.js';
import { makeSourceCounts } from '../../results/collect/source.js';
import { makeRecord } from '../../results/record/record.js';
import type { CommitSummary, StorageFormat } from '../../results/result-store.js';
import { collectSpool } from '../../results/spool/collect-spool.js';
import { batchName } from '../../results/spool/spool.js';
import { openStore } from '../../results/store/open-store.js';
import { MasterTree } from '../../results/tree/master-tree.js';
import { writeMasterTree } from '../../results/tree/write-tree.js';
import { UserError } from '../../util/user-error.js';
import { KEEP_DAYS } from './run-collection.js';

/** Where results go. Absent options come from the environment, as with the earlier tools, or have their default. */
export interface CollectorOptions {
    /** RESULT_TEMP_DIR, else `temp_results`. */
    readonly tempDir?: string;
    /** `database` if absent. */
    readonly database?: string;
    /** Absent: STORAGE_FORMAT, else the format of the database, else `json`. */
    readonly storage?: StorageFormat;
    /** Days for which batches are kept after they have been added to the database. */
    readonly keepDays?: number;
    /** Called with a line for people. */
    readonly onNotice?: (message: string) => void;
}

/**
 * Several results of one model, in the form that the earlier tools used. A result that names its own model belongs to that model.
 */
export interface ResultBatch {
    readonly model: string;
    readonly results: readonly JsonObject[];
}

/**
 * Collects results of many processes, with the names of the earlier tools.
 *
 * What changed, and why it is safe: a batch is staged, synced and renamed, so a reader never sees half of one; it is moved to
 * `retired/` only once it is durably in the database; and a torn or foreign file is moved aside, never deleted.
 */
export class ResultCollector {
    readonly #options: CollectorOptions;
    readonly #tempDir: string;
    readonly #writer: DurableWriter;

    constructor(options: CollectorOptions = {}) {
        this.#options = options;
        this.#tempDir = resolve(options.tempDir ?? (process.env['RESULT_TEMP_DIR'] || 'temp_results'));
        this.#writer = new DurableWriter(this.#tempDir, makeHolderId());
    }

    /**
     * Writes results to the temporary folder.
     * @param batchInfo stored in the file, for people
     * @returns the path of the batch, which is durable by then
     * @throws WriteError; UserError if there are more results than one file may hold
     */
    async addBatchResult(
        model: string,
        results: readonly JsonObject[],
        batchInfo: JsonObject = {},
    ): Promise<string> {
        const name = batchName(model);
        const texts = results.map((result) => JSON.stringify(result));
        const head = {
            model,
            timestamp: new Date().toISOString(),
            pid: process.pid,
            process_info: { host: hostname(), ...batchInfo },
            result_count: results.length,
            // Two batches with equal results remain two batches.
            batch_id: randomUUID(),
        };
        // In pieces, because the text of all results may exceed the maximum length of a string.
        const pieces = texts.map((text, at) => Buffer.from(at === 0 ? text : `,${text}`));
        const bytes = [
            Buffer.from(`${JSON.stringify(head).slice(0, -1)},"results":[`),
            ...pieces,
            Buffer.from(']}\n'),
        ];
        const size = bytes.reduce((sum, piece) => sum + piece.length, 0);
        if (size > MAX_BATCH_BYTES)
            throw new UserError(
                `${results.length} results are ${size} bytes, and a batch has ${MAX_BATCH_BYTES} at most: add fewer at once`,
            );
        await makeDirectory(this.#tempDir);
        await this.#writer.write(name, bytes);
        return join(this.#tempDir, name);
    }

    /** How many batches are waiting. */
    async getPendingCount(): Promise<number> {
        const names = await listFiles(this.#tempDir);
        return names.filter((name) => name.endsWith('.json') && !name.startsWith('.')).length;
    }

    /**
     * Adds all waiting batches to the database, and writes master_database.json. The earlier tools returned the results and
     * deleted their files; here the results are in the database before any file is moved.
     * @throws UserError (exit 3 if another process holds the database), WriteError; the batches then stay
     */
    async collectAllResults(): Promise<CommitSummary> {
        const { database = 'database', keepDays = KEEP_DAYS, onNotice = () => undefined } = this.#options;
        const store = await openStore({ dir: resolve(database), storage: this.#storage(), onNotice });
        try {
            const counts = makeSourceCounts();
            const summary = await collectSpool(store, { dir: this.#tempDir, keepDays, counts, onNotice });
            await writeMasterTree(store.dir);
            return summary;
        } finally {
            await store.close();
        }
    }

    #storage(): StorageFormat | null {
        const { storage } = this.#options;
        if (storage !== undefined) return storage;
        const named = process.env['STORAGE_FORMAT']?.toLowerCase();
        return named === 'json' || named === 'parquet' ? named : null;
    }
}

/**
 * Aggregates results into the tree of master_database.json, in memory. What changed: rates and means are computed from sums, so
 * the order and the size of batches do not matter, and nothing is counted twice.
 */
export class ResultAggregator {
    /** @returns the tree, version "3.0" */
    aggregateResults(batches: readonly ResultBatch[]): JsonObject {
        const tree = new MasterTree();
        for (const { model, results } of batches)
            for (const result of results)
                tree.add(makeRecord(buildEarlierRecord({ model, ...result }, '', 0, () => undefined)));
        return tree.toJson(new Date().toISOString(), {});
    }
}

export interface TestManagerOptions extends CollectorOptions {
    /**
     * True: results wait in the temporary folder for a collector. False: `saveDatabase` adds them to the database. Absent: as
     * USE_RESULT_COLLECTOR says.
     */
    readonly useResultCollector?: boolean | undefined;
}

/**
 * The test manager of the earlier tools. What changed: each result is durable when `appendTestResult` resolves, however few there
 * are; the file on disk is never merged, so no process overwrites another's results.
 */
export class CumulativeTestManagerAdapter {
    readonly #collector: ResultCollector;
    readonly #usesCollector: boolean;

    constructor(options: TestManagerOptions = {}) {
        this.#collector = new ResultCollector(options);
        this.#usesCollector =
            options.useResultCollector ??
            ['true', '1', 'yes', 'on'].includes((process.env['USE_RESULT_COLLECTOR'] ?? '').toLowerCase());
    }

    /** @returns whether the result was stored: false unless it is an object with a model. @throws WriteError */
    async appendTestResult(result: JsonObject): Promise<boolean> {
        return (await this.appendTestResults([result])) === 1;
    }

    /** Stores results, which may belong to several models. @returns how many were stored. @throws WriteError */
    async appendTestResults(results: readonly JsonObject[]): Promise<number> {
        const kept = results.filter((one) => isJsonObject(one) && typeof one['model'] === 'string');
        const model = kept[0]?.['model'];
        if (typeof model === 'string') await this.#collector.addBatchResult(model, kept);
        return kept.length;
    }

    /**
     * Adds waiting results to the database, unless a collector is to do that.
     * @returns whether the database is complete now; false if another process is collecting, in which case nothing is lost
     * @throws UserError, WriteError
     */
    async saveDatabase(): Promise<boolean> {
        if (this.#usesCollector) return (await this.#collector.getPendingCount()) === 0;
        try {
            await this.#collector.collectAllResults();
            return true;
        } catch (error) {
            if (error instanceof UserError && error.exitCode === 3) return false;
            throw error;
        }
    }
}
