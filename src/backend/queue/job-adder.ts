import { setTimeout as wait } from 'node:timers/promises';
import { getMessage } from '../../util/message.js';
import type { Flight, TaskJob } from './flight.js';
import type { RunLease } from './lease.js';
import { packJob } from './messages.js';
import { LOOK_MS } from './redis-watch.js';
import type { TaskJobs } from './task-jobs.js';
import type { TaskQueue, TaskQueues } from './task-queues.js';

/** A task to be sent to Redis. */
interface OfferedTask {
    readonly flight: Flight;
    /** See `packTask`. */
    readonly packed: string;
}

/** Maximum total characters of the tasks in a shared job. */
const MAX_SHARED_BYTES = 256 * 1024;

/**
 * Milliseconds for which tasks are gathered, because a task alone costs three round trips to Redis. Tiny ones are gathered
 * longer, to fill their jobs.
 */
const GATHER_MS = 10;
const GATHER_TINY_MS = 25;

interface JobAdderOptions {
    /** Maximum number of tasks that share a job. */
    readonly size: () => number;
    readonly onAdded: (flight: Flight) => void;
    readonly onNotice: (message: string) => void;
}

/** Adds tasks to their queues, many at a time. */
export class JobAdder {
    #waiting: OfferedTask[] = [];
    #isAdding = false;
    #isClosed = false;

    constructor(
        private readonly queues: TaskQueues,
        private readonly jobs: TaskJobs,
        private readonly lease: RunLease,
        private readonly options: JobAdderOptions,
    ) {}

    add(offered: OfferedTask): void {
        this.#waiting.push(offered);
        if (!this.#isAdding) void this.#addAll();
    }

    async #addAll(): Promise<void> {
        this.#isAdding = true;
        await wait(this.options.size() > 1 ? GATHER_TINY_MS : GATHER_MS);
        let isRefused = false;
        while (this.#waiting.length > 0 && !this.#isClosed) {
            const batch = this.#waiting.filter(({ flight }) => flight.state === 'preparing');
            this.#waiting = [];
            try {
                await this.#addBatch(batch);
                isRefused = false;
            } catch (error) {
                if (this.#isClosed) break;
                const message = `Redis does not accept tasks: ${getMessage(error)}; retrying every ${LOOK_MS / 1000} s`;
                if (!isRefused) this.options.onNotice(message);
                isRefused = true;
                this.#waiting.push(...batch);
                await wait(LOOK_MS);
            }
        }
        this.#isAdding = false;
    }

    async #addBatch(batch: readonly OfferedTask[]): Promise<void> {
        const byQueue = new Map<TaskQueue, OfferedTask[]>();
        for (const offered of batch) {
            const { queue } = offered.flight;
            if (queue === null) continue;
            const same = byQueue.get(queue) ?? [];
            same.push(offered);
            byQueue.set(queue, same);
        }
        await this.queues.announceNew();
        const added = await Promise.all([...byQueue].map(([queue, offered]) => this.#addTo(queue, offered)));
        await this.lease.lend(added.flat());
        for (const { flight } of batch) {
            if (flight.state === 'preparing') flight.state = 'in Redis';
            this.options.onAdded(flight);
        }
    }

    async #addTo(queue: TaskQueue, offered: readonly OfferedTask[]): Promise<TaskJob[]> {
        const packed = new Map<TaskJob, string[]>();
        const put = (job: TaskJob, task: string): void => {
            const others = packed.get(job);
            if (others === undefined) packed.set(job, [task]);
            else others.push(task);
        };
        const unassigned: OfferedTask[] = [];
        for (const one of offered) {
            // Redis may have accepted the job before and the reply was lost, so reuse the same job.
            if (one.flight.job !== null) put(one.flight.job, one.packed);
            else unassigned.push(one);
        }
        for (const group of shareOut(unassigned, this.options.size())) {
            const job = this.jobs.make(
                queue,
                group.map(({ flight }) => flight),
            );
            for (const one of group) put(job, one.packed);
        }
        const { start } = this.lease;
        await queue.queue.addBulk(
            [...packed].map(([{ id }, tasks]) => ({
                name: 'task',
                data: packJob(start, tasks),
                opts: { jobId: id },
            })),
        );
        return [...packed.keys()];
    }

    close(): void {
        this.#isClosed = true;
    }
}

/** @returns the tasks of each job */
function shareOut(offered: readonly OfferedTask[], most: number): readonly (readonly OfferedTask[])[] {
    const groups: OfferedTask[][] = [];
    let open: OfferedTask[] = [];
    let length = Number.POSITIVE_INFINITY;
    for (const one of offered) {
        if (most === 1 || one.flight.isAlone) {
            groups.push([one]);
            continue;
        }
        length += one.packed.length;
        if (open.length >= most || length > MAX_SHARED_BYTES) {
            open = [];
            groups.push(open);
            length = one.packed.length;
        }
        open.push(one);
    }
    return groups;
}
