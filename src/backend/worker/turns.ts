import type { Served } from '../../model/task.js';
import { beginJob } from './gate.js';
import type { FromProcess, JobDone, NumberedJob } from './messages.js';

/** Milliseconds for which results are gathered, so that they travel together. */
const GATHER_MS = 5;

/** Runs jobs one after the other, as they arrive, and reports several results in one message. */
export class JobTurns {
    readonly #waiting: NumberedJob[] = [];
    #isRunning = false;
    #done: JobDone[] = [];
    #timer: NodeJS.Timeout | undefined;
    #toldAt = 0;

    constructor(
        /** See gate.ts. */
        private readonly gate: number,
        private readonly serve: (job: NumberedJob) => Promise<Served>,
        private readonly tell: (message: FromProcess) => void,
    ) {}

    add(jobs: readonly NumberedJob[]): void {
        this.#waiting.push(...jobs);
        if (!this.#isRunning) void this.#runAll();
    }

    async #runAll(): Promise<void> {
        this.#isRunning = true;
        this.#toldAt = performance.now();
        for (let job = this.#waiting.shift(); job !== undefined; job = this.#waiting.shift()) {
            // The timer does not fire while tasks follow each other without a pause.
            if (performance.now() - this.#toldAt > GATHER_MS) this.#reportDone();
            if (!this.#begin(job)) {
                this.tell({ type: 'refused', key: job.key });
                continue;
            }
            const served = await this.serve(job);
            this.#done.push({ key: job.key, served });
            this.#timer ??= setTimeout(() => this.#reportDone(), GATHER_MS);
        }
        this.#isRunning = false;
        this.#reportDone();
    }

    #begin({ number }: NumberedJob): boolean {
        try {
            return beginJob(this.gate, number);
        } catch {
            return false;
        }
    }

    #reportDone(): void {
        clearTimeout(this.#timer);
        this.#timer = undefined;
        this.#toldAt = performance.now();
        if (this.#done.length === 0) return;
        this.tell({ type: 'done', done: this.#done });
        this.#done = [];
    }
}
