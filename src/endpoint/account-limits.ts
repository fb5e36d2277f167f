import { ConcurrencyLimit } from './concurrency.js';
import type { MinutePage, NotedAmount } from './minute-book.js';
import { MinuteLimit } from './minute-limit.js';
import { type Clock, pass } from '../util/clock.js';
import { RateLimit } from '../util/rate-limit.js';

/** Limits of one server, or of several that share an account. Null: no limit. */
export interface LimitSettings {
    /** Concurrent requests. */
    readonly concurrency: number;
    /** Requests per second. */
    readonly rate: number | null;
    readonly requestsPerMinute: number | null;
    readonly tokensPerMinute: number | null;
}

/** A request's reservation in the rate limits. */
export interface TakenPlace {
    /** Milliseconds to wait before sending. */
    readonly wait: number;
    /** Called after the wait, when the request is sent. */
    begin(): void;
    /** Corrects the reserved tokens to the number used. */
    settle(used: number): void;
}

/** What a service counts together: all requests of one account for one model, whichever address they are sent to. */
export class AccountLimits {
    readonly concurrency: ConcurrencyLimit;
    inFlight = 0;
    readonly #rate: RateLimit;
    readonly #requests: MinuteLimit;
    readonly #tokens: MinuteLimit;
    readonly #page: MinutePage | null;
    /** Requests waiting for the limits per minute, in order. Each is woken if its turn may have come earlier than expected. */
    readonly #waiting: { wake(): void }[] = [];

    /**
     * @param page what earlier processes sent, and where this process records what it sends; null: nothing is recorded
     * @param now current time of the clock that later calls use
     */
    constructor(
        mode: 'fixed' | 'adaptive',
        settings: LimitSettings,
        page: MinutePage | null = null,
        now = 0,
    ) {
        this.concurrency = new ConcurrencyLimit(mode, settings.concurrency);
        this.#rate = new RateLimit(settings.rate);
        this.#requests = new MinuteLimit(settings.requestsPerMinute);
        this.#tokens = new MinuteLimit(settings.tokensPerMinute);
        this.#page = page;
        for (const { age, requests, tokens } of page?.before ?? []) {
            this.#requests.take(requests, now - age);
            this.#tokens.take(tokens, now - age);
        }
    }

    get hasRoom(): boolean {
        return this.inFlight < this.concurrency.value;
    }

    /** 0: idle; 1: full. */
    get load(): number {
        return this.inFlight / this.concurrency.value;
    }

    /** Whether a request with this many tokens would have to wait for the limits per minute. */
    mustWait(tokens: number, now: number): boolean {
        return this.#waiting.length > 0 || this.#minuteDelay(tokens, now) > 0;
    }

    #minuteDelay(tokens: number, now: number): number {
        return Math.max(this.#requests.delay(1, now), this.#tokens.delay(tokens, now));
    }

    /**
     * Waits for a place in every rate limit, first come first served, and takes it. It may pass earlier if others do not use all
     * that they reserved. Rejects with the signal's reason.
     */
    async pass(tokens: number, clock: Clock, signal: AbortSignal): Promise<TakenPlace> {
        const place = this.mustWait(tokens, clock.now())
            ? await this.#takeInTurn(tokens, clock, signal)
            : this.take(tokens, clock.now());
        await pass(clock, place.wait, signal);
        place.begin();
        return place;
    }

    async #takeInTurn(tokens: number, clock: Clock, signal: AbortSignal): Promise<TakenPlace> {
        const ticket = { wake: (): void => {} };
        this.#waiting.push(ticket);
        try {
            for (;;) {
                signal.throwIfAborted();
                const isFirst = this.#waiting[0] === ticket;
                const delay = isFirst ? this.#minuteDelay(tokens, clock.now()) : Number.POSITIVE_INFINITY;
                if (delay <= 0) return this.take(tokens, clock.now());
                await new Promise<void>((resolve) => {
                    const stop = clock.after(delay, resolve);
                    const wake = (): void => {
                        stop();
                        signal.removeEventListener('abort', wake);
                        resolve();
                    };
                    ticket.wake = wake;
                    signal.addEventListener('abort', wake, { once: true });
                });
                ticket.wake();
            }
        } finally {
            this.#waiting.splice(this.#waiting.indexOf(ticket), 1);
            this.#waiting[0]?.wake();
        }
    }

    /** Takes a place in every rate limit. */
    take(tokens: number, now: number): TakenPlace {
        const wait = Math.max(
            this.#requests.delay(1, now),
            this.#tokens.delay(tokens, now),
            this.#rate.take(now),
        );
        // Counts in every limit from when it is sent, whichever limit it waits for.
        this.#requests.take(1, now + wait);
        const taken = this.#tokens.take(tokens, now + wait);
        let noted: NotedAmount | undefined;
        return {
            wait,
            begin: () => {
                noted = this.#page?.note(1, tokens);
            },
            settle: (used) => {
                this.#tokens.settle(taken, used);
                noted?.settle(used);
                if (used < tokens) this.#waiting[0]?.wake();
            },
        };
    }
}
