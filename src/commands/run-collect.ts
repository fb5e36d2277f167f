import { resolve } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { print, printRaw, warn } from '../compose/output.js';
import { openRecordSources } from '../compose/collect/record-sources.js';
import { WriteError } from '../host/write-error.js';
import { exitCodeOfStop, type StopSignal } from '../model/stop.js';
import { count, formatCount } from '../report/format.js';
import { readAggregatesFromParquet } from '../results/aggregate/earlier-database.js';
import { noticeFirstPercent } from '../results/collect/percent-notice.js';
import { readChanges, makeSourceCounts, type SourceCounts } from '../results/collect/source.js';
import { describeStorage } from '../results/collect/storage-line.js';
import type { CommitSummary, StorageFormat } from '../results/result-store.js';
import { collectSpool, SpoolSweep } from '../results/spool/collect-spool.js';
import type { DatabaseStore } from '../results/store/database-store.js';
import { openStore } from '../results/store/open-store.js';
import { TreeKeeper } from '../results/tree/tree-keeper.js';
import { onInterrupt } from '../run/interrupt.js';
import { getIoCode } from '../util/io-error.js';
import { getMessage } from '../util/message.js';
import { escapeLine } from '../util/printable.js';
import { type ExitCode, UserError } from '../util/user-error.js';

/** Interval at which `--watch` looks for results, in milliseconds. */
const WATCH_MS = 1000;

/** Interval at which `--watch` checks whether a full disk has room again, in milliseconds. */
const ROOM_MS = 2000;

interface CollectValues {
    readonly from: readonly string[];
    readonly database: string;
    readonly storage: StorageFormat | null;
    readonly checkpoints: string | null;
    readonly 'temp-dir': string;
    readonly 'take-over': boolean;
    readonly 'keep-days': number;
    readonly watch: boolean;
    readonly json: boolean;
}

/** The outcome of one collection; `--json` prints it. */
interface CollectResult extends CommitSummary {
    readonly database: string;
    readonly storage: StorageFormat;
    readonly generation: number;
    readonly files: number;
    /** Cells added from databases of the earlier tools: counts without records. */
    readonly aggregates: number;
    /** Cells that an earlier collection had added already. */
    readonly known_aggregates: number;
    readonly skipped: SourceCounts['skipped'];
    /** Seconds. */
    readonly duration: number;
}

/** Commits the current contents of the sources. */
type Collect = (store: DatabaseStore) => Promise<{
    readonly summary: CommitSummary;
    readonly counts: SourceCounts;
    /** Cells of databases of the earlier tools: newly added, and known from an earlier collection. */
    readonly aggregates: { readonly added: number; readonly known: number };
}>;

export async function runCollect(
    values: CollectValues,
    positionals: readonly string[],
    cwd: string,
): Promise<ExitCode> {
    const paths = [...values.from, ...positionals.map((path) => resolve(cwd, path))];
    if (values.watch && paths.length > 0)
        throw new UserError('--watch follows --temp-dir: it cannot be used with result directories or files');
    const stop = new AbortController();
    let signal: StopSignal | null = null;
    const interrupt = onInterrupt((by) => {
        if (signal === null) {
            signal = by;
            stop.abort();
            return;
        }
        // The second signal does not wait for a commit in progress: like kill -9, it loses nothing.
        interrupt.dispose();
        process.kill(process.pid, by);
    }, process.stdout.isTTY);
    try {
        // Report a mistyped path before anything is created.
        const collect =
            paths.length > 0 ? await fromPaths(paths, values, stop.signal) : fromSpool(values, stop.signal);
        await explainFailure(() => collectDespiteFullDisk(values, collect, stop.signal));
    } finally {
        interrupt.dispose();
    }
    return signal === null ? 0 : exitCodeOfStop({ reason: 'signal', signal });
}

async function fromPaths(
    paths: readonly string[],
    { checkpoints }: CollectValues,
    signal: AbortSignal,
): Promise<Collect> {
    const counts = makeSourceCounts();
    const sources = await openRecordSources(paths, { checkpoints, counts, onNotice: warn });
    return async (store) => {
        const summary = await store.commit(readChanges(sources.records, counts, signal));
        const aggregates = { added: 0, known: 0 };
        if (signal.aborted) {
            warn('stopped before everything was read: run the same command again to collect the rest');
            return { summary, counts, aggregates };
        }
        const parquet = await Promise.all(sources.parquet.map(readAggregatesFromParquet));
        const databases = [...sources.databases, ...parquet];
        counts.files += parquet.length;
        for (const set of databases) {
            const isNamedAlike = store.manifest.aggregates.some(({ source }) => source === set.source);
            const isNew = await store.addAggregates(set);
            aggregates[isNew ? 'added' : 'known'] += set.cells.length;
            // Only the user can tell whether these are two databases or two versions of one.
            if (isNew && isNamedAlike)
                warn(
                    `the database already has counts from another ${set.source}, and both are counted. If this is a later version ` +
                        'of that file, import it into a new database',
                );
        }
        return { summary, counts, aggregates };
    };
}

function fromSpool(values: CollectValues, signal: AbortSignal): Collect {
    const { 'temp-dir': dir, 'keep-days': keepDays } = values;
    const onPercent = noticeFirstPercent(warn);
    const sweep = new SpoolSweep();
    return async (store) => {
        const counts = makeSourceCounts();
        const summary = await collectSpool(store, {
            dir,
            keepDays,
            counts,
            onNotice: warn,
            onPercent,
            sweep,
            signal,
        });
        return { summary, counts, aggregates: { added: 0, known: 0 } };
    };
}

/** Notices that this call of the command has already printed. */
interface PrintedNotices {
    storage: boolean;
    /** That the disk is full; reset once something could be collected again. */
    fullDisk: boolean;
}

/**
 * With `--watch` the command waits while the disk is full, as people make room while runs go on. The database is opened anew each
 * time, because the state that a failed commit left in memory is not reliable. Meanwhile other processes may hold it, such as a
 * compaction that makes room.
 */
async function collectDespiteFullDisk(
    values: CollectValues,
    collect: Collect,
    signal: AbortSignal,
): Promise<void> {
    const told = { storage: false, fullDisk: false };
    for (;;) {
        try {
            await collectInto(values, collect, signal, told);
            return;
        } catch (error) {
            const mayPass = isFullDisk(error) || (told.fullDisk && isHeld(error));
            if (!values.watch || signal.aborted || !mayPass) throw error;
            if (!told.fullDisk)
                warn(
                    `❌ 结果收集失败: ${getMessage(error)} (collecting failed; it continues once there is room)`,
                );
            told.fullDisk = true;
            await wait(ROOM_MS, undefined, { signal }).catch(() => undefined);
            if (signal.aborted) throw error;
        }
    }
}

function isFullDisk(error: unknown): boolean {
    for (let at = error; at instanceof Error; at = at.cause)
        if (getIoCode(at) === 'ENOSPC' || getIoCode(at) === 'EDQUOT') return true;
    return false;
}

/** Whether another process holds the database. */
const isHeld = (error: unknown): boolean => error instanceof UserError && error.exitCode === 3;

async function collectInto(
    values: CollectValues,
    collect: Collect,
    signal: AbortSignal,
    told: PrintedNotices,
): Promise<void> {
    const { database: dir, storage, 'take-over': takeOver, watch, json } = values;
    const store = await openStore({ dir, storage, takeOver, onNotice: warn, signal }).catch(
        (error: unknown) => {
            throw asCollectionFailure(error);
        },
    );
    try {
        if (!json && !told.storage) print(describeStorage(store.storage));
        told.storage = true;
        const tree = new TreeKeeper(dir);
        for (;;) {
            const started = performance.now();
            const { summary, counts, aggregates } = await collect(store);
            const duration = (performance.now() - started) / 1000;
            const { files, skipped } = counts;
            const state = { database: dir, storage: store.storage, generation: store.generation };
            const cells = { aggregates: aggregates.added, known_aggregates: aggregates.known };
            const hasNews = counts.records + counts.retirements + aggregates.added + aggregates.known > 0;
            if (!watch || hasNews || skipped.length > 0)
                show({ ...summary, ...state, files, ...cells, skipped, duration }, hasNews, json);
            const isLast = !watch || signal.aborted;
            if (isLast)
                for (const path of counts.unfinished)
                    warn(`${path} is cut off or still being written: it stays for the next collection`);
            await tree.keepUp(store.generation, isLast);
            told.fullDisk = false;
            // An idle collector waits for more results; only a signal ends it.
            if (isLast) return;
            await wait(WATCH_MS, undefined, { signal }).catch(() => undefined);
        }
    } finally {
        await store.close();
    }
}

/** A database that cannot be opened is a failed collection, not a mistake in the command: exit 4, or 3 while another process holds it. */
function asCollectionFailure(error: unknown): unknown {
    if (!(error instanceof UserError) || error.exitCode !== 2) return error;
    const { message, code } = error;
    const isMissing = code === 'RESUME_RUN_MISSING_PACKAGE';
    return new UserError(message, 4, { cause: error, ...(isMissing ? { code } : {}) });
}

/** Explains that a failed collection leaves its sources as they are. */
async function explainFailure(collect: () => Promise<void>): Promise<void> {
    try {
        await collect();
    } catch (error) {
        if (!(error instanceof UserError) && !(error instanceof WriteError)) throw error;
        const code = error instanceof UserError ? error.exitCode : 4;
        throw new UserError(`❌ 结果收集失败: ${error.message} (collecting failed)`, code, { cause: error });
    }
}

function show(result: CollectResult, hasNews: boolean, json: boolean): void {
    if (json) {
        printRaw(JSON.stringify(result));
        return;
    }
    if (!hasNews) {
        print('⚠️ 没有待提交的结果 (there is nothing to collect)');
        return;
    }
    const { added, replaced, duplicates, retired, aggregates, known_aggregates: known } = result;
    const rest = [
        replaced > 0 ? `${count(replaced)} replaced` : '',
        retired > 0 ? `${count(retired)} retired` : '',
        duplicates > 0 ? `${count(duplicates)} known already` : '',
        aggregates > 0 ? `${formatCount(aggregates, 'cell')} of earlier databases` : '',
        known > 0 ? `${formatCount(known, 'cell')} of earlier databases known already` : '',
    ].filter((part) => part !== '');
    print([`${formatCount(added, 'record')} added`, ...rest].join(', '));
    print(
        escapeLine(
            `from ${formatCount(result.files, 'file')} into ${result.database} (generation ${result.generation})`,
        ),
    );
}
