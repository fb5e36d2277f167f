import { randomBytes } from 'node:crypto';
import { OUTCOME_CLASSES, type OutcomeClass } from '../../endpoint/outcome-class.js';
import { type AcquireOptions, type EndpointPool, type Lease, NoEndpointError } from '../../endpoint/pool.js';
import { isJsonObject, type Json, type JsonObject } from '../../model/json.js';
import type { ExecutorContext } from '../executor.js';
import type { DoubtedEndpoints } from './doubted-endpoints.js';

/*
 * Places at endpoints for tasks that run in workers. There is one pool, in the main process: a worker requests a place by
 * message, makes its requests itself, and returns the place by another message, with the outcomes of the requests. The places of
 * a dead worker are taken back when its task ends, or another worker gets it.
 */

/** Hands out a place at an endpoint. Rejects with `NoEndpointError`, or when the task is aborted. */
export type AcquirePlace = (
    context: Pick<ExecutorContext, 'ask' | 'signal'>,
    wanted: AcquireOptions,
) => Promise<Lease>;

export const reservePlaces =
    (pool: EndpointPool): AcquirePlace =>
    ({ signal }, wanted) =>
        pool.acquire(signal, wanted);

/** The outcome of one request, as sent by a worker. */
interface Report {
    readonly [key: string]: Json;
    readonly outcome: OutcomeClass;
    readonly took: number;
    readonly wait: number | null;
    readonly message: string;
    readonly task: string | null;
}

/** The worker's side. */
export const acquireByMessage: AcquirePlace = async ({ ask, signal }, wanted) => {
    if (ask === undefined) throw new Error('bug in resume-run: a worker without a main process');
    const { model, tokens, avoid, prefer } = wanted;
    const request = {
        do: 'acquire',
        model: model ?? null,
        tokens: tokens ?? null,
        avoid: [...(avoid ?? [])],
        prefer: prefer ?? null,
    };
    const granted = await untilAborted(ask(request), signal);
    const { lease, endpoint, problem } = granted ?? {};
    if (typeof lease !== 'string' || typeof endpoint !== 'string')
        throw new NoEndpointError(typeof problem === 'string' ? problem : 'no endpoint was given');
    const reports: Report[] = [];
    let settled: number | null = null;
    let turns = 0;
    let isHeld = true;
    return {
        endpoint,
        turn: async (until) => {
            turns += 1;
            // For the first request, the main process has already waited.
            if (turns > 1) await untilAborted(ask({ do: 'turn', lease }), until);
        },
        settle: (used) => {
            settled = used;
        },
        report: (outcome, took, wait = null, message = '', task = null) => {
            reports.push({ outcome, took, wait, message, task });
            // Report at once what affects the choice of endpoints: an attempt may make many more requests.
            if (outcome !== 'ok' || wait !== null)
                ask({ do: 'report', lease, reports: reports.splice(0) }).catch(() => {});
        },
        release: () => {
            if (!isHeld) return;
            isHeld = false;
            // If the main process is gone, there is nothing to return.
            ask({ do: 'release', lease, settled, reports }).catch(() => {});
        },
    };
};

function untilAborted<T>(promise: Promise<T>, signal: AbortSignal): Promise<T> {
    return new Promise((resolve, reject) => {
        const stop = (): void => reject(new Error('aborted'));
        if (signal.aborted) stop();
        signal.addEventListener('abort', stop, { once: true });
        promise.then(resolve, reject).finally(() => signal.removeEventListener('abort', stop));
    });
}

/** Doubted endpoints, remembered in the main process because another worker may confirm the verdict. */
export const doubtByMessage: DoubtedEndpoints = {
    async remember(task, endpoint, { ask }) {
        await ask?.({ do: 'doubt', task, endpoint });
    },
    async recall(task, { ask }) {
        const found = await ask?.({ do: 'doubted', task });
        const endpoint = found?.['endpoint'];
        return typeof endpoint === 'string' ? endpoint : null;
    },
};

/** Serves the tasks of workers in the main process. */
export interface WorkerDesk {
    /**
     * @param job identifies the task
     * @param end called if the task cannot continue and must be aborted
     */
    serve(job: number, request: JsonObject, end: () => void): Promise<JsonObject | null>;
    /**
     * Receives late messages, from a worker that has lost the task or after the task's end. Nothing is granted, but usage counts.
     */
    hear(job: number, request: JsonObject): void;
    /** Whether a task holds anything that must be taken back. */
    holds(job: number): boolean;
    /** Takes back what a task still holds, because its worker is gone or the task has ended. */
    forget(job: number): void;
}

/** The places held by the tasks of one job. */
interface HeldPlaces {
    readonly gone: AbortController;
    readonly leases: Map<string, Lease>;
}

export interface PlaceDeskOptions {
    readonly pool: EndpointPool;
    /** Called with what a request of a worker used, as its executor reports it; absent if requests cost nothing. */
    readonly onSpent?: (spent: JsonObject) => void;
    /** Absent: verdicts are never confirmed. */
    readonly doubted?: DoubtedEndpoints;
}

/** The main process's side. */
export class PlaceDesk implements WorkerDesk {
    readonly #options: PlaceDeskOptions;
    readonly #jobs = new Map<number, HeldPlaces>();
    /** Random, so that names of places never repeat those of an earlier process. */
    readonly #prefix = randomBytes(6).toString('hex');
    #next = 1;

    constructor(options: PlaceDeskOptions) {
        this.#options = options;
    }

    async serve(job: number, request: JsonObject): Promise<JsonObject | null> {
        const { signal } = this.#jobs.get(job)?.gone ?? new AbortController();
        const { task, endpoint, lease } = request;
        const what = request['do'];
        switch (typeof what === 'string' ? what : '') {
            case 'acquire':
                return this.#acquire(job, request);
            case 'turn':
                await this.#find(job, lease)?.turn(signal);
                return null;
            case 'doubt':
                if (typeof task === 'string' && typeof endpoint === 'string')
                    await this.#options.doubted?.remember(task, endpoint, { signal });
                return null;
            case 'doubted':
                return typeof task === 'string'
                    ? { endpoint: (await this.#options.doubted?.recall(task, { signal })) ?? null }
                    : null;
            default:
                this.hear(job, request);
                return null;
        }
    }

    hear(job: number, request: JsonObject): void {
        const { spent } = request;
        if (request['do'] === 'spent' && isJsonObject(spent)) this.#options.onSpent?.(spent);
        if (request['do'] === 'report') this.#report(job, request);
        if (request['do'] === 'release') this.#release(job, request);
    }

    holds(job: number): boolean {
        return (this.#jobs.get(job)?.leases.size ?? 0) > 0;
    }

    forget(job: number): void {
        const held = this.#jobs.get(job);
        if (held === undefined) return;
        this.#jobs.delete(job);
        held.gone.abort();
        for (const lease of held.leases.values()) {
            lease.report('abandoned', 0);
            lease.release();
        }
    }

    #find(job: number, lease: Json | undefined): Lease | undefined {
        return typeof lease === 'string' ? this.#jobs.get(job)?.leases.get(lease) : undefined;
    }

    async #acquire(job: number, request: JsonObject): Promise<JsonObject> {
        const held = this.#jobs.get(job) ?? { gone: new AbortController(), leases: new Map<string, Lease>() };
        this.#jobs.set(job, held);
        if (held.leases.size >= MAX_LEASES) return { problem: 'the task has too many places already' };
        let lease: Lease;
        try {
            lease = await this.#options.pool.acquire(held.gone.signal, readWanted(request));
        } catch (error) {
            if (!(error instanceof NoEndpointError)) throw error;
            return { problem: error.message };
        }
        try {
            await lease.turn(held.gone.signal);
        } catch (error) {
            lease.release();
            throw error;
        }
        const name = `${this.#prefix}-${this.#next++}`;
        held.leases.set(name, lease);
        return { lease: name, endpoint: lease.endpoint };
    }

    #report(job: number, { lease: name, reports }: JsonObject): void {
        const lease = this.#find(job, name);
        if (lease === undefined || !Array.isArray(reports)) return;
        for (const report of reports as readonly Json[]) {
            if (!isReport(report)) continue;
            const { outcome, took, wait, message, task } = report;
            lease.report(outcome, took, wait, message, task);
        }
    }

    #release(job: number, request: JsonObject): void {
        const { lease: name, settled } = request;
        const lease = this.#find(job, name);
        if (lease === undefined || typeof name !== 'string') return;
        this.#report(job, request);
        this.#jobs.get(job)?.leases.delete(name);
        if (typeof settled === 'number') lease.settle(settled);
        lease.release();
    }
}

/** Maximum number of places per task; no executor takes more than one. */
const MAX_LEASES = 16;

function readWanted({ model, tokens, avoid, prefer }: JsonObject): AcquireOptions {
    const avoided = Array.isArray(avoid) ? avoid.filter((one) => typeof one === 'string') : [];
    return {
        model: typeof model === 'string' ? model : undefined,
        tokens: typeof tokens === 'number' ? tokens : undefined,
        avoid: avoided.length === 0 ? undefined : new Set(avoided),
        prefer: prefer === 'reserve' ? prefer : undefined,
    };
}

const OUTCOMES: ReadonlySet<string> = new Set(OUTCOME_CLASSES);

/** Messages of workers on other machines must be validated. */
const isReport = (value: Json): value is Report =>
    isJsonObject(value) &&
    typeof value['outcome'] === 'string' &&
    OUTCOMES.has(value['outcome']) &&
    typeof value['took'] === 'number' &&
    (value['wait'] === null || typeof value['wait'] === 'number') &&
    typeof value['message'] === 'string' &&
    (value['task'] === null || typeof value['task'] === 'string');
