import type { Redis } from 'ioredis';
import type { Flight, TaskJob } from './flight.js';
import { findMissing } from './scripts.js';
import { isInRedis, type TaskJobs } from './task-jobs.js';
import type { TaskQueue, TaskQueues } from './task-queues.js';

/** Jobs checked per look, unless Redis may have lost some. It keeps the cost of a look constant, however many jobs wait. */
const KEYS_PER_SCAN = 2000;

/** Finished jobs of one queue processed per look. */
const FINISHED_AT_ONCE = 1000;

/** Polls for what no event reports: jobs that Redis has lost, results whose event was missed, and answers that come too late. */
export class JobCheck {
    /** Where the next look continues; the map may change during iteration. */
    #round: Iterator<Flight>;

    constructor(
        private readonly client: Redis,
        private readonly queues: TaskQueues,
        private readonly jobs: TaskJobs,
        private readonly flights: ReadonlyMap<string, Flight>,
    ) {
        this.#round = flights.values();
    }

    /**
     * @param isWhole whether to check all jobs, not just the next ones in turn
     * @returns flights whose job is no longer in Redis
     */
    async findLost(isWhole: boolean): Promise<Flight[]> {
        const looked = isWhole ? [...this.flights.values()].filter(isInRedis) : this.#takeNext();
        const keys = looked.flatMap(({ job }) => (job === null ? [] : job.queue.keys.job(job.id)));
        const lost = (await findMissing(this.client, keys)).flatMap((at) => looked[at] ?? []);
        // Some have ended meanwhile.
        return lost.filter(isInRedis);
    }

    #takeNext(): Flight[] {
        const taken: Flight[] = [];
        // Look at twice as many as are taken, because others are being prepared or settled.
        const most = Math.min(this.flights.size, 2 * KEYS_PER_SCAN);
        for (let tried = 0; tried < most && taken.length < KEYS_PER_SCAN; tried += 1) {
            let next = this.#round.next();
            if (next.done === true) {
                this.#round = this.flights.values();
                next = this.#round.next();
            }
            if (next.done === true) break;
            if (isInRedis(next.value)) taken.push(next.value);
        }
        return taken;
    }

    /**
     * Processes finished jobs, and removes those that nobody waits for any more.
     * @param isKnown whether somebody waits for a job
     * @param take fetches the outcome of a job
     */
    async takeFinished(
        isKnown: (job: string) => boolean,
        take: (job: TaskJob) => Promise<void>,
    ): Promise<void> {
        for (const queue of this.queues.all()) {
            for (const { id, state } of await this.#listFinished(queue)) {
                const job = this.jobs.get(id);
                if (job !== undefined && [...job.flights].some(isInRedis)) await take(job);
                else if (state === 'completed' && job === undefined && !isKnown(id))
                    await queue.queue.remove(id);
            }
        }
    }

    async #listFinished({
        keys,
    }: TaskQueue): Promise<{ readonly id: string; readonly state: 'completed' | 'failed' }[]> {
        const states = ['completed', 'failed'] as const;
        const last = String(FINISHED_AT_ONCE - 1);
        const found = await Promise.all(
            states.map(async (state) => {
                const ids = await this.client.zrange(keys.state(state), '0', last);
                return ids.map((id) => ({ id, state }));
            }),
        );
        return found.flat();
    }
}
