import type { RunEvent } from '../model/event.js';
import { getMessage } from '../util/message.js';
import { type TopicsSummary, writeTopicsResults } from './topics-results.js';

/** Seconds between two writes while results keep arriving. */
export const OUTPUT_INTERVAL = 5;

/** Maximum share of a run's time that is spent on writing the file, which is rewritten completely each time. */
const SHARE = 0.1;

export interface TopicsOutputOptions {
    /** Absolute. */
    readonly path: string;
    /** The results directory. */
    readonly dir: string;
    readonly topics: readonly string[];
    readonly summary: Omit<TopicsSummary, 'wallTime'>;
    readonly onNotice: (message: string) => void;
}

/** Keeps the file of `--output` up to date: at intervals during a run, and once more at its end. */
export class TopicsOutput {
    readonly #options: TopicsOutputOptions;
    readonly #started = performance.now();
    /** Tasks at once, if the user gave no number. */
    #concurrency: number | null = null;
    #changed = false;
    #timer: NodeJS.Timeout | null = null;
    #writing: Promise<void> = Promise.resolve();

    constructor(options: TopicsOutputOptions) {
        this.#options = options;
    }

    onEvent(event: RunEvent): void {
        if (event.type === 'run-started') this.#concurrency = event.concurrency;
        if (event.type !== 'task-finished' && event.type !== 'task-failed') return;
        this.#changed = true;
        this.#timer ??= this.#writeIn(OUTPUT_INTERVAL);
    }

    /** Writes the current results. @throws WriteError */
    async finish(): Promise<void> {
        if (this.#timer !== null) clearTimeout(this.#timer);
        this.#timer = null;
        this.#changed = false;
        await this.#writing;
        await this.#write();
    }

    #writeIn(seconds: number): NodeJS.Timeout {
        return setTimeout(() => {
            const began = performance.now();
            this.#changed = false;
            this.#writing = this.#write()
                // The results themselves are safe, and the file is written again at the end.
                .catch((error: unknown) => this.#options.onNotice(getMessage(error)))
                .finally(() => {
                    const took = (performance.now() - began) / 1000;
                    const next = Math.max(OUTPUT_INTERVAL, took / SHARE);
                    if (this.#timer !== null) this.#timer = this.#changed ? this.#writeIn(next) : null;
                });
        }, seconds * 1000).unref();
    }

    #write(): Promise<void> {
        const { path, dir, topics, summary } = this.#options;
        const wallTime = (performance.now() - this.#started) / 1000;
        const { concurrency } = summary.config;
        const config = { ...summary.config, concurrency: concurrency ?? this.#concurrency };
        return writeTopicsResults(path, dir, new Set(topics), { ...summary, config, wallTime });
    }
}
