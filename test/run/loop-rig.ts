import { expect, vi } from 'vitest';
import type { Backend, Completion, Running } from '../../src/backend/backend.js';
import type { Dataset } from '../../src/dataset/dataset.js';
import type { Checkpoint } from '../../src/model/checkpoint.js';
import { tallyUntouched } from '../../src/model/directory-sample.js';
import type { Entry } from '../../src/model/entry.js';
import type { RunEnd, RunEvent } from '../../src/model/event.js';
import type { StopSignal } from '../../src/model/stop.js';
import type { Sample } from '../../src/model/sample.js';
import { tallyCheckpoint } from '../../src/model/tally.js';
import { TallySum } from '../../src/model/tally-sum.js';
import type { Outcome, Task } from '../../src/model/task.js';
import type { RunOptions, RunParts } from '../../src/run/parts.js';
import { startLoop } from '../../src/run/run.js';
import type { WorkItem } from '../../src/run/work-list.js';
import {
    checkpointOf,
    type Ending,
    keyOf,
    outcomeOf,
    prepareOptions,
    type RunScript,
    sampleOf,
} from './loop-script.js';
import { deferred, type Save, ScriptedStore } from './loop-store.js';

/*
 * A run whose backend, store and datasets do only what a test tells them to, one thing after the other. It checks what the loop
 * guarantees at every start of a task and at every event. Timers are vitest's; `setImmediate` is the real one.
 */

export const GRACE_S = 20;
export const PATIENCE_S = 300;
const SAMPLES_AHEAD = 8;

interface Flight {
    readonly task: Task;
    readonly complete: (completion: Completion) => void;
    isAborted: boolean;
}

export class ScriptedRun {
    readonly events: RunEvent[] = [];
    readonly flights: Flight[] = [];
    readonly loads: { readonly settle: (error: Error | null) => void }[] = [];
    readonly store: ScriptedStore;
    /** Errors that the loop was given, in order. */
    readonly failures: unknown[] = [];
    /** Set if the directory belongs to another run. */
    holderError: Error | null = null;
    readonly due: ReadonlySet<string>;
    outcome: { readonly end: RunEnd } | { readonly error: unknown } | null = null;
    /** It was asked to stop before its end. */
    isStopped = false;
    readonly #script: RunScript;
    readonly #samples: ReadonlyMap<string, Sample>;
    readonly #checkpoints: ReadonlyMap<string, Checkpoint>;
    readonly #handle: ReturnType<typeof startLoop>;
    readonly #attempts = new Map<string, number>();
    readonly #released = new Set<string>();
    readonly #staged = new Set<string>();
    #mayStart = true;
    #concurrency: number;
    #wasQuick = false;

    constructor(script: RunScript) {
        this.#script = script;
        this.#concurrency = script.concurrency;
        this.#samples = new Map(
            script.samples.map((sample, at) => [`s${at}`, sampleOf(`s${at}`, sample, script)]),
        );
        this.#checkpoints = new Map(
            script.samples.flatMap((sample, at) =>
                checkpointOf(`s${at}`, sample, this.#samples.get(`s${at}`)),
            ),
        );
        this.store = new ScriptedStore(this.#checkpoints);
        const due = new Set<string>();
        for (const [id, sample] of this.#samples) {
            const entries = this.#checkpoints.get(id)?.entries;
            for (const [group, tasks] of Object.entries(sample.groups)) {
                const finished = entries?.get(group) ?? [];
                tasks.forEach((_, index) => {
                    const stored = finished[index];
                    const key = keyOf({ sample: id, group, index });
                    if (stored === undefined) due.add(key);
                    else this.store.disk.set(key, stored.entry as Entry);
                });
            }
        }
        this.due = due;
        this.#handle = startLoop(this.#parts());
        void this.#watch();
    }

    async #watch(): Promise<void> {
        try {
            this.outcome = { end: await this.#handle.done };
        } catch (error) {
            this.outcome = { error };
        }
    }

    get sampleCount(): number {
        return this.#samples.size;
    }

    // What a test does

    /** Lets all consequences of the last act happen: promises and the loop's deferred commits. */
    async settle(): Promise<void> {
        for (let turn = 0; turn < 4; turn += 1) await new Promise((resolve) => setImmediate(resolve));
        if (this.isStopped || this.failures.length > 0) this.#mayStart = false;
    }

    complete(flight: Flight, ending: Ending): void {
        this.flights.splice(this.flights.indexOf(flight), 1);
        const duration = ending === 'quick' ? 0 : 1;
        if (ending === 'quick') this.#wasQuick = true;
        const outcome: Outcome = outcomeOf(ending);
        if (outcome.kind === 'verdict' && outcome.suspect === null)
            this.store.verdicts.add(keyOf(flight.task));
        flight.complete({ outcome, workerId: 'async', startedAt: 0, duration });
    }

    /** Ends the writing of a change; with an error, it did not reach the disk. */
    save(save: Save, error: Error | null): void {
        if (error !== null) this.failures.push(error);
        this.store.settle(save, error);
    }

    load(error: Error | null): void {
        if (error !== null && this.loads.length > 0) this.failures.push(error);
        this.loads.shift()?.settle(error);
    }

    stop(signal: StopSignal): void {
        if (this.outcome === null) this.isStopped = true;
        this.#mayStart = false;
        this.#handle.stop({ reason: 'signal', signal });
    }

    resize(concurrency: number): void {
        this.#concurrency = concurrency;
        this.#handle.setConcurrency(concurrency);
    }

    pass(seconds: number): void {
        vi.advanceTimersByTime(seconds * 1000);
    }

    /**
     * Does what a healthy machine does until the run is over. Results reach the disk only if somebody waits for them, so a run
     * that ends must have asked for its results.
     */
    async drain(answers: boolean): Promise<void> {
        this.store.free();
        await this.settle();
        for (let turn = 0; turn < 2000 && this.outcome === null; turn += 1) {
            const save = this.store.saves.find(({ isAsked }) => isAsked);
            const flight = this.flights.find(({ isAborted }) => answers || isAborted);
            if (save !== undefined) this.save(save, null);
            else if (this.loads.length > 0) this.load(null);
            else if (flight !== undefined) this.complete(flight, flight.isAborted ? 'aborted' : 'accepted');
            else this.pass(10);
            await this.settle();
        }
        expect(this.outcome, 'the run did not end').not.toBeNull();
    }

    // What holds when the run is over

    expectNothingLeft(): void {
        expect(this.flights).toEqual([]);
        expect(this.store.saves).toEqual([]);
        expect([...this.store.closed].sort()).toEqual([...this.store.open].sort());
        expect([...this.#released].sort()).toEqual([...this.#staged].sort());
        expect(vi.getTimerCount()).toBe(0);
    }

    /** Every verdict that arrived is on disk, and was counted once. */
    expectVerdictsKept(): void {
        for (const key of this.store.verdicts) expect(this.store.disk.get(key), key).toBeDefined();
        const finished = this.events.filter((event) => event.type === 'task-finished').map(keyOf);
        expect(new Set(finished).size).toBe(finished.length);
        // Each was told to run no longer, before it was told to be on disk.
        const saving = this.events.filter((event) => event.type === 'task-saving').map(keyOf);
        expect(saving).toEqual(expect.arrayContaining(finished));
        expect(finished.length).toBe([...this.due].filter((key) => this.store.disk.has(key)).length);
    }

    // The parts

    #parts(): RunParts {
        const { judges, concurrency, prefetch, retries, tleRetries, isPaid } = this.#script;
        const options: RunOptions = {
            concurrency,
            prefetch,
            delay: 0,
            rate: null,
            retryDelay: { first: 0.5, most: 30 },
            stopAfter: null,
            isPaid,
            halt: null,
            batchSize: 0,
            retries,
            tleRetries,
            grace: GRACE_S,
            keepSource: true,
            patience: () => PATIENCE_S,
        };
        return {
            work: this.#work(),
            store: this.store.forLoop(),
            backend: this.#backend(),
            stage: judges ? async ({ id }) => this.#stage(id) : null,
            index: { get: () => null, set: (id) => expect(this.store.closed).toContain(id) },
            planKey: 'key',
            prepare: prepareOptions(judges),
            options,
            settled: new TallySum(),
            endpoints: () => [],
            emit: (event) => this.#check(event),
            verifyHolder: () => this.#verifyHolder(),
        };
    }

    async #verifyHolder(): Promise<void> {
        if (this.holderError !== null) {
            this.failures.push(this.holderError);
            throw this.holderError;
        }
    }

    #work(): WorkItem[] {
        const dataset: Dataset = {
            format: 'plain',
            path: '/data',
            limitPolicy: 'own',
            comparison: null,
            badRows: [],
            async *index() {},
            load: ({ id }) =>
                new Promise((resolve, reject) => {
                    const settle = (error: Error | null): void => {
                        const sample = this.#samples.get(id);
                        if (error !== null || sample === undefined)
                            reject(error ?? new Error(`no sample ${id}`));
                        else resolve(sample);
                    };
                    this.loads.push({ settle });
                }),
        };
        return [...this.#samples].map(([id, sample]) => {
            const groups = Object.entries(sample.groups).map(
                ([name, tasks]) => [name, tasks.length] as const,
            );
            const indexed = { id, locator: {}, groups, fingerprint: 'row' };
            const checkpoint = this.#checkpoints.get(id);
            const tally = checkpoint === undefined ? tallyUntouched(id, groups) : tallyCheckpoint(checkpoint);
            return { indexed, dataset, due: 0, dueBy: {}, tally };
        });
    }

    #stage(id: string): { path: string; release: () => Promise<void> } {
        this.#staged.add(id);
        return {
            path: `/stage/${id}`,
            release: async () => {
                expect(this.#released.has(id), `stage of ${id} released twice`).toBe(false);
                this.#released.add(id);
            },
        };
    }

    #backend(): Backend {
        return {
            start: (task) => this.#start(task),
            resize: (concurrency) => expect(concurrency).toBe(this.#concurrency),
            close: async () => {},
        };
    }

    #start(task: Task): Running {
        const key = keyOf(task);
        expect(this.#mayStart, `${key} started after the run was asked to stop`).toBe(true);
        expect(this.store.isFull, `${key} started while the store had no room`).toBe(false);
        expect(this.due.has(key), `${key} was finished by an earlier start`).toBe(true);
        expect(this.store.disk.has(key), `${key} is finished`).toBe(false);
        expect(this.store.givenUp.has(key), `${key} was given up`).toBe(false);
        expect(this.flights.map((flight) => keyOf(flight.task))).not.toContain(key);
        const window = this.#concurrency + (this.#wasQuick ? this.#script.prefetch : 0);
        expect(this.flights.length).toBeLessThan(window);
        if (this.#script.isPaid) {
            const unsaved = [...this.store.verdicts].filter((verdict) => !this.store.disk.has(verdict));
            expect(this.flights.length + unsaved.length).toBeLessThan(2 * this.#concurrency);
        }
        expect(this.store.open.size - this.store.closed.size).toBeLessThanOrEqual(
            this.#concurrency + this.#script.prefetch + SAMPLES_AHEAD,
        );
        const attempt = (this.#attempts.get(key) ?? 0) + 1;
        this.#attempts.set(key, attempt);
        expect(task.attempt).toBe(attempt);
        this.#expectLimitKnown(task);
        const { promise, resolve } = deferred<Completion>();
        const flight: Flight = { task, complete: resolve, isAborted: false };
        this.flights.push(flight);
        return {
            completion: promise,
            abort: () => {
                flight.isAborted = true;
            },
        };
    }

    /** If a limit is computed from `solution`, nothing else may start before all of those tasks have ended. */
    #expectLimitKnown({ sample, group }: Task): void {
        const rule = this.#samples.get(sample)?.judging?.computedLimit ?? null;
        if (rule === null || group === rule.group) return;
        for (const key of this.due) {
            if (key.startsWith(`${sample} ${rule.group} `)) {
                expect(this.store.disk.has(key) || this.store.givenUp.has(key), `${key} has ended`).toBe(
                    true,
                );
            }
        }
    }

    #check(event: RunEvent): void {
        this.events.push(event);
        if (event.type === 'task-finished') {
            const onDisk = this.store.disk.get(keyOf(event))?.result['verdict'];
            expect(onDisk, 'counted before it was saved').toBe(event.verdict);
        } else if (event.type === 'task-failed') {
            expect(this.store.givenUp.has(keyOf(event)), 'given up before that was saved').toBe(true);
        } else if (event.type === 'sample-finished') {
            expect(this.store.closed).toContain(event.tally.id);
        }
    }
}
