import { setTimeout as wait } from 'node:timers/promises';
import type { Redis } from 'ioredis';
import type { HeldJob } from './job-feed.js';
import type { RunKeys } from './keys.js';
import type { NamedTask, Returned, TaskAnswer, WorkerAnswer } from './messages.js';
import { packAnswer, packResults, readEnded } from './pack-answer.js';

/** Milliseconds before Redis is asked again after an error. */
const RETRY_MS = 1000;

/** A job in the hands of a worker: which of its tasks have ended, and how. */
export class JobInHand {
    readonly takenAt = performance.now();
    readonly #answers: TaskAnswer[] = [];
    readonly #left: string[] = [];
    /** Tasks that have ended here and of which Redis was not told. */
    #untold = 0;
    #telling: Promise<void> = Promise.resolve();
    #isTelling = false;
    #isLost = false;

    constructor(
        readonly held: HeldJob,
        private readonly client: Redis,
        private readonly keys: RunKeys,
    ) {}

    /** Those of its tasks that have not ended with a worker that was lost later. */
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

    /** A task that did not run to its end here. */
    leave(task: string): void {
        this.#left.push(task);
        this.#untold += 1;
    }

    /** Somebody else may have it by now. */
    lose(): void {
        this.#isLost = true;
    }

    get isLost(): boolean {
        return this.#isLost;
    }

    get hasAnswers(): boolean {
        return this.#answers.length > 0;
    }

    /** Tells of tasks that have ended while others go on, so that they wait for nothing and are not lost with this worker. */
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
            // Redis is away or full: told next time, or with the end of the job.
            this.#untold += 1;
        }
    }

    /** All its tasks have ended. @returns what it returns; null: it is lost */
    async close(): Promise<Returned | null> {
        await this.#telling;
        return this.#persist(() => this.#pack());
    }

    #pack(): Promise<Returned> {
        return packResults(this.client, this.keys, { answers: this.#answers, left: this.#left });
    }

    /** Puts something into Redis, for as long as that takes: it may be full, or away. @returns null: the job is lost */
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
