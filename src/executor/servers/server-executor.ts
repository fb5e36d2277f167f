/*
 * Executors over sandbox servers. They share fleet.ts (the servers and how to reach them), session.ts (how an attempt uses the
 * pool), attempt.ts (turns a task into an outcome) and local-check.ts (comparing), and with local judging ../judge-tests.ts and
 * ../doubts.ts (what runs mean). Another kind of server (such as Judge0) takes three files like those of sandbox-fusion.ts: its
 * protocol as data (`*-protocol.ts`: requests, and answers read by a schema), `create<Kind>`, which passes a way to run one test
 * to `judgeTests` and a probe to `Fleet`, and its row (`*-kind.ts`); and then a line in ../kinds.ts, a rig server, and a line in
 * the conformance suite.
 */

import type { PoolHooks } from '../../endpoint/pool.js';
import type { EndpointState, Spending } from '../../model/event.js';
import type { ExecutorDescriptor } from '../../model/executor-descriptor.js';
import type { Executor } from '../executor.js';
import type { CheckOutput } from '../check-output.js';
import type { DoubtedEndpoints } from './doubted-endpoints.js';
import type { AcquirePlace, WorkerDesk } from './places.js';

/** An executor that runs its tasks on servers. It lives in the main process, with one pool. */
export interface ServerExecutor extends Executor {
    /** State of every endpoint, the main pool first. */
    endpoints(): readonly EndpointState[];
    /** Number of tasks that the main pool can take at once under its current limits, which the run's concurrency should match. */
    concurrency(): number;
    /**
     * Called before the first task with what the run is about to do. Absent if that is not needed.
     * @param work.tasks minimum number of tasks
     * @param work.concurrency `--concurrency`; null: as many as the servers can take
     * @param work.runsHere whether tasks make their requests from this process
     */
    prepare?(work: UpcomingWork): void;
    /** Called with the wanted number of concurrent tasks: `--concurrency`, or a change by `resume-run set` during the run. */
    widenTo?(concurrency: number): void;
    /** What its requests have used, whether their results were kept or not; absent if usage is not counted. */
    spent?(): Spending;
    /** Answers requests of tasks in workers; absent if none run in workers. */
    readonly desk?: WorkerDesk;
    /** The descriptor from which workers build their part; absent: the descriptor of this executor. */
    readonly workerDescriptor?: ExecutorDescriptor;
}

export interface UpcomingWork {
    readonly tasks: number;
    readonly concurrency: number | null;
    readonly runsHere: boolean;
}

/** Called as things happen; must not throw. */
export type ServerHooks = PoolHooks;

/** Optional parts of a server executor besides its descriptor; it creates its own for those not given. */
export interface ServerParts {
    /** Called when endpoints change, when all are gone, and when they are back. */
    readonly hooks?: ServerHooks;
    /** Source of places at endpoints, and memory of doubted ones; absent: its own pool and memory. */
    readonly places?: { readonly acquire: AcquirePlace; readonly doubted: DoubtedEndpoints };
    /** Checks outputs; by default on this machine, with checker programs in its sandbox. */
    readonly check?: CheckOutput;
}
