import { setTimeout as wait } from 'node:timers/promises';
import type { Redis } from 'ioredis';
import type { HeldJob } from './job-feed.js';
import type { RunKeys } from './keys.js';
import type { NamedTask, Returned, TaskAnswer, WorkerAnswer } from './messages.js';
import { packAnswer, packResults, readEnded } from './pack-answer.js';

/** Milliseconds before Redis is asked again after an error. */
const RETRY_MS = 1000;

/** A job held by a worker: which of its tasks have ended, and how. */
export class RunningJob {
    readonly takenAt = performance.now();
    readonly #answers: TaskAnswer[] = [];
    readonly #left: string[] = [];
    /** Number of tasks that have ended here but were not reported to Redis. */
    #untold = 0;
    #telling: Promise<void> = Promise.resolve();
    #isTelling = false;
    #isLost = false;

    constructor(
        readonly held: HeldJob,
        private readonly client: Redis,
        private readonly keys: RunKeys,
    ) {}

    /** Tasks of the job without those that had ended with an earlier worker, lost since. */
    async pickOpen(tasks: readonly NamedTask[]): Promise<readonly NamedTask[]> {
        if (tasks.length === 1) return tasks;
        const before = await readEnded(this.client, this.keys, this.held.job.progress);
        this.#answers.push(...before.answers);
        this.#left.push(...before.left);
        const ended = new Set([...before.answers.map(({ task }) => task), ...before.left]);
        return tasks.filter(({ name }) => !ended.has(name));
    }

    async addAnswer(task: string, answer: WorkerAnswer): Promise<void> {
        const packed = await this.#persist(() => packAnswer(this.client, this.keys, task, answer));
        if (packed === null) return;
        this.#answers.push(packed);
        this.#untold += 1;
    }

    /** Records a task that did not complete here. */
    leave(task: string): void {
        this.#left.push(task);
        this.#untold += 1;
    }

    /** Another worker may have the job now. */
    lose(): void {
        this.#isLost = true;
    }

    get isLost(): boolean {
        return this.#isLost;
    }

    get hasAnswers(): boolean {
        return this.#answers.length > 0;
    }

    /** Reports tasks that have ended while others continue, so that their results are not delayed, or lost with this worker. */
    tell(): void {
        if (this.#untold === 0 || this.#isTelling) return;
        this.#isTelling = true;
        this.#untold = 0;
        this.#telling = this.#tell().finally(() => {
            this.#isTelling = false;
        });
    }

    async #tell(): Promise<void> {
        try {
            const results = await this.#pack();
            if (!this.#isLost) await this.held.job.updateProgress(results);
        } catch {
            // Redis is away or full: report next time, or when the job ends.
            this.#untold += 1;
        }
    }

    /** Called when all its tasks have ended. @returns its return value; null if the job is lost */
    async close(): Promise<Returned | null> {
        await this.#telling;
        return this.#persist(() => this.#pack());
    }

    #pack(): Promise<Returned> {
        return packResults(this.client, this.keys, { answers: this.#answers, left: this.#left });
    }

    /**
     * Stores something in Redis. Retries as long as needed, because Redis may be full or away. @returns null if the job is lost
     */
    async #persist<T>(put: () => Promise<T>): Promise<T | null> {
        while (!this.#isLost) {
            try {
                return await put();
            } catch {
                await wait(RETRY_MS);
            }
        }
        return null;
    }
}
