import { renameSync, rmSync, writeFileSync } from 'node:fs';
import { rename, rm, writeFile } from 'node:fs/promises';
import { hostname } from 'node:os';
import { freeBytes } from '../../host/disk.js';
import type { EndpointState, RunEvent } from '../../model/event.js';
import type { LiveState } from '../../model/live-state.js';
import { getIoCode } from '../../util/io-error.js';
import { computeCurrentRate, countDone, makeEmptyView, fold, countRemaining, type RunView } from './fold.js';
import type { Reporter } from './reporter.js';

const INTERVAL_MS = 1000;
const MAX_RUNNING = 100;
const MAX_ENDPOINTS = 200;
const MAX_REASONS = 50;
const MAX_POINTS = 240;

export interface LiveFileOptions {
    readonly path: string;
    /** Results directory, whose free disk space is measured. */
    readonly dir: string;
    readonly shard: string | null;
    /** Current figures of each server; events only report changes of state. */
    readonly endpoints: () => readonly EndpointState[];
}

/**
 * Writes the progress of a run to a file for `resume-run view`, at most once a second and only while something happens. The file
 * is not synced: it only matters while the machine runs. Write errors are ignored, since they do not affect the run.
 */
export class LiveFile implements Reporter {
    readonly #options: LiveFileOptions;
    readonly #view: RunView = makeEmptyView();
    readonly #failures = new Map<string, number>();
    #history: (readonly [number, number])[] = [];
    /** Milliseconds between two points of the history; doubled when the history is full. */
    #step = INTERVAL_MS;
    #timer: NodeJS.Timeout | null = null;
    #isWriting = false;
    #isChanged = false;
    #diskFree: number | null = null;

    constructor(options: LiveFileOptions) {
        this.#options = options;
    }

    onEvent(event: RunEvent): void {
        fold(this.#view, event);
        this.#isChanged = true;
        if (event.type === 'task-failed') this.#countFailure(event.failure.reason);
        if (event.type === 'task-retried' && 'failure' in event.because)
            this.#countFailure(event.because.failure.reason);
        if (event.type === 'run-started') this.#start();
        if (event.type === 'run-finished') this.close();
    }

    close(): void {
        if (this.#timer === null) return;
        clearInterval(this.#timer);
        this.#timer = null;
        this.#saveLast();
    }

    #start(): void {
        this.#timer = setInterval(() => {
            if (this.#isChanged || this.#view.running.size > 0) this.#save();
        }, INTERVAL_MS);
        // The timer must not keep the process alive.
        this.#timer.unref();
        this.#save();
    }

    #countFailure(reason: string): void {
        if (this.#failures.size >= MAX_REASONS && !this.#failures.has(reason)) return;
        this.#failures.set(reason, (this.#failures.get(reason) ?? 0) + 1);
    }

    /** Writes one at a time; what happens meanwhile goes into the next write. */
    #save(): void {
        if (this.#isWriting) return;
        this.#isWriting = true;
        this.#isChanged = false;
        void this.#write().finally(() => {
            this.#isWriting = false;
        });
    }

    /** Writes synchronously, because the process may end right after; an unfinished write must not overwrite the result. */
    #saveLast(): void {
        const { path } = this.#options;
        const staging = `${path}.last.tmp`;
        try {
            // Do not follow a link, or write to a FIFO, that somebody put there.
            rmSync(staging, { force: true });
            writeFileSync(staging, JSON.stringify(this.#state()), { flag: 'wx' });
            renameSync(staging, path);
        } catch (error) {
            if (getIoCode(error) === null) throw error;
            rmSync(staging, { force: true });
        }
    }

    async #write(): Promise<void> {
        const { path, dir } = this.#options;
        const staging = `${path}.tmp`;
        try {
            this.#diskFree = await freeBytes(dir);
            await rm(staging, { force: true });
            await writeFile(staging, JSON.stringify(this.#state()), { flag: 'wx' });
            if (this.#timer === null) await rm(staging, { force: true });
            else await rename(staging, path);
        } catch (error) {
            if (getIoCode(error) === null) throw error;
            await rm(staging, { force: true }).catch(() => undefined);
        }
    }

    #state(): LiveState {
        const view = this.#view;
        const now = Date.now();
        const { tasks, phase } = view;
        this.#addPoint(now, tasks.committed + tasks.failed);
        const { committed, failed, retried, running, skipped, total } = tasks;
        return {
            format: 1,
            at: now,
            pid: process.pid,
            host: hostname(),
            shard: this.#options.shard,
            phase: phase.kind,
            ...(phase.kind === 'paused' ? { message: phase.message } : {}),
            startedAt: view.startedAt,
            samples: { total: view.samples.total, complete: view.samples.complete },
            tasks: {
                total,
                done: countDone(view),
                remaining: countRemaining(view),
                committed,
                failed,
                retried,
                running,
                skipped,
            },
            verdicts: view.verdicts,
            unexpected: view.unexpected,
            running: takeFirst(view.running.values(), MAX_RUNNING),
            concurrency: view.concurrency,
            failures: Object.fromEntries(this.#failures),
            endpoints: takeFirst(this.#options.endpoints(), MAX_ENDPOINTS),
            rate: computeCurrentRate(view, now),
            history: this.#history,
            diskFree: this.#diskFree,
        };
    }

    #addPoint(now: number, ended: number): void {
        const last = this.#history.at(-1);
        if (last !== undefined && now - last[0] < this.#step && this.#view.phase.kind !== 'finished') return;
        this.#history.push([now, ended]);
        if (this.#history.length <= MAX_POINTS) return;
        this.#history = this.#history.filter((_, at) => at % 2 === 0);
        this.#step *= 2;
    }
}

function takeFirst<T>(values: Iterable<T>, most: number): T[] {
    const list: T[] = [];
    for (const value of values) {
        if (list.length === most) break;
        list.push(value);
    }
    return list;
}
