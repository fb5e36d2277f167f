/*
 * Executors over sandbox servers. What they share: fleet.ts (who the servers are), session.ts (an attempt's way through the pool),
 * attempt.ts (a task becomes an outcome), local-check.ts (comparing), and with local judging ../judge-tests.ts and ../doubts.ts
 * (what runs mean).
 * Another kind of server (Judge0) is three files beside sandbox-fusion.ts: its protocol as data (`*-protocol.ts`:
 * requests, and answers read by a schema), `create<Kind>`, which hands a way to run one test to `judgeTests` and a probe to
 * `Fleet`, and its row (`*-kind.ts`); then a line in ../kinds.ts, a rig server, and a line in the conformance suite.
 */

import type { PoolHooks } from '../../endpoint/pool.js';
import type { EndpointState, Spending } from '../../model/event.js';
import type { ExecutorDescriptor } from '../../model/executor-descriptor.js';
import type { Executor } from '../executor.js';
import type { CheckOutput } from '../check-output.js';
import type { DoubtedEndpoints } from './doubted-endpoints.js';
import type { AcquirePlace, WorkerDesk } from './places.js';

/** An executor that runs its tasks on servers: it lives in the main process, over one pool. */
export interface ServerExecutor extends Executor {
    /** Figures of every endpoint, the main pool first. */
    endpoints(): readonly EndpointState[];
    /** Tasks that the main pool takes at once, as its limits are now: what the run's concurrency should be. */
    concurrency(): number;
    /**
     * Told before the first task what the run is about to do. Absent: it needs nothing of that.
     * @param work.tasks how many tasks there are, at least
     * @param work.concurrency `--concurrency`; null: as many as the servers are good for
     * @param work.runsHere whether tasks make their requests from this process
     */
    prepare?(work: ComingWork): void;
    /** Told that so many tasks are wanted at once: by `--concurrency`, or by `resume-run set` while it runs. */
    widenTo?(concurrency: number): void;
    /** What its requests have used, kept or not; absent: nothing that is counted. */
    spent?(): Spending;
    /** Answers what tasks in workers ask; absent where none run in workers. */
    readonly desk?: WorkerDesk;
    /** What workers build their part of; absent: the descriptor that this one was built of. */
    readonly workerDescriptor?: ExecutorDescriptor;
}

export interface ComingWork {
    readonly tasks: number;
    readonly concurrency: number | null;
    readonly runsHere: boolean;
}

/** Told as things happen; must not throw. */
export type ServerHooks = PoolHooks;

/** What a server executor is given besides its descriptor; it has its own of each otherwise. */
export interface ServerParts {
    /** Told when endpoints change, when all are gone, and when they are back. */
    readonly hooks?: ServerHooks;
    /** Where places at endpoints come from, and who remembers doubtful ones; absent: a pool and a memory of its own. */
    readonly places?: { readonly acquire: AcquirePlace; readonly doubted: DoubtedEndpoints };
    /** How outputs are checked; by default on this machine, checker programs in its sandbox. */
    readonly check?: CheckOutput;
}
