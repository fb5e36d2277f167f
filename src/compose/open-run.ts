import { join } from 'node:path';
import type { Backend } from '../backend/backend.js';
import { watchControl } from '../checkpoint/control.js';
import { chooseDatasets, type RunConfig } from '../config.js';
import type { ExecutorKind, ExecutorPlan } from '../executor/executor-kind.js';
import { executorKind } from '../executor/kinds.js';
import type { ServerExecutor, ServerHooks } from '../executor/servers/server-executor.js';
import { diskState, freeBytes } from '../host/disk.js';
import type { RemovedSamples } from '../model/directory-sample.js';
import type { PlanCounts, RunEnd, RunEvent, StopSignal } from '../model/event.js';
import { TallySum } from '../model/tally.js';
import type { EarlierImport } from '../run/earlier-import.js';
import { Figures } from '../run/figures.js';
import type { RunHandle } from '../run/parts.js';
import type { PrepareOptions } from '../run/prepare.js';
import { type Survey, survey } from '../run/survey.js';
import { now } from '../util/now.js';
import { untilAborted } from '../util/until-aborted.js';
import { UserError } from '../util/user-error.js';
import { createBackend } from './backend.js';
import { chooseChecker } from './checker.js';
import { chooseComparison } from './comparison.js';
import { describeImport } from './describe-import.js';
import { type GeneratedDataset, writeGenerated } from './generated-dataset.js';
import { listOptions, listsIn } from './lists.js';
import { type Directory, openDirectory, recordRun, rerunRequests } from './directory.js';
import { otherDatasets } from './known-run.js';
import { limitsInWords } from './limits-in-words.js';
import type { RunPaths } from './run-paths.js';
import type { RunCollection } from './run-collection.js';
import { planKeyOf } from './plan-key.js';
import { findRemovedSamples } from './removed-samples.js';
import { collectSamples, type Samples } from './samples.js';
import { spoolStdin } from './spool-stdin.js';
import { openScratch, type Scratch } from './scratch.js';
import { describeUnknownLanguage } from './unknown-language.js';

/** A run that is planned but not started: its directory is held, its plan can be read. */
export interface OpenedRun {
    readonly plan: RunPlan;
    /** Calls `listener` with every event from now on. Nothing happens before `start`. */
    onEvent(listener: (event: RunEvent) => void): void;
    /** Starts it; the promise resolves when the run has ended and everything is saved and released. Once. */
    start(): Promise<RunEnd>;
    /** First call: start nothing more and give running tasks the grace. Second call: end them now. */
    stop(signal: StopSignal): void;
    setConcurrency(concurrency: number): void;
    /** Gives the directory back without running. */
    close(): Promise<void>;
}

/** What is left to do, as data. */
export interface RunPlan {
    readonly dir: string;
    readonly datasets: readonly { readonly path: string; readonly format: string }[];
    /** Which limits hold, in words; null where nothing is judged. */
    readonly limits: string | null;
    /** How outputs are compared, in words; null where nothing is judged. */
    readonly comparison: string | null;
    readonly whole: { readonly samples: number; readonly tasks: number };
    readonly part: PlanCounts;
    /** Samples that have work, in order. */
    readonly due: readonly {
        readonly sample: string;
        readonly due: number;
        readonly dueBy: PlanCounts['dueBy'];
    }[];
    /** Rows left out because of `--skip-bad-rows`. */
    readonly badRows: readonly string[];
    /** Samples with results that the datasets no longer hold; looked for by a dry run only. */
    readonly removed?: RemovedSamples;
    /** What is taken over from results of the earlier tools; absent where there are none. */
    readonly earlier?: EarlierImport;
}

export interface OpenRunOptions {
    /** The bundled dataset, for a start that names none. */
    readonly examples: string;
    /** The dataset that a command makes; the run has no other one. */
    readonly generated?: GeneratedDataset;
    /** Lines for people, from now until the run ends. */
    readonly onNotice: (message: string, level: 'info' | 'warning') => void;
    /** Ends the planning, and the wait for a directory that another run may still hold. */
    readonly signal?: AbortSignal;
}

/** More finished entries than this are not replaced because of changed inputs unless `--rerun changed` says so. */
const CHANGED_BOUND = 20;

/**
 * Opens the datasets, takes the directory and decides what is left.
 * @throws UserError exit 2 for bad input, exit 3 if another run holds the directory
 */
export async function openRun(config: RunConfig, options: OpenRunOptions): Promise<OpenedRun> {
    const notice = (message: string): void => options.onNotice(message, 'warning');
    const { generated } = options;
    const chosen =
        generated === undefined
            ? await chooseDatasets(config, options.examples)
            : { datasets: [], announcement: null };
    if (chosen.announcement !== null) options.onNotice(chosen.announcement, 'info');
    const directory = await openDirectory(config, notice, options.signal);
    let scratch: Scratch | null = null;
    try {
        scratch = await openScratch();
        const held = { directory, scratch, options };
        // A dry run writes nothing that lasts.
        const folder = config.dryRun ? scratch.path : config.checkpoints;
        const spooling =
            generated === undefined
                ? spoolStdin(chosen.datasets, folder)
                : writeGenerated(generated, config.checkpoints, folder);
        const planning = spooling.then((paths) => planRun(config, paths, held));
        return await untilAborted(planning, options.signal);
    } catch (error) {
        await scratch?.remove();
        await directory.close();
        throw error;
    }
}

interface Held {
    readonly directory: Directory;
    readonly scratch: Scratch;
    readonly options: OpenRunOptions;
}

async function planRun(config: RunConfig, paths: readonly string[], held: Held): Promise<OpenedRun> {
    const { directory, scratch, options } = held;
    const notice = (message: string): void => options.onNotice(message, 'warning');
    // Neither a dry run nor a shard writes run.json: nothing is forgotten by them.
    const forgets = !config.dryRun && config.part.shard === null;
    const { generated } = options;
    // A dry run makes its rows elsewhere: those of earlier starts are the same dataset.
    const made = generated === undefined ? null : join(config.checkpoints, generated.file);
    const others = otherDatasets(directory.known, paths, forgets ? notice : () => {}).filter(
        ({ path }) => path !== made,
    );
    const kind: ExecutorKind = executorKind(config.executor.kind);
    const [samples, executor, checker] = await Promise.all([
        collectSamples(
            config,
            paths,
            { cache: directory.index.datasets, lists: listOptions(config, kind, directory) },
            others,
            notice,
        ),
        kind.plan(config.executor, {
            timeout: config.limits.timeout,
            memoryLimit: config.limits.memory,
            judging: config.judging,
            dir: config.dir,
            holder: directory.holder,
            scratch: scratch.path,
        }),
        chooseChecker(config.judging.checker),
    ]);
    await kind.checkFields?.(config.executor, listsIn(samples.datasets));
    for (const line of executor.notices ?? []) options.onNotice(line, 'warning');
    const reruns = rerunRequests(config, directory.known, samples.part);
    const store = directory.store(samples);
    const { known } = directory;
    const comparison = await chooseComparison(
        config.judging.checker,
        { judges: kind.judges, comparison: executor.comparison ?? null },
        samples.datasets,
        { known, store, samples: samples.whole },
    );
    if (comparison.notice !== null) options.onNotice(comparison.notice, 'info');
    const prepare: PrepareOptions = {
        limits: config.limits,
        checker,
        defaultComparison: comparison.fallback,
        executorIdentity: executor.identity ?? '',
        judges: kind.judges,
        memoryHolding: executor.memoryHolding ?? 'always',
        skipReason: (input) =>
            input.skip ??
            describeUnknownLanguage(input.language, config.judging.languages) ??
            executor.skipReason?.(input) ??
            null,
        plan: {
            allTests: config.judging.allTests,
            rerun: reruns,
            compilers: executor.compilers ?? new Map(),
        },
    };
    const planKey = planKeyOf(prepare, executor.languages ?? []);
    const settled = new TallySum();
    const due: { sample: string; due: number; dueBy: PlanCounts['dueBy'] }[] = [];
    const found = await survey(samples.part, {
        store,
        index: directory.index,
        planKey,
        options: prepare,
        thorough: config.dryRun,
        onSettled: (tally) => settled.add(tally),
        onDue: (sample, count, dueBy) => due.push({ sample, due: count, dueBy }),
    });
    if (found.earlier !== null)
        for (const line of describeImport(found.earlier)) options.onNotice(line, 'info');
    guardChanged(found, config, notice);
    // Who stopped waiting for the plan has given the directory back.
    options.signal?.throwIfAborted();
    await recordRun(directory, config, {
        samples,
        paths,
        others,
        reruns,
        comparison: comparison.record,
    });
    const plan: RunPlan = {
        dir: config.dir,
        datasets: samples.datasets.map(({ path, format }) => ({ path, format })),
        limits: kind.judges ? limitsInWords(config.limits, samples.datasets) : null,
        comparison: comparison.inWords,
        whole: wholeOf(samples),
        part: found.counts,
        due,
        badRows: samples.datasets.flatMap((dataset) => dataset.badRows),
        ...(found.earlier === null ? {} : { earlier: found.earlier }),
        ...(config.dryRun ? { removed: await findRemoved(config, samples) } : {}),
    };
    return new PlannedRun(config, held, {
        plan,
        kind,
        executor,
        prepare,
        planKey,
        store,
        settled,
        found,
        datasets: samples.datasets,
        collection: await openCollection(config, directory, samples, options.onNotice),
    });
}

async function openCollection(
    config: RunConfig,
    directory: Directory,
    samples: Samples,
    notify: OpenRunOptions['onNotice'],
): Promise<RunCollection | null> {
    if (!config.collecting.enabled || config.dryRun) return null;
    const { openRunCollection } = await import('./run-collection.js');
    return openRunCollection(config, directory, samples, notify);
}

function wholeOf({ whole }: Samples): RunPlan['whole'] {
    let tasks = 0;
    for (const { indexed } of whole) for (const [, count] of indexed.groups) tasks += count;
    return { samples: whole.length, tasks };
}

function findRemoved(place: RunPaths, { whole }: Samples): Promise<RemovedSamples> {
    return findRemovedSamples(place, new Set(whole.map(({ indexed }) => indexed.id)));
}

/** A wrong dataset, or a wrong `--checker`, must not cost a week of results. */
function guardChanged(
    { changed, changedSamples }: Survey,
    { rerun, dryRun }: Pick<RunConfig, 'rerun' | 'dryRun'>,
    notice: (message: string) => void,
): void {
    if (changed <= CHANGED_BOUND || rerun.includes('changed')) return;
    const message =
        `${changed} finished tasks would run again because their inputs (programs, tests, checker, or numbers that an earlier version rounded) changed, ` +
        `first in ${changedSamples.map((id) => JSON.stringify(id)).join(', ')}: ` +
        'check the dataset and --checker, or say --rerun changed';
    // Whoever only looks sees the plan too.
    if (!dryRun) throw new UserError(message);
    notice(message);
}

interface Planned {
    readonly plan: RunPlan;
    readonly kind: ExecutorKind;
    readonly executor: ExecutorPlan;
    readonly prepare: PrepareOptions;
    readonly planKey: string;
    readonly store: ReturnType<Directory['store']>;
    readonly settled: TallySum;
    readonly found: Survey;
    readonly datasets: Samples['datasets'];
    /** Null where results are not collected. */
    readonly collection: RunCollection | null;
}

class PlannedRun implements OpenedRun {
    readonly plan: RunPlan;
    readonly #config: RunConfig;
    readonly #held: Held;
    readonly #planned: Planned;
    readonly #listeners: ((event: RunEvent) => void)[] = [];
    #handle: RunHandle | null = null;
    #stopBeforeStart: StopSignal | null = null;

    constructor(config: RunConfig, held: Held, planned: Planned) {
        this.plan = planned.plan;
        this.#config = config;
        this.#held = held;
        this.#planned = planned;
    }

    onEvent(listener: (event: RunEvent) => void): void {
        this.#listeners.push(listener);
    }

    readonly #emit = (event: RunEvent): void => {
        for (const listener of this.#listeners) listener(event);
    };

    stop(signal: StopSignal): void {
        if (this.#handle === null) this.#stopBeforeStart = signal;
        else this.#handle.stop(signal);
    }

    setConcurrency(concurrency: number): void {
        this.#handle?.setConcurrency(concurrency);
    }

    async start(): Promise<RunEnd> {
        try {
            const { work } = this.#planned.found;
            const end = work.length === 0 ? this.#endAtOnce() : await this.#runAll();
            await this.#planned.collection?.finish(end);
            this.#emit({ type: 'run-finished', at: now(), end });
            return end;
        } finally {
            await this.close();
        }
    }

    /** Nothing is left to do: neither workers nor what drives them are loaded. */
    #endAtOnce(): RunEnd {
        this.#emitStarted(this.#config.concurrency ?? 1);
        const totals = this.#planned.settled.value();
        return new Figures().end(this.#stopBeforeStart, { totals, endpoints: [] });
    }

    async #runAll(): Promise<RunEnd> {
        const { kind, executor, found } = this.#planned;
        let backend: Backend | null = null;
        const unwatch: (() => void)[] = [];
        try {
            await kind.preflight?.(executor.descriptor);
            const servers =
                kind.runsIn === 'main' ? await kind.create(executor.descriptor, this.#serverHooks()) : null;
            const concurrency = this.#config.concurrency ?? servers?.concurrency() ?? 1;
            this.#emitStarted(concurrency, servers);
            // No more workers than tasks.
            const workers = Math.max(1, Math.min(concurrency, found.counts.due));
            backend = await createBackend(this.#config.mode, executor.descriptor, workers, servers, (line) =>
                this.#emit({ type: 'task-log', at: now(), ...line }),
            );
            const handle = await this.#run(backend, concurrency, servers);
            this.#handle = handle;
            unwatch.push(await this.#watchControl(handle), this.#watchDisk(handle), this.#saveIndex());
            if (this.#stopBeforeStart !== null) handle.stop(this.#stopBeforeStart);
            return await handle.done;
        } finally {
            for (const off of unwatch) off();
            await backend?.close();
        }
    }

    /** What the pool of endpoints tells becomes events. A run that no endpoint serves any more stops: everything is saved. */
    #serverHooks(): ServerHooks {
        return {
            changed: (endpoint) => this.#emit({ type: 'endpoint-changed', at: now(), endpoint }),
            paused: (message) => this.#emit({ type: 'paused', at: now(), message }),
            resumed: (message) => this.#emit({ type: 'resumed', at: now(), message }),
            warned: (message) => this.#held.options.onNotice(message, 'warning'),
            gaveUp: (message) => {
                this.#held.options.onNotice(message, 'warning');
                this.stop('abort');
            },
        };
    }

    #emitStarted(concurrency: number, servers: ServerExecutor | null = null): void {
        const { plan, kind, executor } = this.#planned;
        this.#emit({
            type: 'run-started',
            at: now(),
            dir: plan.dir,
            datasets: plan.datasets,
            whole: plan.whole,
            part: plan.part,
            concurrency,
            executor: kind.name,
            mode: this.#config.mode,
            sandbox: executor.sandbox ?? null,
            limits: plan.limits,
            comparison: plan.comparison,
            ...(servers === null ? {} : { endpoints: servers.endpoints().length }),
        });
    }

    async #run(backend: Backend, concurrency: number, servers: ServerExecutor | null): Promise<RunHandle> {
        const { kind, executor, prepare, planKey, store, settled, found } = this.#planned;
        const { retries, tleRetries, grace, keepSource, mode, delay, batchSize } = this.#config;
        const { startLoop } = await import('../run/run.js');
        const stager = kind.judges
            ? (await import('../dataset/stage.js')).createStager({ scratch: this.#held.scratch.path })
            : null;
        return startLoop({
            work: found.work,
            store: this.#planned.collection?.wrap(store) ?? store,
            backend,
            stage: stager === null ? null : (sample) => stager.stage(sample),
            index: this.#held.directory.index,
            planKey,
            prepare,
            options: {
                concurrency,
                prefetch: mode === 'thread' && delay === 0 && batchSize === 0 ? PREFETCH : 0,
                delay,
                batchSize,
                retries,
                tleRetries,
                grace,
                keepSource,
                patience: (task) => kind.patience(executor.descriptor, task),
            },
            settled,
            endpoints: () => servers?.endpoints() ?? [],
            emit: this.#emit,
            verifyHolder: async () => this.#held.directory.lock?.verify(),
        });
    }

    #watchControl(handle: RunHandle): Promise<() => void> {
        return watchControl(this.#config.checkpoints, (control) =>
            handle.setConcurrency(control.concurrency),
        );
    }

    /** A disk that fills up is announced in time, and stops the run while what is there can still be saved. */
    #watchDisk(handle: RunHandle): () => void {
        let warned = false;
        const look = async (): Promise<void> => {
            const free = await freeBytes(this.#config.dir);
            const state = free === null ? 'fine' : diskState(free);
            if (state === 'fine' || (state === 'low' && warned)) return;
            warned = true;
            const left = Math.round((free ?? 0) / 1024 ** 2);
            const message = `${left} MiB are free for ${this.#config.dir}`;
            this.#held.options.onNotice(state === 'full' ? `${message}: stopping` : message, 'warning');
            if (state === 'full') handle.stop('abort');
        };
        void look();
        const timer = setInterval(() => void look(), DISK_WATCH_MS).unref();
        return () => clearInterval(timer);
    }

    /** A kill then costs the next start little reading; at once too, for what this start had to read. */
    #saveIndex(): () => void {
        const save = (): void => void this.#held.directory.index.save();
        save();
        const timer = setInterval(save, INDEX_SAVE_MS).unref();
        return () => clearInterval(timer);
    }

    async close(): Promise<void> {
        await this.#planned.store.close().catch(() => undefined);
        await this.#planned.collection?.close();
        await this.#held.scratch.remove();
        await this.#held.directory.close();
    }
}

/** Tasks handed out ahead while they are tiny; see run/slots.ts. */
const PREFETCH = 128;

const DISK_WATCH_MS = 10_000;

const INDEX_SAVE_MS = 60_000;
