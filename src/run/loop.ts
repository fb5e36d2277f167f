import type { Completion, Running } from '../backend/backend.js';
import { WriteError } from '../host/write-error.js';
import { tallyUntouched } from '../model/directory-sample.js';
import type { RunEnd, RunEvent } from '../model/event.js';
import { type StopReason, toSignalOrAbort } from '../model/stop.js';
import type { TaskStep, VerdictOutcome } from '../model/task.js';
import { now } from '../util/now.js';
import { unreachable } from '../util/unreachable.js';
import { Figures } from './figures.js';
import { HolderCheck } from './holder-check.js';
import type { OpenSample } from './open-sample.js';
import type { RunParts } from './parts.js';
import { Recorder } from './recorder.js';
import { decide } from './retry.js';
import { SampleFeed } from './sample-feed.js';
import { Slots } from './slots.js';
import { LaterTurns } from './later-turns.js';
import { findReasonToStop } from './stop-rules.js';
import { type TaskState, buildTask } from './task-state.js';

/** Maximum number of concurrent commits; above it, nothing new starts. */
const COMMITS_BOUND = 4096;

interface Flight {
    readonly state: TaskState;
    readonly running: Running;
    /** When the worker counts as hung, in milliseconds of `performance.now()`. */
    readonly deadline: number;
    hung: boolean;
}

/**
 * The main loop of a run.
 *
 *     work ──open──> samples ──take──> slots ──start──> backend ──completion──> decide ─┬─ commit ──> on disk ──> counted
 *                       ^                                                              ├─ confirm, retry ──> slots
 *                       └───────────── all tasks of a sample ended: close ─────────────┴─ give up ──> on disk
 */
export class Loop {
    readonly #parts: RunParts;
    readonly #figures = new Figures();
    readonly #recorder: Recorder;
    readonly #slots: Slots;
    readonly #holder: HolderCheck;
    readonly #flights = new Set<Flight>();
    readonly #feed: SampleFeed;
    /** 1 for each sample whose tally has been added to `settled`; indexed by its position among the samples with work. */
    readonly #closed: Uint8Array;
    #saving = 0;
    /** Results being written to disk. */
    #committing = 0;
    readonly #commits: LaterTurns;
    #waitsForRoom = false;
    #stop: StopReason | null = null;
    #failure: { readonly error: unknown } | null = null;
    #graceTimer: NodeJS.Timeout | undefined;
    #settle: (() => void) | null = null;
    #hasEnded = false;

    constructor(parts: RunParts) {
        this.#parts = parts;
        this.#closed = new Uint8Array(parts.work.length);
        this.#recorder = new Recorder(parts.options.keepSource, this.#figures, parts.emit);
        this.#slots = new Slots(parts.options, () => this.#pump());
        // If nothing can start until they are written, request the write now: nothing else would.
        this.#commits = new LaterTurns(() => {
            if (this.#flights.size === 0 || this.#isBehind()) this.#pump();
        });
        this.#holder = new HolderCheck(parts.verifyHolder, (error) => {
            if (error === null) this.#pump();
            else this.#fail(error);
        });
        this.#feed = new SampleFeed(parts, {
            isStopping: () => this.#stopping,
            onIdle: (sample) => this.#whileSaving(this.#advance(sample)),
            onError: (error) => this.#fail(error),
            onOpened: () => this.#pump(),
        });
    }

    async start(): Promise<RunEnd> {
        const ended = new Promise<void>((resolve) => {
            this.#settle = resolve;
        });
        const watch = setInterval(() => this.#endHung(), 1000);
        this.#pump();
        await ended;
        this.#hasEnded = true;
        clearInterval(watch);
        clearTimeout(this.#graceTimer);
        this.#slots.clear();
        await this.#closeRest();
        if (this.#failure !== null) throw this.#failure.error;
        const totals = this.#totals();
        return this.#figures.end(this.#stop, {
            totals,
            endpoints: this.#parts.endpoints(),
            spent: this.#parts.spent?.(),
        });
    }

    stop(reason: StopReason): void {
        // Only the last files are still being closed, and nothing can speed that up.
        if (this.#hasEnded) return;
        if (this.#stop !== null) {
            this.#abortAll();
            return;
        }
        this.#stop = reason;
        this.#parts.stopLoading?.();
        const { grace } = this.#parts.options;
        this.#emit({
            type: 'stopping',
            at: now(),
            stop: reason,
            signal: toSignalOrAbort(reason),
            running: this.#flights.size,
            grace,
        });
        this.#graceTimer = setTimeout(() => this.#abortAll(), grace * 1000);
        // Write finished results now, without waiting for the usual rewrite interval.
        this.#parts.store.flush().catch((error: unknown) => this.#fail(error));
        this.#pump();
    }

    setConcurrency(concurrency: number): void {
        if (concurrency === this.#slots.concurrency) return;
        this.#slots.concurrency = concurrency;
        this.#parts.backend.resize(concurrency);
        this.#emit({ type: 'concurrency-changed', at: now(), concurrency });
        this.#pump();
    }

    get #stopping(): boolean {
        return this.#stop !== null || this.#failure !== null;
    }

    // Handing out

    #pump(): void {
        while (this.#mayBegin() && this.#hasRoom() && this.#holder.isFresh()) {
            const state = this.#slots.take(this.#flights.size, () => this.#feed.take());
            if (state === null) break;
            this.#begin(state);
        }
        if (!this.#stopping && this.#saving < COMMITS_BOUND) this.#feed.openAhead(this.#slots);
        // Nothing runs, and nothing can start until the last results are on disk: write them without the usual delay.
        if (this.#flights.size === 0 && !this.#feed.isOpening && this.#saving > 0) this.#parts.store.hurry();
        this.#stopByRules();
        if (this.#isOver()) this.#settle?.();
    }

    #mayBegin(): boolean {
        if (this.#stopping || this.#saving >= COMMITS_BOUND) return false;
        if (this.#isBehind()) {
            this.#parts.store.hurry();
            return false;
        }
        const { stopAfter } = this.#parts.options;
        return (
            stopAfter === null || this.#figures.committed + this.#committing + this.#flights.size < stopAfter
        );
    }

    /** Bounds the paid results not yet on disk: after a kill they would be paid for again. */
    #isBehind(): boolean {
        const isFull = this.#flights.size + this.#committing >= 2 * this.#slots.concurrency;
        return isFull && this.#parts.options.isPaid;
    }

    #stopByRules(): void {
        if (this.#stopping || this.#isOver()) return;
        const isIdle = this.#flights.size === 0 && this.#saving === 0 && !this.#feed.isOpening;
        const reason = findReasonToStop(this.#parts.options, this.#figures, isIdle);
        if (reason !== null) this.stop(reason);
    }

    /** Whether the store accepts more results; if not, `#pump` runs again when it does. */
    #hasRoom(): boolean {
        if (this.#waitsForRoom) return false;
        const room = this.#parts.store.room();
        if (room === null) return true;
        this.#waitsForRoom = true;
        void room.then(() => this.#onCapacityFreed());
        return false;
    }

    #onCapacityFreed(): void {
        this.#waitsForRoom = false;
        this.#pump();
    }

    #begin(state: TaskState): void {
        const task = buildTask(state, this.#parts.options);
        const running = this.#parts.backend.start(task, { saveStep: (step) => this.#saveStep(state, step) });
        const patience = this.#parts.options.patience(task);
        const deadline = patience === null ? Number.POSITIVE_INFINITY : performance.now() + patience * 1000;
        const flight: Flight = { state, running, deadline, hung: false };
        this.#flights.add(flight);
        this.#recorder.started(state);
        running.completion.then(
            (completion) => this.#guard(() => this.#completed(flight, completion)),
            (error: unknown) => this.#fail(error),
        );
    }

    /** The task continues once its step is on disk. If the step cannot be written, the run stops. */
    #saveStep(state: TaskState, step: TaskStep): Promise<void> {
        const saved = this.#recorder.saveStep(state, step);
        this.#whileSaving(saved);
        return saved;
    }

    #endHung(): void {
        const time = performance.now();
        for (const flight of this.#flights) {
            if (time < flight.deadline || flight.hung) continue;
            flight.hung = true;
            flight.running.abort();
        }
    }

    // Taking in

    #completed(flight: Flight, completion: Completion): void {
        this.#flights.delete(flight);
        const { state } = flight;
        // A verdict that arrived while its worker was being ended still counts.
        const outcome =
            flight.hung && completion.outcome.kind !== 'verdict'
                ? makeHungOutcome(this.#parts.options.patience(buildTask(state, this.#parts.options)) ?? 0)
                : completion.outcome;
        this.#slots.ended(state, completion.duration);
        const decision = decide(outcome, state.tried, this.#parts.options, this.#stopping);
        if (decision.do !== 'drop' && decision.do !== 'stop') {
            this.#figures.attempt(completion.workerId, completion.duration, outcome.kind === 'failure');
        }
        const release = (): void => flight.running.release?.();
        switch (decision.do) {
            case 'commit':
                this.#recorder.saving(state, completion);
                this.#committing += 1;
                this.#saving += 1;
                this.#commits.add(() => void this.#commit(flight, decision.outcome, completion));
                break;
            case 'give up':
                this.#recorder.saving(state, completion);
                this.#save(state, this.#recorder.giveUp(state, decision.failure, completion).then(release));
                break;
            case 'confirm':
                this.#whileSaving(this.#recorder.confirm(state, decision, completion).then(release));
                this.#slots.confirmLater(state);
                break;
            case 'retry':
                release();
                this.#recorder.retry(state, decision.failure, completion);
                this.#slots.retryAfter(state, decision.delay);
                break;
            case 'stop':
                this.#fail(new WriteError(decision.outcome.file, decision.outcome.why));
                this.#figures.aborted += 1;
                this.#ended(state);
                break;
            case 'drop':
                release();
                this.#figures.aborted += 1;
                this.#ended(state);
                break;
            default:
                unreachable(decision);
        }
        this.#pump();
    }

    /** The task ends only when its result is on disk. One promise covers all of it, because tiny tasks are numerous. */
    async #commit(
        { state, running }: Flight,
        outcome: VerdictOutcome,
        completion: Completion,
    ): Promise<void> {
        try {
            await this.#recorder.commit(state, outcome, completion);
            running.release?.();
            this.#committing -= 1;
            this.#ended(state);
        } catch (error) {
            this.#committing -= 1;
            this.#fail(error);
        }
        this.#saving -= 1;
        this.#pump();
    }

    /** The task ends only when its change is on disk. */
    #save(state: TaskState, saved: Promise<void>): void {
        this.#whileSaving(saved.then(() => this.#ended(state)));
    }

    /** Keeps the run alive, and counts towards the bound on commits, while something is being written. */
    #whileSaving(saved: Promise<void>): void {
        this.#saving += 1;
        const end = (): void => {
            this.#saving -= 1;
            this.#pump();
        };
        saved.then(end, (error: unknown) => {
            this.#fail(error);
            end();
        });
    }

    /** Runs a promise callback; an error in it ends the run and is reported. */
    #guard(call: () => void): void {
        try {
            call();
        } catch (error) {
            this.#fail(error);
        }
    }

    #ended(state: TaskState): void {
        if (!state.sample.ended() || this.#stopping) return;
        const sample = this.#feed.get(state.sample.id);
        if (sample !== undefined) this.#whileSaving(this.#advance(sample));
    }

    async #advance(sample: OpenSample): Promise<void> {
        const warn = (message: string): void =>
            this.#emit({ type: 'notice', at: now(), level: 'warning', message });
        if (await sample.advance(warn)) this.#feed.offer(sample);
        else await this.#close(sample);
    }

    async #close(sample: OpenSample): Promise<void> {
        if (!this.#feed.remove(sample)) return;
        const { writer } = sample;
        const stamp = await sample.close();
        const tally = writer.tally();
        this.#closed[sample.position] = 1;
        this.#parts.settled.add(tally);
        if (tally.isComplete && stamp !== null) {
            const { index, planKey } = this.#parts;
            index.set(sample.id, stamp, sample.row, planKey, tally, writer.computedLimits);
        }
        this.#emit({ type: 'sample-finished', at: now(), tally });
    }

    // Ending

    #fail(error: unknown): void {
        this.#failure ??= { error };
        this.#parts.stopLoading?.();
        this.#abortAll();
        this.#pump();
    }

    #abortAll(): void {
        for (const flight of this.#flights) flight.running.abort();
    }

    #isOver(): boolean {
        if (this.#flights.size > 0 || this.#saving > 0 || this.#feed.isOpening) return false;
        if (this.#stopping) return true;
        return this.#feed.isExhausted && this.#slots.waiting === 0;
    }

    /** After a stop: saves samples whose work was interrupted as they are. */
    async #closeRest(): Promise<void> {
        for (const sample of this.#feed.openSamples()) {
            try {
                await this.#close(sample);
            } catch (error) {
                this.#failure ??= { error };
            }
        }
        if (this.#failure === null) await this.#parts.store.flush();
    }

    #totals(): RunEnd['totals'] {
        const { work, settled } = this.#parts;
        for (const [position, isClosed] of this.#closed.entries()) {
            const item = isClosed === 1 ? undefined : work.at(position);
            if (item === undefined) continue;
            settled.add(item.tally ?? tallyUntouched(item.indexed.id, item.indexed.groups));
        }
        return this.#parts.settled.value();
    }

    #emit(event: RunEvent): void {
        this.#parts.emit(event);
    }
}

function makeHungOutcome(after: number): Completion['outcome'] {
    const message = `the worker did not answer for ${Math.round(after)} s and was stopped`;
    return { kind: 'failure', failure: { reason: 'no-answer', message, after }, by: null };
}
