import { availableParallelism } from 'node:os';
import { basename, dirname, join } from 'node:path';
import type { CheckpointStore } from '../checkpoint/store.js';
import type { RunConfig } from '../config.js';
import type { ExecutorKind, ExecutorPlan } from '../executor/executor-kind.js';
import { findExecutorKind } from '../executor/kinds.js';
import type { DatasetCache, TestMakerSource } from '../dataset/dataset.js';
import type { RowFiles } from '../dataset/row-files.js';
import { readMachineLoad } from '../host/machine-load.js';
import type { Scratch } from '../host/scratch.js';
import { describeFeature, listFeatures } from '../model/problem-features.js';
import type { GroupSizes } from '../model/directory-sample.js';
import type { Checker, Judging, ProgramInput } from '../model/sample.js';
import { TallySum } from '../model/tally-sum.js';
import type { TestMaker } from '../model/test-recipe.js';
import type { PrepareOptions } from '../run/prepare.js';
import { formatCount } from '../report/format.js';
import { listDueTasks } from '../run/due-tasks.js';
import { type Survey, survey } from '../run/survey.js';
import { escapeLine } from '../util/printable.js';
import { shortenPath } from '../util/shown-path.js';
import { UserError } from '../util/user-error.js';
import { chooseChecker } from './checker.js';
import type { RunCollection } from './collect/run-collection.js';
import { chooseComparison } from './comparison.js';
import { describeImport } from './describe-import.js';
import { type Directory, recordRun, rerunRequests } from './directory/directory.js';
import { findOtherDatasets } from './directory/known-run.js';
import { findRemovedSamples } from './directory/removed-samples.js';
import { describeLimits } from './limits-in-words.js';
import { listOptions, findLists } from './lists.js';
import type { OpenRunOptions, RunPlan } from './opened-run.js';
import { computePlanKey } from './plan-key.js';
import { collectSamples, type OtherDataset, type Samples } from './samples.js';
import { describeMissingToolchain } from './missing-toolchain.js';
import { describeUnknownLanguage } from './unknown-language.js';

export interface Held {
    readonly directory: Directory;
    readonly scratch: Scratch;
    readonly files: RowFiles;
    readonly options: OpenRunOptions;
}

export interface Planned {
    readonly plan: RunPlan;
    readonly kind: ExecutorKind;
    readonly executor: ExecutorPlan;
    readonly prepare: PrepareOptions;
    readonly planKey: string;
    readonly store: CheckpointStore;
    readonly settled: TallySum;
    readonly found: Survey;
    /** Null if results are not collected. */
    readonly collection: RunCollection | null;
    /** Stops the generation of tests; callers that wait for them get none. */
    readonly stopMaking: () => void;
}

/** If more finished entries than this would be replaced because of changed inputs, `--rerun changed` is required. */
const CHANGED_BOUND = 20;

/**
 * Decides what is left to run: indexes the datasets, prepares the executor, compares each sample with its result file, and
 * records in run.json what later starts need to know.
 * @param paths the datasets, with stdin already replaced by a file
 * @throws UserError exit 2 for invalid input
 */
export async function planRun(config: RunConfig, paths: readonly string[], held: Held): Promise<Planned> {
    const { directory, options } = held;
    const warn = (message: string): void => options.onNotice(message, 'warning');
    const inform = (message: string): void => options.onNotice(message, 'info');
    const inputs = await readInputs(config, paths, held);
    const { kind, samples, executor, others } = inputs;
    const reruns = rerunRequests(config, directory.known, samples.part);
    const store = directory.store(samples);
    const comparison = await chooseComparison(
        config.judging.checker,
        { judges: kind.judges, comparison: executor.comparison ?? null },
        samples.datasets,
        { known: directory.known, store, samples: samples.whole },
    );
    if (comparison.notice !== null) inform(comparison.notice);
    const prepare = prepareOptions(config, inputs, comparison.fallback, reruns);
    const planKey = computePlanKey(prepare, executor.languages ?? []);
    const settled = new TallySum();
    const topped = await topUp(config, samples, { store, prepare }, held);
    const found = await survey(samples.part, {
        store: topped,
        index: directory.index,
        planKey,
        options: prepare,
        thorough: config.dryRun,
        onSettled: (tally) => settled.add(tally),
    });
    if (found.earlier !== null) for (const line of describeImport(found.earlier)) inform(line);
    if (found.relabelled > 0) inform(describeRelabelled(found.relabelled, config.dryRun));
    guardChanged(found, config, warn);
    // If planning has been aborted, the directory is already released.
    options.signal?.throwIfAborted();
    noteEmptySamples(samples.part, kind, inform);
    await recordRun(directory, config, { samples, paths, others, reruns, comparison: comparison.record });
    const plan: RunPlan = {
        dir: config.dir,
        datasets: samples.datasets.map(({ path, format }) => ({
            path: findLastingPath(path, config, held.scratch),
            format,
        })),
        limits: kind.judges ? describeLimits(config.limits, samples.datasets) : null,
        comparison: comparison.inWords,
        whole: measureSize(samples.whole),
        part: found.counts,
        get due() {
            return [...listDue(found.work)];
        },
        eachDue: () => listDue(found.work),
        badRows: [...samples.leftOut, ...samples.datasets.flatMap((dataset) => dataset.badRows)],
        ...(found.earlier === null ? {} : { earlier: found.earlier }),
        ...(config.dryRun ? { skips: sumSkips(settled, found.work) } : {}),
        ...(config.dryRun ? { removed: await findRemovedSamples(config, samples) } : {}),
        ...(config.dryRun && kind.estimate !== undefined
            ? {
                  estimate: await kind.estimate(
                      executor.descriptor,
                      listDueTasks(found.work, { store: topped, prepare }),
                  ),
              }
            : {}),
    };
    const collection = await openCollection(config, directory, samples, options.onNotice);
    const { stopMaking } = inputs;
    return { plan, kind, executor, prepare, planKey, store, settled, found, collection, stopMaking };
}

const describeRelabelled = (entries: number, isDryRun: boolean): string =>
    `the dataset's labels of ${formatCount(entries, 'finished task')} changed: results ` +
    `${isDryRun ? 'would be' : 'are'} relabelled, and no task runs again`;

/**
 * The path that a run would use for a dataset that it generates or reads from stdin; in a dry run the dataset is in a scratch
 * folder.
 */
function findLastingPath(path: string, { checkpoints }: RunConfig, scratch: Scratch): string {
    return dirname(path) === scratch.path ? join(checkpoints, basename(path)) : path;
}

/** The inputs that a run reads before planning. */
interface Inputs {
    readonly kind: ExecutorKind;
    readonly samples: Samples;
    readonly executor: ExecutorPlan;
    /** The checker selected by `--checker`; null leaves the samples' own. */
    readonly checker: Checker | null;
    /** Datasets that earlier starts ran into the directory and this one does not name. */
    readonly others: readonly OtherDataset[];
    readonly stopMaking: () => void;
}

async function readInputs(config: RunConfig, paths: readonly string[], held: Held): Promise<Inputs> {
    const { directory, scratch, files, options } = held;
    const warn = (message: string): void => options.onNotice(message, 'warning');
    // Dry runs and shards do not write run.json, so they forget no datasets.
    const forgets = !config.dryRun && config.part.shard === null;
    const { generated } = options;
    // A dry run generates its rows in another folder; the file of an earlier start is the same dataset.
    const made = generated === undefined ? null : join(config.checkpoints, generated.file);
    const others = findOtherDatasets(directory.known, paths, forgets ? warn : () => {}).filter(
        ({ path }) => path !== made,
    );
    const kind: ExecutorKind = findExecutorKind(config.executor.kind);
    const planning = kind.plan(config.executor, {
        timeout: config.limits.timeout,
        memoryLimit: config.limits.memory,
        judging: config.judging,
        dir: config.dir,
        holder: directory.holder,
        scratch: scratch.path,
        isQueued: config.mode === 'queue',
    });
    // A dry run leaves nothing behind.
    const testsFolder = join(config.dryRun ? scratch.path : config.checkpoints, 'generated-tests');
    const making = new AbortController();
    const stopMaking = (): void => making.abort();
    options.signal?.addEventListener('abort', stopMaking, { once: true });
    let maker: Promise<TestMaker | null> | null = null;
    const testMaker: TestMakerSource = () =>
        (maker ??= planning.then(
            (plan) =>
                plan.createTestMaker?.({
                    folder: testsFolder,
                    notify: (line) => options.onNotice(line, 'info'),
                    concurrency: Math.min(config.concurrency ?? 1, availableParallelism()),
                    signal: making.signal,
                }) ?? null,
        ));
    const [samples, executor, checker] = await Promise.all([
        collectSamples(
            { ...config, part: { ...config.part, ids: generated?.samples?.() ?? null } },
            { paths, others, recorded: directory.known?.datasets.map(({ path }) => path) ?? [] },
            {
                cache: chooseCache(directory.index.datasets, config.dryRun),
                lists: listOptions(config, kind, directory),
                files,
                testMaker,
            },
            warn,
        ),
        planning,
        chooseChecker(config.judging.checker),
    ]);
    await kind.checkFields?.(config.executor, findLists(samples.datasets));
    for (const line of executor.notices ?? []) warn(line);
    for (const line of executor.remarks ?? []) options.onNotice(line, 'info');
    return { kind, samples, executor, checker, others, stopMaking };
}

/** A dry run writes no index, so it does not have to remember the rows that it reads. */
const chooseCache = (cache: DatasetCache, isDryRun: boolean): DatasetCache =>
    isDryRun ? { get: (file, stamp) => cache.get(file, stamp), set: () => undefined } : cache;

function prepareOptions(
    { limits, judging }: Pick<RunConfig, 'limits' | 'judging'>,
    { kind, executor, checker }: Inputs,
    defaultComparison: PrepareOptions['defaultComparison'],
    rerun: PrepareOptions['plan']['rerun'],
): PrepareOptions {
    return {
        limits,
        checker,
        defaultComparison,
        executorIdentity: executor.identity ?? '',
        judges: kind.judges,
        memoryHolding: executor.memoryHolding ?? 'always',
        machineLoad: kind.judges && kind.runsIn !== 'main' ? readMachineLoad : null,
        skipReason: (input, { judging: judged }) =>
            input.skip ??
            describeUnknownLanguage(input, judging.languages) ??
            executor.skipReason?.(input) ??
            describeMissingToolchain(judged, executor) ??
            describeMissingFeature(input, judged, executor.features),
        plan: { allTests: judging.allTests, rerun, compilers: executor.compilers ?? new Map() },
    };
}

function describeMissingFeature(
    input: ProgramInput,
    judging: Judging | null,
    features: ExecutorPlan['features'],
): string | null {
    if (judging === null) return null;
    const missing = listFeatures(judging, input).find((feature) => features?.includes(feature) !== true);
    return missing === undefined
        ? null
        : `${describeFeature(missing)} run only on this machine (--executor judge)`;
}

async function openCollection(
    config: RunConfig,
    directory: Directory,
    samples: Samples,
    notify: OpenRunOptions['onNotice'],
): Promise<RunCollection | null> {
    if (!config.collecting.enabled || config.dryRun) return null;
    const { openRunCollection } = await import('./collect/run-collection.js');
    return openRunCollection(config, directory, samples, notify);
}

/**
 * Adopts results from a results database for the tasks to run, if requested.
 * @returns the store by which the run is planned; in a dry run it includes the results that would be adopted
 */
async function topUp(
    config: RunConfig,
    samples: Samples,
    { store, prepare }: { readonly store: CheckpointStore; readonly prepare: PrepareOptions },
    { directory, options }: Held,
): Promise<Pick<CheckpointStore, 'read' | 'isEmpty' | 'stamp'>> {
    const { topUpFrom: database } = options;
    if (database === undefined) return store;
    const [{ adoptRecords }, { overlayAdopted }] = await Promise.all([
        import('./collect/adopt-records.js'),
        import('./collect/adopted-overlay.js'),
    ]);
    const { dryRun: isDryRun, keepSource } = config;
    const topped = isDryRun ? overlayAdopted(store) : store;
    const { run } = directory;
    const adopted = await adoptRecords(samples.part, { store: topped, prepare, database, run, keepSource });
    const what = `${adopted} ${adopted === 1 ? 'result' : 'results'} of ${shortenPath(database)}`;
    options.onNotice(isDryRun ? `${what} would be adopted` : `${what} adopted`, 'info');
    return topped;
}

function measureSize(samples: Samples['whole']): RunPlan['whole'] {
    let tasks = 0;
    for (const [groups, count] of samples.countGroups()) tasks += count * sumTasks(groups);
    return { samples: samples.length, tasks };
}

const sumTasks = (groups: GroupSizes): number => groups.reduce((sum, [, count]) => sum + count, 0);

function* listDue(work: Survey['work']): Generator<RunPlan['due'][number]> {
    for (const { indexed, due, dueBy } of work) yield { sample: indexed.id, due, dueBy };
}

/** Counts why tasks are skipped, over all samples. The survey of a dry run reads every sample whose dataset may skip some. */
function sumSkips(settled: TallySum, work: Survey['work']): NonNullable<RunPlan['skips']> {
    const unsettled = new TallySum();
    for (const tally of work.tallies()) unsettled.add(tally);
    const sum = new Map(Object.entries(settled.value().skips));
    for (const [reason, count] of Object.entries(unsettled.value().skips)) {
        sum.set(reason, (sum.get(reason) ?? 0) + count);
    }
    return Object.fromEntries(sum);
}

const isEmpty = (groups: GroupSizes): boolean =>
    groups.every(([, tasks, skipped = 0]) => tasks + skipped === 0);

/** Reports samples without tasks, which would otherwise count as finished although nothing was judged. */
function noteEmptySamples(
    part: Samples['part'],
    kind: ExecutorKind,
    inform: (message: string) => void,
): void {
    let empty = 0;
    for (const [groups, count] of part.countGroups()) if (isEmpty(groups)) empty += count;
    if (empty === 0) return;
    const names: string[] = [];
    for (const { indexed } of part) {
        if (!isEmpty(indexed.groups)) continue;
        names.push(escapeLine(indexed.id));
        if (names.length === 3) break;
    }
    const more = empty > names.length ? `, and ${empty - names.length} more` : '';
    inform(`${kind.judges ? 'no submissions' : 'no tasks'} in ${names.join(', ')}${more}`);
}

/** Protects results against a wrong dataset or `--checker`, which must not cost a week of work. */
function guardChanged(
    { changed, changedSamples }: Survey,
    { rerun, dryRun }: Pick<RunConfig, 'rerun' | 'dryRun'>,
    notice: (message: string) => void,
): void {
    if (changed <= CHANGED_BOUND || rerun.includes('changed')) return;
    const message =
        `${changed} finished tasks would run again because their inputs (programs, tests, checker, or numbers that an earlier version rounded) changed, ` +
        `first in ${changedSamples.map((id) => JSON.stringify(id)).join(', ')}: ` +
        'check the dataset and --checker, or pass --rerun changed';
    // A dry run still shows the plan.
    if (!dryRun) throw new UserError(message, 2, { code: 'RESUME_RUN_INPUTS_CHANGED' });
    notice(message);
}
