import type { OutcomeClass } from '../../endpoint/outcome-class.js';
import { type AcquireOptions, type EndpointPool, type Lease, NoEndpointError } from '../../endpoint/pool.js';
import { isJsonObject, type Json, type JsonObject } from '../../model/json.js';
import type { ExecutorContext } from '../executor.js';
import type { WorkerDesk } from '../servers/server-executor.js';
import type { Spent } from './spending.js';

/*
 * Places at endpoints for tasks that run in workers. The one pool is in the main process: a worker asks for a place by a
 * message, makes its request itself, and gives the place back by another, with what the request came to. The places of a
 * worker that died are taken back when its task ends.
 */

/** Hands out a place at an endpoint. Rejects with `NoEndpointError`, or when the task is aborted. */
export type AcquirePlace = (context: ExecutorContext, wanted: AcquireOptions) => Promise<Lease>;

export const reservePlaces =
    (pool: EndpointPool): AcquirePlace =>
    ({ signal }, wanted) =>
        pool.acquire(signal, wanted);

/** What one request came to, as it crosses from a worker. */
interface Report {
    readonly [key: string]: Json;
    readonly outcome: OutcomeClass;
    readonly took: number;
    readonly wait: number | null;
    readonly message: string;
}

/** The worker's side. */
export const acquireByMessage: AcquirePlace = async ({ ask, signal }, { model, tokens }) => {
    if (ask === undefined) throw new Error('bug in resume-run: a worker without a main process');
    const granted = await untilAborted(
        ask({ do: 'acquire', model: model ?? null, tokens: tokens ?? null }),
        signal,
    );
    const { lease, endpoint, problem } = granted ?? {};
    if (typeof lease !== 'number' || typeof endpoint !== 'string')
        throw new NoEndpointError(typeof problem === 'string' ? problem : 'no endpoint was given');
    const reports: Report[] = [];
    let settled: number | null = null;
    let isHeld = true;
    return {
        endpoint,
        // The main process has waited for it.
        turn: () => Promise.resolve(),
        settle: (used) => {
            settled = used;
        },
        report: (outcome, took, wait = null, message = '') => {
            reports.push({ outcome, took, wait, message });
        },
        release: () => {
            if (!isHeld) return;
            isHeld = false;
            // A main process that is gone wants nothing back.
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

/** Tells the main process what a request used. */
export function tellSpent(spent: Spent, { ask }: ExecutorContext): void {
    ask?.({ do: 'spent', spent }).catch(() => {});
}

const isSpent = (value: Json | undefined): value is Spent =>
    isJsonObject(value) && typeof value['isAnswered'] === 'boolean';

/** The main process's side. */
export class PlaceDesk implements WorkerDesk {
    readonly #pool: EndpointPool;
    readonly #onSpent: (spent: Spent) => void;
    readonly #jobs = new Map<
        number,
        { readonly gone: AbortController; readonly leases: Map<number, Lease> }
    >();
    #next = 1;

    /** @param onSpent told what requests of workers used */
    constructor(pool: EndpointPool, onSpent: (spent: Spent) => void) {
        this.#pool = pool;
        this.#onSpent = onSpent;
    }

    async serve(job: number, request: JsonObject): Promise<JsonObject | null> {
        if (request['do'] === 'acquire') return this.#acquire(job, request);
        const { spent } = request;
        if (request['do'] === 'spent' && isSpent(spent)) this.#onSpent(spent);
        if (request['do'] === 'release') this.#release(job, request);
        return null;
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

    async #acquire(job: number, { model, tokens }: JsonObject): Promise<JsonObject> {
        const held = this.#jobs.get(job) ?? { gone: new AbortController(), leases: new Map<number, Lease>() };
        this.#jobs.set(job, held);
        const wanted = {
            model: typeof model === 'string' ? model : undefined,
            tokens: typeof tokens === 'number' ? tokens : undefined,
        };
        let lease: Lease;
        try {
            lease = await this.#pool.acquire(held.gone.signal, wanted);
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
        const number = this.#next++;
        held.leases.set(number, lease);
        return { lease: number, endpoint: lease.endpoint };
    }

    #release(job: number, { lease: number, settled, reports }: JsonObject): void {
        const leases = this.#jobs.get(job)?.leases;
        const lease = leases?.get(Number(number));
        if (lease === undefined) return;
        leases?.delete(Number(number));
        for (const report of Array.isArray(reports) ? (reports as readonly Json[]) : []) {
            if (!isReport(report)) continue;
            lease.report(report.outcome, report.took, report.wait, report.message);
        }
        if (typeof settled === 'number') lease.settle(settled);
        lease.release();
    }
}

const isReport = (value: Json): value is Report =>
    isJsonObject(value) && typeof value['outcome'] === 'string' && typeof value['took'] === 'number';
