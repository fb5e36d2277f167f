import type { Backend } from '../backend/backend.js';
import { watchControl } from '../checkpoint/run-directory/control.js';
import type { Mode, RunConfig } from '../config.js';
import type { FunctionDescriptor } from '../executor/function-kind.js';
import { openMinuteFile } from '../checkpoint/run-directory/minute-file.js';
import { MinuteBook } from '../endpoint/minute-book.js';
import type { ServerExecutor, ServerHooks } from '../executor/servers/server-executor.js';
import { judgeDiskState, freeBytes } from '../host/disk.js';
import type { EndpointState, RunEnd, RunEvent } from '../model/event.js';
import type { StopReason } from '../model/stop.js';
import type { TaskLog } from '../model/task.js';
import { Figures } from '../run/figures.js';
import type { RunHandle } from '../run/parts.js';
import { now } from '../util/now.js';
import { createBackend, type QueueSettings } from './backend.js';
import { WaitingMeter } from './waiting-meter.js';
import type { OpenedRun, RunPlan } from './opened-run.js';
import type { Held, Planned } from './plan-run.js';
import { openTracing, type Tracing } from './tracing.js';

/** A planned run, ready to be started: combines the plan with a backend and the loop. */
export class PlannedRun implements OpenedRun {
    readonly plan: RunPlan;
    readonly #config: RunConfig;
    readonly #held: Held;
    readonly #planned: Planned;
    readonly #listeners: ((event: RunEvent) => void)[] = [];
    /** Where tasks run: the chosen mode, or else the one that the executor prefers. */
    #mode: Mode;
    #handle: RunHandle | null = null;
    #stopBeforeStart: StopReason | null = null;
    #servers: ServerExecutor | null = null;
    #isConcurrencyGiven: boolean;

    constructor(config: RunConfig, held: Held, planned: Planned) {
        this.plan = planned.plan;
        this.#config = config;
        this.#mode = config.mode;
        this.#isConcurrencyGiven = config.concurrency !== null;
        this.#held = held;
        this.#planned = planned;
    }

    onEvent(listener: (event: RunEvent) => void): void {
        this.#listeners.push(listener);
    }

    readonly #emit = (event: RunEvent): void => {
        for (const listener of this.#listeners) listener(event);
    };

    stop(reason: StopReason): void {
        if (this.#handle === null) this.#stopBeforeStart = reason;
        else this.#handle.stop(reason);
    }

    setConcurrency(concurrency: number): void {
        this.#isConcurrencyGiven = true;
        this.#servers?.widenTo?.(concurrency);
        this.#handle?.setConcurrency(concurrency);
    }

    endpoints(): readonly EndpointState[] {
        return this.#servers?.endpoints() ?? [];
    }

    /** Runs as many tasks at once as the servers currently take, unless the user gave a number. */
    #followServers(): void {
        if (this.#isConcurrencyGiven || this.#servers === null) return;
        this.#handle?.setConcurrency(this.#servers.concurrency());
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

    /** Ends a run with no tasks left, without loading workers and the modules that drive them. */
    #endAtOnce(): RunEnd {
        this.#emitStarted(this.#config.concurrency ?? 1);
        const totals = this.#planned.settled.value();
        return new Figures().end(this.#stopBeforeStart, { totals, endpoints: [] });
    }

    async #runAll(): Promise<RunEnd> {
        const { kind, executor, found: survey } = this.#planned;
        let backend: Backend | null = null;
        let tracing: Tracing | null = null;
        const unwatch: (() => void)[] = [];
        try {
            // Queue workers check this themselves: the programs that they run need not be installed here.
            const isHere = this.#mode !== 'queue';
            const found = isHere ? await kind.preflight?.(executor.descriptor) : undefined;
            if (found?.mode !== undefined && !this.#config.isModeGiven) this.#mode = found.mode;
            tracing = await openTracing(this.#config.display.langSmith, (message) =>
                this.#held.options.onNotice(message, 'warning'),
            );
            const servers = await this.#createInMain();
            const concurrency = this.#config.concurrency ?? servers?.concurrency() ?? 1;
            if (this.#config.concurrency !== null) servers?.widenTo?.(this.#config.concurrency);
            servers?.prepare?.({
                tasks: survey.counts.due,
                concurrency: this.#config.concurrency,
                runsHere: this.#mode === 'async',
            });
            this.#servers = servers;
            this.#emitStarted(concurrency, servers);
            // No more workers than tasks.
            const workers = Math.max(1, Math.min(concurrency, survey.counts.due));
            const told = (line: TaskLog): void => {
                if (line.span === undefined) this.#emit({ type: 'task-log', at: now(), ...line });
                else tracing?.add(line.span);
            };
            const queue = this.#mode === 'queue' ? this.#queueSettings() : null;
            backend = await createBackend(this.#mode, executor.descriptor, workers, servers, told, queue);
            backend = tracing?.wrap(backend) ?? backend;
            const handle = await this.#run(backend, concurrency, servers);
            this.#handle = handle;
            this.#followServers();
            if (kind.name === 'module' && this.#mode === 'thread') this.#hintAtWaiting();
            unwatch.push(await this.#watchControl(), this.#watchDisk(handle), this.#saveIndex());
            if (this.#stopBeforeStart !== null) handle.stop(this.#stopBeforeStart);
            return await handle.done;
        } finally {
            for (const off of unwatch) off();
            await backend?.close();
            await tracing?.close();
        }
    }

    #queueSettings(): QueueSettings {
        const { redis, dir, judging } = this.#config;
        const { holder } = this.#held.directory;
        if (redis === null) throw new Error('bug in resume-run: a queue without its Redis');
        const { kind, executor } = this.#planned;
        const { toolchains, sandbox } = executor;
        const limit = kind.keptOutput === undefined ? MAX_FILE_BYTES : judging.outputLimit;
        return {
            redis,
            run: this.#held.directory.run,
            toolchains,
            sandbox,
            languageOf: (program) => executor.languageOf?.(program) ?? null,
            runsPrograms: kind.runsIn === 'worker',
            describe: async (descriptor) =>
                kind.runsIn === 'main' && kind.describeForWorkers !== undefined
                    ? kind.describeForWorkers(descriptor)
                    : descriptor,
            outputs: kind.leavesFiles === true ? { dir, holder, limit } : null,
            onNotice: (message) => this.#held.options.onNotice(message, 'warning'),
            onPaused: (message) => this.#emit({ type: 'paused', at: now(), message }),
            onResumed: (message) => this.#emit({ type: 'resumed', at: now(), message }),
        };
    }

    /** The executor if it runs in this process; null if it runs where the tasks do. */
    async #createInMain(): Promise<ServerExecutor | null> {
        const { kind, executor } = this.#planned;
        const { task } = this.#held.options;
        if (task !== undefined) {
            const { createFunctionExecutor } = await import('../executor/function.js');
            return createFunctionExecutor(task, executor.descriptor as FunctionDescriptor);
        }
        return kind.runsIn === 'main' ? await kind.create(executor.descriptor, this.#serverHooks()) : null;
    }

    /**
     * Turns reports of the endpoint pool into events. If no endpoint serves the run any longer, the run stops with everything
     * saved.
     */
    #serverHooks(): ServerHooks {
        const { checkpoints, part } = this.#config;
        return {
            minutes: new MinuteBook(openMinuteFile(checkpoints, part.shard?.index ?? null)),
            resized: () => this.#followServers(),
            changed: (endpoint) => this.#emit({ type: 'endpoint-changed', at: now(), endpoint }),
            paused: (message) => this.#emit({ type: 'paused', at: now(), message }),
            resumed: (message) => this.#emit({ type: 'resumed', at: now(), message }),
            warned: (message) => this.#held.options.onNotice(message, 'warning'),
            budgetSpent: (message) => this.stop({ reason: 'budget', message }),
            gaveUp: (message) => {
                this.#held.options.onNotice(message, 'warning');
                this.stop({ reason: 'endpoints', message });
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
            mode: this.#mode,
            sandbox: executor.sandbox ?? null,
            limits: plan.limits,
            comparison: plan.comparison,
            ...(servers === null ? {} : { endpoints: servers.endpoints().length }),
        });
    }

    async #run(backend: Backend, concurrency: number, servers: ServerExecutor | null): Promise<RunHandle> {
        const { kind, executor, prepare, planKey, store, settled, found } = this.#planned;
        const { retries, retryDelay, tleRetries, grace, keepSource } = this.#config;
        const { delay, rate, batchSize, stopAfter, halt } = this.#config;
        const isPaced = delay > 0 || rate !== null || batchSize > 0;
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
                prefetch: this.#mode === 'thread' && !isPaced ? PREFETCH : 0,
                delay,
                rate,
                batchSize,
                stopAfter,
                halt,
                retries,
                retryDelay,
                tleRetries,
                grace,
                keepSource,
                isPaid: kind.isPaid === true,
                // A task may wait long for a worker, which limits its time itself.
                patience: (task) =>
                    this.#mode === 'queue' ? null : kind.patience(executor.descriptor, task),
            },
            settled,
            endpoints: () => servers?.endpoints() ?? [],
            spent: () => servers?.spent?.(),
            emit: this.#emit,
            stopLoading: this.#planned.stopMaking,
            verifyHolder: async () => this.#held.directory.lock?.verify(),
        });
    }

    /** Prints a hint, once, if threads mostly wait: one thread could serve all their tasks. */
    #hintAtWaiting(): void {
        const meter = new WaitingMeter();
        this.onEvent((event) => {
            const hint = meter.onEvent(event);
            if (hint !== null) this.#held.options.onNotice(hint, 'info');
        });
    }

    #watchControl(): Promise<() => void> {
        return watchControl(this.#config.checkpoints, ({ concurrency }) => this.setConcurrency(concurrency));
    }

    /** Warns in time about a disk that fills up, and stops the run while existing results can still be saved. */
    #watchDisk(handle: RunHandle): () => void {
        let warned = false;
        const look = async (): Promise<void> => {
            const free = await freeBytes(this.#config.dir);
            const state = free === null ? 'fine' : judgeDiskState(free);
            if (state === 'fine' || (state === 'low' && warned)) return;
            warned = true;
            const left = Math.round((free ?? 0) / 1024 ** 2);
            const message = `${left} MiB are free for ${this.#config.dir}`;
            this.#held.options.onNotice(state === 'full' ? `${message}: stopping` : message, 'warning');
            if (state === 'full') handle.stop({ reason: 'disk', message });
        };
        void look();
        const timer = setInterval(() => void look(), DISK_WATCH_MS).unref();
        return () => clearInterval(timer);
    }

    /**
     * Saves the index regularly, so that a start after a kill has little to read; and immediately, for what this start had to
     * read.
     */
    #saveIndex(): () => void {
        const save = (): void => void this.#held.directory.index.save();
        save();
        const timer = setInterval(save, INDEX_SAVE_MS).unref();
        return () => clearInterval(timer);
    }

    async close(): Promise<void> {
        await this.#planned.store.close().catch(() => undefined);
        await this.#planned.collection?.close();
        await this.#held.files.close();
        await this.#held.scratch.remove();
        await this.#held.directory.close();
    }
}

/** Maximum size in bytes of a file that a worker's result names, if no option limits it: a long conversation. */
const MAX_FILE_BYTES = 32 * 1024 * 1024;

/** Number of tiny tasks handed out in advance; see run/slots.ts. */
const PREFETCH = 128;

const DISK_WATCH_MS = 10_000;

const INDEX_SAVE_MS = 60_000;
