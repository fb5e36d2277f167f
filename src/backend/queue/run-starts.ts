import type { Redis } from 'ioredis';
import { RUNS_KEY } from './keys.js';
import { parseRunInfo, type RunInfo } from './messages.js';

/** Starts of a run that are remembered; whoever may write to Redis can make up more. */
const MOST_STARTS = 100;

/** Which start of a run a worker serves. New tasks ask whom the last start names, and run modules as they are now. */
export class RunStarts {
    /** Of the run, as it was last seen. */
    #start: string;
    /** Starts before it of which there are still tasks. */
    readonly #before = new Set<string>();
    /** Settles when tasks of the last start can be run, or cannot. */
    #renewed: Promise<void> = Promise.resolve();

    constructor(
        private readonly client: Redis,
        private readonly run: RunInfo,
        /** @throws UserError where this worker cannot do the run's tasks any more */
        private readonly renew: (run: RunInfo) => Promise<void>,
    ) {
        this.#start = run.start;
    }

    /**
     * The run may have been started again since.
     * @throws UserError where this worker cannot do the run's tasks any more
     */
    note(run: RunInfo): Promise<void> {
        if (run.start === this.#start) return this.#renewed;
        this.#start = run.start;
        this.#renewed = this.renew(run);
        return this.#renewed;
    }

    /** Whether tasks of a start can be run here; they may come before this worker has heard of it. */
    async knows(start: string): Promise<boolean> {
        if (start === this.#start || this.#before.has(start)) return this.#isRenewed();
        const found = await this.client.hget(RUNS_KEY, this.run.run);
        const run = found === null ? null : parseRunInfo(found);
        if (run !== null) void this.note(run).catch(() => {});
        if (start !== this.#start) {
            if (this.#before.size >= MOST_STARTS) this.#before.clear();
            this.#before.add(start);
        }
        return this.#isRenewed();
    }

    #isRenewed(): Promise<boolean> {
        return this.#renewed.then(
            () => true,
            () => false,
        );
    }
}
