import type { Redis } from 'ioredis';

interface RedisWatchOptions {
    /** The address without secrets. */
    readonly shown: string;
    readonly onPaused: (message: string) => void;
    readonly onResumed: (message: string) => void;
    /** Called regularly while Redis is available, and at once when it is back, because it may have lost its data. */
    readonly look: (isBack: boolean) => Promise<void>;
}

/** Milliseconds between two looks. */
export const LOOK_MS = 2000;

/** Milliseconds without a connection after which the user is told. */
const GONE_MS = 500;

/** Milliseconds without an answer to a look after which the user is told: a connection may die silently. */
const SILENT_MS = 5000;

/** Watches whether Redis is available, and reports each change in one line. */
export class RedisWatch {
    readonly #client: Redis;
    readonly #options: RedisWatchOptions;
    readonly #timer: NodeJS.Timeout;
    #silence: NodeJS.Timeout | undefined;
    #isPaused = false;
    #isLooking = false;
    /** Whether Redis has come back since the last look began. */
    #wasAway = false;
    #isClosed = false;

    constructor(client: Redis, options: RedisWatchOptions) {
        this.#client = client;
        this.#options = options;
        client.on('close', () => {
            this.#silence ??= setTimeout(() => this.#pause('is unreachable'), GONE_MS);
        });
        client.on('ready', () => {
            clearTimeout(this.#silence);
            this.#silence = undefined;
            this.#resume('is back');
            void this.#look(true);
        });
        this.#timer = setInterval(() => void this.#look(false), LOOK_MS);
    }

    get isPaused(): boolean {
        return this.#isPaused;
    }

    async #look(isBack: boolean): Promise<void> {
        this.#wasAway ||= isBack;
        if (this.#isLooking || this.#isClosed || this.#client.status !== 'ready') return;
        this.#isLooking = true;
        const late = setTimeout(() => this.#pause('does not answer'), SILENT_MS);
        try {
            const wasAway = this.#wasAway;
            this.#wasAway = false;
            await this.#options.look(wasAway);
            if (this.#client.status === 'ready') this.#resume('answers again');
        } catch {
            // Redis went away in between; the next look comes soon.
        } finally {
            clearTimeout(late);
            this.#isLooking = false;
        }
    }

    #pause(how: string): void {
        if (this.#isPaused || this.#isClosed) return;
        this.#isPaused = true;
        this.#options.onPaused(`Redis at ${this.#options.shown} ${how}: the run continues when it is back`);
    }

    #resume(how: string): void {
        if (this.#isPaused) this.#options.onResumed(`Redis at ${this.#options.shown} ${how}`);
        this.#isPaused = false;
    }

    close(): void {
        this.#isClosed = true;
        clearInterval(this.#timer);
        clearTimeout(this.#silence);
    }
}
