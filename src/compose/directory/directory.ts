import { join } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import { createFileStore } from '../../checkpoint/file-store.js';
import { IndexFile } from '../../checkpoint/index/index-file.js';
import { FileNames } from '../../checkpoint/result-file/names.js';
import {
    createRunFile,
    type RunFile,
    readRunFile,
    restrictRunFile,
    writeRunFile,
} from '../../checkpoint/run-directory/run-file.js';
import { deriveRunId, findRunId, makeRunId } from '../../checkpoint/run-directory/run-id.js';
import type { CheckpointStore } from '../../checkpoint/store.js';
import type { RunConfig } from '../../config.js';
import { listFiles, listManyFiles } from '../../host/listing.js';
import { acquireLock, type Lock } from '../../host/lock.js';
import { readPackageVersion } from '../../host/package-version.js';
import { makeHolderId } from '../../host/staging-name.js';
import { sweep } from '../../host/sweep.js';
import { formatRerun, parseRerun, RERUN_FORMS } from '../../model/rerun.js';
import { OUTPUTS_FOLDER } from '../../model/output-file.js';
import { matchesId, type Rerun } from '../../plan/rerun.js';
import type { SampleItem } from '../../run/sample-item.js';
import type { TextSet } from '../../util/columns/text-set.js';
import { UserError } from '../../util/user-error.js';
import type { OtherDataset, Samples } from '../samples.js';

/** A results directory and its checkpoints folder, held by this run (or only read, for `--dry-run`). */
export interface Directory {
    /** Null if the directory is only read. */
    readonly lock: Lock | null;
    /** Part of the names of this run's temporary files. */
    readonly holder: string;
    readonly index: IndexFile;
    readonly known: RunFile | null;
    /** Names of the files in the results directory, listed when it was opened; stores keep the list up to date. */
    readonly listing: TextSet;
    /** Id of the run: known, found in result files, or new. `recordRun` replaces it if another shard was first. */
    run: string;
    /** The store over every id of the datasets. */
    store(samples: SampleIds): CheckpointStore;
    /** A read-only store for the same ids. It prints no notices about files that it cannot read. */
    reader(samples: SampleIds): CheckpointStore;
    close(): Promise<void>;
}

/** Every id that may occur as the name of a result file. */
export interface SampleIds {
    readonly whole: { ids(): Iterable<string> };
}

/**
 * Takes the lock of the directory and removes what killed runs left in it.
 * @throws UserError exit 3 if another run holds it
 */
export async function openDirectory(
    config: Pick<RunConfig, 'dir' | 'checkpoints' | 'part' | 'takeOver' | 'dryRun'>,
    onNotice: (message: string) => void,
    signal?: AbortSignal,
): Promise<Directory> {
    const { dir, checkpoints, part, takeOver, dryRun } = config;
    const lock = dryRun
        ? null
        : await acquireLock({
              checkpointsDir: checkpoints,
              dir,
              shard: part.shard,
              takeOver,
              onNotice,
              ...(signal === undefined ? {} : { signal }),
          });
    try {
        const holder = lock?.id ?? makeHolderId();
        const listing = await listManyFiles(dir);
        const folders = [
            { dir, names: listing },
            checkpoints,
            join(checkpoints, 'earlier'),
            join(dir, OUTPUTS_FOLDER),
        ];
        const [index, known] = await Promise.all([
            IndexFile.load(checkpoints, part.shard, holder),
            readRunFile(checkpoints),
            lock === null
                ? 0
                : sweep(folders, async () => new Set([lock.id, ...(await lock.otherHolders())])),
        ]);
        const directory: Directory = {
            lock,
            holder,
            index,
            known,
            listing,
            // Readers write no id.
            run: known?.run ?? (lock === null ? '' : await chooseRunId(config, known)),
            store: (samples) =>
                createFileStore({
                    dir,
                    checkpointsDir: checkpoints,
                    holder,
                    names: new FileNames(samples.whole.ids()),
                    onNotice,
                    listing,
                    run: () => directory.run,
                    hadFile: (id) => index.findPlace(id) !== -1,
                    readOnly: lock === null,
                    ...(lock === null ? {} : { stillHolder: () => lock.verify() }),
                }),
            reader: (samples) =>
                createFileStore({
                    dir,
                    checkpointsDir: checkpoints,
                    holder,
                    names: new FileNames(samples.whole.ids()),
                    onNotice: () => undefined,
                    readOnly: true,
                }),
            close: async () => {
                if (lock !== null) await index.save();
                await lock?.release();
            },
        };
        return directory;
    } catch (error) {
        await lock?.release();
        throw error;
    }
}

/** The id for a run whose run.json has none: lost, new, or written by version 0.1. */
async function chooseRunId(
    config: Pick<RunConfig, 'dir' | 'checkpoints'>,
    known: RunFile | null,
): Promise<string> {
    if (known?.run !== undefined) return known.run;
    // Listed in order, so that every reader finds the same id.
    return (await deriveEarlierRunId(config, known, await listFiles(config.dir))) ?? makeRunId();
}

/**
 * The id of a run that was started before: from its run.json or its result files, or derived for a version that wrote none. Every
 * reader gets the same id at any time. Null for a directory without results.
 * @param listing names in the results directory
 * @throws UserError (exit 2) if archive.json cannot be read
 */
export async function deriveEarlierRunId(
    { dir, checkpoints }: Pick<RunConfig, 'dir' | 'checkpoints'>,
    known: RunFile | null,
    listing: readonly string[],
): Promise<string | null> {
    if (known?.run !== undefined) return known.run;
    const found = await findRunId(dir, listing, checkpoints);
    if (found !== null) return found;
    const wasRunBefore = known !== null || listing.some((name) => name.endsWith('.json'));
    return wasRunBefore ? deriveRunId(known, dir) : null;
}

/**
 * `--rerun` requests of earlier starts and of this one, each with its time; they stay for good.
 * @param samples what this start takes: a glob that matches none of them is refused as mistyped
 * @throws UserError for such a glob, or a request that cannot be stored
 */
export function rerunRequests(
    config: Pick<RunConfig, 'rerun' | 'part'>,
    known: RunFile | null,
    samples: Iterable<SampleItem>,
): readonly Rerun[] {
    const at = new Date().toISOString();
    const earlier = (known?.reruns ?? []).map((one) => ({
        what: parseRerun(one.request, 'reruns in run.json'),
        at: one.at,
        only: one.only,
    }));
    const now = config.rerun.map((what) => ({ what, at, only: config.part.only }));
    if (
        now.some((one) => one.what !== 'changed') &&
        (config.part.limit !== null || config.part.shard !== null)
    ) {
        throw new UserError(
            '--rerun can be combined with --only, but not with --limit or --shard: a later start would not know which samples were meant',
        );
    }
    for (const { what } of now) if (typeof what === 'object') checkGlob(what.glob, samples);
    return [...earlier, ...now];
}

function checkGlob(glob: string, samples: Iterable<SampleItem>): void {
    for (const { indexed } of samples) if (matchesId(glob, indexed.id)) return;
    throw new UserError(`--rerun ${glob}: no sample has such an id; expected ${RERUN_FORMS}`);
}

/** Records what a restart without arguments needs to know. Further shards must agree with the run.json of the first one. */
export async function recordRun(
    directory: Directory,
    config: Pick<RunConfig, 'checkpoints' | 'runOptions' | 'part' | 'format'>,
    asked: {
        readonly samples: Samples;
        readonly paths: readonly string[];
        readonly others: readonly OtherDataset[];
        readonly reruns: readonly Rerun[];
        readonly comparison: RunFile['comparison'] | null;
    },
): Promise<void> {
    const { samples, paths, others, reruns } = asked;
    const comparison = asked.comparison ?? directory.known?.comparison;
    const { lock, known } = directory;
    if (lock === null) return;
    const now = new Date().toISOString();
    const kept = new Set([...paths, ...others.map(({ path }) => path)]);
    const earlier = (known?.datasets ?? []).filter(({ path }) => kept.has(path));
    const datasets = new Map(earlier.map((one) => [one.path, one]));
    // The datasets as the user named them: one folder may hold several.
    for (const path of paths) datasets.set(path, { path, format: config.format });
    const run: RunFile = {
        version: 1,
        run: directory.run,
        created_at: known?.created_at ?? now,
        updated_at: now,
        datasets: [...datasets.values()],
        options: { ...config.runOptions },
        totals: countTotals(samples),
        versions: { 'resume-run': readPackageVersion(), node: process.version },
        ...(comparison === undefined ? {} : { comparison }),
        ...findBuckets(samples, known),
        reruns: reruns
            .filter((one) => one.what !== 'changed')
            .map(({ what, at, only }) => ({
                request: formatRerun(what),
                at,
                only: [...only],
            })),
    };
    if (known === null) {
        const { created, run: there } = await createRunFile(config.checkpoints, lock.id, run);
        if (created) return;
        directory.run = there.run ?? directory.run;
        agree(there, run);
        return;
    }
    await restrictRunFile(config.checkpoints);
    if (config.part.shard !== null) agree(known, run);
    else if (!isSameBut(known, run, 'updated_at')) await writeRunFile(config.checkpoints, lock.id, run);
}

/** Buckets of the lists of this start and of earlier ones. */
function findBuckets({ datasets }: Samples, known: RunFile | null): Pick<RunFile, 'buckets'> {
    const found = datasets.flatMap(({ buckets }) => [...(buckets ?? [])]);
    const buckets = { ...known?.buckets, ...Object.fromEntries(found) };
    return Object.keys(buckets).length === 0 ? {} : { buckets };
}

function isSameBut(a: RunFile, b: RunFile, key: keyof RunFile): boolean {
    return isDeepStrictEqual({ ...a, [key]: null }, { ...b, [key]: null });
}

/** @throws UserError if another shard was started with different options */
function agree(there: RunFile, ours: RunFile): void {
    for (const [name, value] of Object.entries(ours.options)) {
        if (JSON.stringify(there.options[name] ?? null) === JSON.stringify(value ?? null)) continue;
        throw new UserError(
            `--${name}: the shards of one directory must agree; run.json says ${JSON.stringify(there.options[name] ?? null)}`,
        );
    }
}

function countTotals(samples: Samples): RunFile['totals'] {
    const groups: Record<string, number> = Object.create(null) as Record<string, number>;
    let tasks = 0;
    for (const [sizes, times] of samples.whole.countGroups()) {
        for (const [name, count] of sizes) {
            groups[name] = (groups[name] ?? 0) + times * count;
            tasks += times * count;
        }
    }
    return { samples: samples.whole.length, tasks, groups: { ...groups } };
}
