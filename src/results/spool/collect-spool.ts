import { renameSync, statSync } from 'node:fs';
import { rename, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { makeDirectory, syncDirectory } from '../../host/durable-write.js';
import { listFiles } from '../../host/listing.js';
import { parseStagingHolder } from '../../host/staging-name.js';
import { SyncWhileQuick } from '../../host/sync-while-quick.js';
import { WriteError } from '../../host/write-error.js';
import { getIoCode, describeIoError } from '../../util/io-error.js';
import { unreachable } from '../../util/unreachable.js';
import { type BatchFile, BatchReader, readBatchFile } from '../collect/batch-file.js';
import { noticeFirstPercent, type OnPercent } from '../collect/percent-notice.js';
import { countChange, type SourceCounts } from '../collect/source.js';
import type { BatchChange } from '../record/record.js';
import type { CommitSummary, ResultStore } from '../result-store.js';

/** Folder for committed batches, which are kept for `--keep-days`. */
export const RETIRED_FOLDER = 'retired';
/** Folder for files that are not batches. */
export const SET_ASIDE = 'set-aside';

/**
 * Limits of one commit, in bytes and files: with larger commits more has to be read again after a kill, with smaller ones the
 * disk works more.
 */
const COMMIT_BYTES = 512 * 1024 * 1024;
const COMMIT_FILES = 4000;

/** Milliseconds. The earlier tools write in place, so a torn file that is younger may still be growing. */
const TORN_AFTER = 60_000;

const DAY = 86_400_000;

type Batch = Extract<BatchFile, { readonly kind: 'batch' }>;

export interface CollectSpoolOptions {
    /** `temp_results`. */
    readonly dir: string;
    /** Days that committed batches are kept. */
    readonly keepDays: number;
    readonly counts: SourceCounts;
    readonly onNotice: (message: string) => void;
    /** To share between several collections; absent: this one reports its first such rate. */
    readonly onPercent?: OnPercent;
    /** To share between several collections; absent: this one creates its own. */
    readonly sweep?: SpoolSweep;
    /** Stops the collection; batches that were already read are committed. */
    readonly signal?: AbortSignal;
}

/**
 * Commits every waiting batch, several at a time, and retires them once their commit is durable. If it is interrupted in between,
 * the same batches are applied again and change nothing.
 * @returns the sum of all commits
 * @throws as `ResultStore.commit`; UserError (exit 4) if a batch cannot be read. Batches that were not committed stay.
 */
export async function collectSpool(store: ResultStore, options: CollectSpoolOptions): Promise<CommitSummary> {
    const sum = { added: 0, replaced: 0, duplicates: 0, retired: 0 };
    const waiting = [...(await batchNames(options.dir))];
    const reader = new BatchReader();
    const onPercent = options.onPercent ?? noticeFirstPercent(options.onNotice);
    while (waiting.length > 0 && options.signal?.aborted !== true) {
        const taken: string[] = [];
        const summary = await store.commit(
            takeBatches(
                waiting,
                taken,
                (name) => readBatch(name, reader, { ...options, onPercent }),
                options.signal,
            ),
        );
        for (const key of ['added', 'replaced', 'duplicates', 'retired'] as const) sum[key] += summary[key];
        await moveFiles(options.dir, RETIRED_FOLDER, taken);
    }
    await (options.sweep ?? new SpoolSweep()).sweep(options);
    return sum;
}

async function batchNames(dir: string): Promise<readonly string[]> {
    const names = await listFiles(dir);
    return names.filter((name) => name.endsWith('.json') && !name.startsWith('.')).sort();
}

/**
 * The changes of as many batches as fit into one commit, read as the store requests them.
 * @param waiting file names; those that were read are removed from it
 * @param taken receives the names of those that were batches
 * @param read returns null for a file that is not a batch
 */
async function* takeBatches(
    waiting: string[],
    taken: string[],
    read: (name: string) => Promise<Batch | null>,
    signal: AbortSignal | undefined,
): AsyncGenerator<readonly BatchChange[]> {
    let bytes = 0;
    while (bytes < COMMIT_BYTES && taken.length < COMMIT_FILES) {
        if (signal?.aborted === true) return;
        const name = waiting.shift();
        if (name === undefined) return;
        const batch = await read(name);
        if (batch === null) continue;
        taken.push(name);
        bytes += batch.bytes;
        yield batch.changes;
    }
}

/** Null if the file is not a batch; one that will never be is moved aside. */
async function readBatch(
    name: string,
    reader: BatchReader,
    options: CollectSpoolOptions & { readonly onPercent: OnPercent },
): Promise<Batch | null> {
    const { dir, counts, onPercent } = options;
    const path = join(dir, name);
    const file = await readBatchFile(path, onPercent, reader);
    switch (file.kind) {
        case 'absent':
            return null;
        case 'torn':
            if (await isOld(path, TORN_AFTER)) await setAside(options, name, `it is truncated: ${file.why}`);
            else counts.unfinished.push(path);
            return null;
        case 'foreign':
        case 'unknown':
        case 'too-large':
            await setAside(options, name, file.why);
            return null;
        case 'database':
            await setAside(options, name, 'it is a database: pass it with --from');
            return null;
        case 'batch':
            counts.files += 1;
            for (const change of file.changes) countChange(change, counts);
            return file;
        default:
            return unreachable(file, 'file');
    }
}

async function setAside(options: CollectSpoolOptions, name: string, why: string): Promise<void> {
    const { dir, counts, onNotice } = options;
    await moveFiles(dir, SET_ASIDE, [name]);
    counts.skipped.push({ path: join(dir, SET_ASIDE, name), why });
    onNotice(`${join(dir, name)} is not a batch (${why}): moved to ${join(dir, SET_ASIDE)}`);
}

/** Moves files into a subfolder, durably. @throws WriteError */
async function moveFiles(dir: string, folder: string, names: readonly string[]): Promise<void> {
    const target = join(dir, folder);
    try {
        await makeDirectory(target);
        for (const name of names) {
            const isTaken = (await changeTime(join(target, name))) !== null;
            await moveFile(join(dir, name), join(target, isTaken ? `${name}.${Date.now()}` : name));
        }
        await syncDirectory(target);
        await syncDirectory(dir);
    } catch (error) {
        throw new WriteError(target, describeIoError(error), { cause: error });
    }
}

/**
 * There may be thousands of these calls. If each waited for its own turn of the event loop, they would take as long as everything
 * else done with the files.
 */
const pace = new SyncWhileQuick();

/** Renames a file, unless it is gone. */
async function moveFile(from: string, to: string): Promise<void> {
    try {
        await pace.call(
            () => renameSync(from, to),
            () => rename(from, to),
        );
    } catch (error) {
        if (getIoCode(error) !== 'ENOENT') throw error;
    }
}

/** Time of a file's last change, including renames, in milliseconds since 1970. Null if it does not exist. */
async function changeTime(path: string): Promise<number | null> {
    try {
        const stats = await pace.call(
            () => statSync(path),
            () => stat(path),
        );
        return stats.ctimeMs;
    } catch {
        return null;
    }
}

/** Longest interval between two sweeps of one collector, in milliseconds: each sweep looks at every batch that is kept. */
const SWEEPS_APART = 3_600_000;

/** Removes files that a spool no longer needs. One instance serves all collections of a process. */
export class SpoolSweep {
    #nextAt = 0;

    /**
     * If a sweep is due, removes expired retired batches, and staging files that a killed writer left over a day ago. Never
     * throws.
     */
    async sweep({ dir, keepDays }: CollectSpoolOptions): Promise<void> {
        if (performance.now() < this.#nextAt) return;
        this.#nextAt = performance.now() + Math.min(SWEEPS_APART, (keepDays * DAY) / 24);
        const retired = join(dir, RETIRED_FOLDER);
        for (const name of await listFiles(retired).catch(() => []))
            if (await isOld(join(retired, name), keepDays * DAY)) await remove(join(retired, name));
        for (const name of await listFiles(dir).catch(() => []))
            if (parseStagingHolder(name) !== null && (await isOld(join(dir, name), DAY)))
                await remove(join(dir, name));
    }
}

async function remove(path: string): Promise<void> {
    await rm(path, { force: true }).catch(() => undefined);
}

async function isOld(path: string, milliseconds: number): Promise<boolean> {
    const changed = await changeTime(path);
    return changed !== null && Date.now() - changed >= milliseconds;
}
