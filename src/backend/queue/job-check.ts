import type { Redis } from 'ioredis';
import type { Flight } from './flight.js';
import { findMissing } from './scripts.js';
import type { TaskQueue, TaskQueues } from './task-queues.js';

/** Jobs that one look asks for, unless Redis may have lost some; so a look costs the same however many wait. */
const A_LOOK = 2000;

/** Finished jobs of one queue that one look takes in. */
const FINISHED_AT_ONCE = 1000;

/** Finds, by looking, what no event tells: jobs that Redis has lost, results whose event was missed, and answers that come too late. */
export class JobCheck {
    /** Where the next look goes on: a map may change while it is walked through. */
    #round: Iterator<Flight>;

    constructor(
        private readonly client: Redis,
        private readonly queues: TaskQueues,
        private readonly flights: ReadonlyMap<string, Flight>,
    ) {
        this.#round = flights.values();
    }

    /**
     * @param isWhole whether all jobs are looked for, not just the next ones in turn
     * @returns flights whose job is not in Redis any more
     */
    async findLost(isWhole: boolean): Promise<Flight[]> {
        const looked = isWhole ? [...this.flights.values()].filter(isInRedis) : this.#takeNext();
        const keys = looked.flatMap(({ queue, job }) => queue?.keys.job(job) ?? []);
        const lost = (await findMissing(this.client, keys)).flatMap((at) => looked[at] ?? []);
        // Some have ended meanwhile.
        return lost.filter(isInRedis);
    }

    #takeNext(): Flight[] {
        const taken: Flight[] = [];
        // Twice as many may be looked at as are taken: others are being prepared, or settled.
        const most = Math.min(this.flights.size, 2 * A_LOOK);
        for (let tried = 0; tried < most && taken.length < A_LOOK; tried += 1) {
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
     * Takes in jobs that have finished, and removes those that nobody waits for any more.
     * @param isKnown whether somebody does
     * @param take fetches what a job came to
     */
    async takeFinished(
        isKnown: (job: string) => boolean,
        take: (flight: Flight) => Promise<void>,
    ): Promise<void> {
        for (const queue of this.queues.all()) {
            for (const { job, state } of await this.#listFinished(queue)) {
                const flight = this.flights.get(job);
                if (flight !== undefined && isInRedis(flight)) await take(flight);
                else if (state === 'completed' && !isKnown(job)) await queue.queue.remove(job);
            }
        }
    }

    async #listFinished({
        keys,
    }: TaskQueue): Promise<{ readonly job: string; readonly state: 'completed' | 'failed' }[]> {
        const states = ['completed', 'failed'] as const;
        const last = String(FINISHED_AT_ONCE - 1);
        const found = await Promise.all(
            states.map(async (state) => {
                const jobs = await this.client.zrange(keys.state(state), '0', last);
                return jobs.map((job) => ({ job, state }));
            }),
        );
        return found.flat();
    }
}

const isInRedis = ({ state, queue }: Flight): boolean => state === 'in Redis' && queue !== null;
