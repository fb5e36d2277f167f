import type { HttpFailure } from '../../endpoint/http-messages.js';
import { isWorthRetrying } from '../../endpoint/http-status.js';
import { type AcquireOptions, type Lease, NoEndpointError } from '../../endpoint/pool.js';
import type { Failure } from '../../model/failure.js';
import { unreachable } from '../../util/unreachable.js';
import { sleep } from '../../util/sleep.js';
import { parseBody } from '../../util/parse-body.js';
import type { ExecutorContext } from '../executor.js';
import type { Fleet, FleetRequest } from './fleet.js';
import type { AcquirePlace } from './places.js';

/** Tries per step of an attempt, each at another endpoint if there is one. */
const TRIES = 5;
/** First and longest wait between two tries, in milliseconds. */
const FIRST_WAIT = 100;
const MAX_WAIT_MS = 5000;

/**
 * An answer as read by the executor: its value; why it makes no sense (the endpoint is broken then); or what a healthy endpoint
 * cannot do (it lacks a language, say).
 */
export type Reading<T> = { readonly value: T } | { readonly broken: string } | { readonly unable: string };

/** Why an answer has no value. */
export const describeReadingProblem = (
    reading: Exclude<Reading<never>, { readonly value: never }>,
): string => ('broken' in reading ? reading.broken : reading.unable);

/** Result of a step of an attempt. */
export type Step<T> =
    | { readonly kind: 'done'; readonly value: T }
    | {
          readonly kind: 'failed';
          readonly failure: Failure;
          readonly retry: boolean;
          /** Endpoints known to fail the same way, which are not worth trying. */
          readonly alike?: ReadonlySet<string>;
      }
    | { readonly kind: 'abort' };

/** An endpoint during one try. */
export interface EndpointTry {
    readonly endpoint: string;
    /** Makes one request and reports its outcome to the pool. */
    exchange<T>(request: FleetRequest, read: (body: Buffer) => Reading<T>): Promise<Step<T>>;
}

/**
 * How one attempt uses the pool. It stays at one endpoint as long as that works. A step that fails is repeated at another
 * endpoint, so that a faulty endpoint costs a submission with a hundred tests one request, not the whole attempt.
 */
export class Session {
    private lease: Lease | null = null;
    private last: string | null = null;

    constructor(
        private readonly fleet: Fleet,
        private readonly acquirePlace: AcquirePlace,
        private readonly context: ExecutorContext,
        private readonly wanted: AcquireOptions,
        /** The task of this attempt. */
        private readonly task: string,
    ) {}

    private get signal(): AbortSignal {
        return this.context.signal;
    }

    /** The endpoint of the last try; null before the first. */
    get endpoint(): string | null {
        return this.last;
    }

    /**
     * Does one step, and repeats it at another endpoint after each failure that is worth it. The caller must make the step
     * repeatable.
     */
    async step<T>(work: (place: EndpointTry) => Promise<Step<T>>): Promise<Step<T>> {
        const avoid = new Set(this.wanted.avoid);
        let { prefer } = this.wanted;
        for (let tries = 1; ; tries += 1) {
            const lease = await this.acquire({ avoid, prefer });
            if ('kind' in lease) return lease;
            const step = await work(this.place(lease));
            if (step.kind !== 'failed') return step;
            this.release();
            if (!step.retry || tries >= TRIES) return step;
            this.context.log(
                `${lease.endpoint}: ${step.failure.message}; trying elsewhere (try ${tries} of ${TRIES})`,
            );
            avoid.add(lease.endpoint);
            if (step.alike !== undefined) {
                for (const endpoint of step.alike) avoid.add(endpoint);
                if (this.fleet.isWithin(avoid)) return step;
                prefer = 'reserve';
            }
            if (!(await sleep(waitAfter(tries), this.signal))) return { kind: 'abort' };
        }
    }

    /** Returns the place. */
    release(): void {
        this.lease?.release();
        this.lease = null;
    }

    private async acquire(wanted: AcquireOptions): Promise<Lease | Exclude<Step<never>, { kind: 'done' }>> {
        if (this.lease !== null) return this.lease;
        try {
            this.lease = await this.acquirePlace(this.context, wanted);
            this.last = this.lease.endpoint;
            return this.lease;
        } catch (error) {
            if (this.signal.aborted) return { kind: 'abort' };
            if (!(error instanceof NoEndpointError)) throw error;
            const failure: Failure = {
                reason: 'endpoint',
                message: error.message,
                endpoint: this.last ?? '',
            };
            return { kind: 'failed', failure, retry: false };
        }
    }

    private place(lease: Lease): EndpointTry {
        const endpoint = lease.endpoint;
        return {
            endpoint,
            exchange: async (request, read) => {
                try {
                    await lease.turn(this.signal);
                } catch {
                    return { kind: 'abort' };
                }
                const answer = await this.fleet.send(endpoint, request, this.signal);
                switch (answer.kind) {
                    case 'aborted':
                        lease.report('abandoned', 0);
                        return { kind: 'abort' };
                    case 'failure': {
                        const said = describe(answer);
                        // A server that is overloaded or unreachable says nothing about the task.
                        const task = answer.outcome === 'broken' && answer.status !== null ? this.task : null;
                        lease.report(answer.outcome, answer.took, answer.wait, said, task);
                        return failed(endpoint, answer.outcome, answer.status, said);
                    }
                    case 'answer': {
                        const reading = read(answer.body);
                        if ('value' in reading) {
                            lease.report('ok', answer.took);
                            return { kind: 'done', value: reading.value };
                        }
                        if ('unable' in reading) {
                            lease.report('ok', answer.took);
                            const message = `${endpoint}: ${reading.unable}`;
                            return { kind: 'failed', failure: { reason: 'sandbox', message }, retry: true };
                        }
                        lease.report('broken', answer.took, null, reading.broken, this.task);
                        return failed(endpoint, 'broken', answer.status, reading.broken);
                    }
                    default:
                        return unreachable(answer, 'answer');
                }
            },
        };
    }
}

function failed(
    endpoint: string,
    outcome: HttpFailure['outcome'],
    status: number | null,
    message: string,
): Step<never> {
    const retry = isWorthRetrying(outcome);
    const failure: Failure =
        !retry && status !== null
            ? { reason: 'refused', message, endpoint, status }
            : { reason: 'endpoint', message, endpoint, ...(status === null ? {} : { status }) };
    // Another endpoint may accept what this one refuses.
    return { kind: 'failed', failure, retry: retry || outcome === 'refused' };
}

/** The failure's message, with the names of rejected fields if the server gives them. */
function describe(failure: HttpFailure): string {
    const fields = failure.body === null ? null : rejectedFields(failure.body);
    return fields === null ? failure.message : `HTTP ${failure.status}: ${fields}`;
}

/**
 * `body.run_timeout: Input should be a valid number`, from the `detail` list that FastAPI servers send with a 422; or the
 * `message` that Piston sends with a 400.
 */
function rejectedFields(body: Buffer): string | null {
    let parsed: unknown;
    try {
        parsed = parseBody(body);
    } catch {
        return null;
    }
    if (typeof parsed !== 'object' || parsed === null) return null;
    if ('message' in parsed && typeof parsed.message === 'string' && parsed.message !== '') {
        return parsed.message.slice(0, 300);
    }
    if (!('detail' in parsed) || !Array.isArray(parsed.detail)) return null;
    const lines = parsed.detail.slice(0, 3).flatMap((item: unknown) => {
        if (typeof item !== 'object' || item === null || !('loc' in item) || !('msg' in item)) return [];
        return [`${Array.isArray(item.loc) ? item.loc.join('.') : String(item.loc)}: ${String(item.msg)}`];
    });
    return lines.length === 0 ? null : lines.join('; ');
}

const waitAfter = (tries: number): number =>
    Math.min(MAX_WAIT_MS, FIRST_WAIT * 2 ** (tries - 1)) * (0.5 + Math.random() / 2);
