import type { Redis } from 'ioredis';
import { RUNS_KEY } from './keys.js';
import { parseRunInfo, type RunInfo } from './messages.js';

/** Maximum number of starts to remember; anybody with write access to Redis can invent more. */
const MAX_STARTS = 100;

/** Which start of a run a worker serves. New tasks use the endpoints of the latest start, and the current version of modules. */
export class RunStarts {
    /** The latest known start of the run. */
    #start: string;
    /** Earlier starts that still have tasks. */
    readonly #before = new Set<string>();
    /** Settles when tasks of the latest start can be run, or cannot. */
    #renewed: Promise<void> = Promise.resolve();

    constructor(
        private readonly client: Redis,
        private readonly run: RunInfo,
        /** @throws UserError if this worker can no longer do the run's tasks */
        private readonly renew: (run: RunInfo) => Promise<void>,
    ) {
        this.#start = run.start;
    }

    /**
     * Notes the current start of the run, which may be a new one.
     * @throws UserError if this worker can no longer do the run's tasks
     */
    note(run: RunInfo): Promise<void> {
        if (run.start === this.#start) return this.#renewed;
        this.#start = run.start;
        this.#renewed = this.renew(run);
        return this.#renewed;
    }

    /** Whether tasks of a start can be run here; they may arrive before this worker has heard of it. */
    async knows(start: string): Promise<boolean> {
        if (start === this.#start || this.#before.has(start)) return this.#isRenewed();
        const found = await this.client.hget(RUNS_KEY, this.run.run);
        const run = found === null ? null : parseRunInfo(found);
        if (run !== null) void this.note(run).catch(() => {});
        if (start !== this.#start) {
            if (this.#before.size >= MAX_STARTS) this.#before.clear();
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
