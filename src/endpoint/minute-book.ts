import { isJsonObject, type Json } from '../model/json.js';
import { maskSecrets } from '../util/secrets.js';
import { MINUTE } from './minute-limit.js';

/** Where the text of a book is kept. Neither call may throw: a book that is lost costs no result. */
export interface MinuteStorage {
    /** Null: there is none. */
    read(): string | null;
    write(text: string): void;
}

/** What one account has sent for one model within the last minute or so. */
export interface MinutePage {
    /** Of an earlier process, in the order of their ages. */
    readonly before: readonly { readonly age: number; readonly requests: number; readonly tokens: number }[];
    /** Writes down, before it is sent, what is to be sent now. */
    note(requests: number, tokens: number): NotedAmount;
}

export interface NotedAmount {
    /** The reserved tokens turned out to be so many. */
    settle(used: number): void;
}

/** An amount that was sent until a moment of the wall clock, and not long before. */
interface Sent {
    until: number;
    requests: number;
    tokens: number;
}

/** What is being sent now. */
interface OpenAmount {
    /** `until` bounds it, however little of it is used. */
    readonly sent: Sent;
    readonly since: number;
    /** What the file says. */
    readonly most: Readonly<Sent>;
}

/** What is written down ahead at once: a share of a minute's limit, for so many milliseconds. */
const AHEAD = 0.1;
const AHEAD_MS = 10_000;

/**
 * What was sent in the last minute, kept where the next process finds it: a service goes on counting when a run is killed and
 * started again. A share of the limit is written down before it is used, so that nothing that was sent is ever missing, and
 * there are a few writes a minute, however many requests. The next process takes what was written as sent, so it may wait for
 * a tenth of the limit that nobody used.
 */
export class MinuteBook {
    readonly #storage: MinuteStorage;
    readonly #now: () => number;
    readonly #sent: Map<string, Sent[]>;
    readonly #open = new Map<string, OpenAmount>();

    /** @param now the wall clock, in milliseconds: another process reads it too */
    constructor(storage: MinuteStorage, now: () => number = Date.now) {
        this.#storage = storage;
        this.#now = now;
        this.#sent = readBook(storage.read(), now());
    }

    /**
     * @param account its name and the model's
     * @param limits amounts a minute; null: none
     */
    openPage(
        account: string,
        limits: { readonly requestsPerMinute: number | null; readonly tokensPerMinute: number | null },
    ): MinutePage {
        const name = withoutSecrets(account);
        const opened = this.#now();
        const before = (this.#sent.get(name) ?? []).map(({ until, requests, tokens }) => ({
            age: opened - until,
            requests,
            tokens,
        }));
        const share = (limit: number | null): number => Math.ceil((limit ?? 0) * AHEAD);
        const atLeast = {
            requests: share(limits.requestsPerMinute),
            tokens: share(limits.tokensPerMinute),
        };
        const note = (requests: number, tokens: number): NotedAmount => {
            const sent = this.#note(name, { requests, tokens }, atLeast);
            return {
                settle: (used) => {
                    if (used > tokens) this.#note(name, { requests: 0, tokens: used - tokens }, atLeast);
                    else sent.tokens -= tokens - used;
                },
            };
        };
        return { before, note };
    }

    /** @returns what the amount was added to */
    #note(name: string, amount: Amount, atLeast: Amount): Sent {
        const now = this.#now();
        const open = this.#open.get(name);
        if (open !== undefined && fits(open, amount, now)) {
            open.sent.requests += amount.requests;
            open.sent.tokens += amount.tokens;
            return open.sent;
        }
        if (open !== undefined) {
            open.sent.until = now;
            this.#sent.set(name, [...(this.#sent.get(name) ?? []), open.sent]);
        }
        const until = now + AHEAD_MS;
        const sent = { until, ...amount };
        const most = {
            until,
            requests: Math.max(amount.requests, atLeast.requests),
            tokens: Math.max(amount.tokens, atLeast.tokens),
        };
        this.#open.set(name, { sent, since: now, most });
        this.#write(now);
        return sent;
    }

    #write(now: number): void {
        const accounts: Record<string, readonly Readonly<Sent>[]> = {};
        for (const name of new Set([...this.#sent.keys(), ...this.#open.keys()])) {
            const recent = (this.#sent.get(name) ?? []).filter(({ until }) => until > now - MINUTE);
            this.#sent.set(name, recent);
            const most = this.#open.get(name)?.most;
            const all = most === undefined ? recent : [...recent, most];
            if (all.length > 0) accounts[name] = all;
        }
        this.#storage.write(`${JSON.stringify({ version: 1, accounts })}\n`);
    }
}

type Amount = Readonly<Pick<Sent, 'requests' | 'tokens'>>;

/** Whether the file covers more of it. A clock that was set back is not relied on. */
const fits = ({ sent, since, most }: OpenAmount, { requests, tokens }: Amount, now: number): boolean =>
    now >= since &&
    now <= most.until &&
    sent.requests + requests <= most.requests &&
    sent.tokens + tokens <= most.tokens;

/** An account without a key is named by its address, which may hold credentials. */
const withoutSecrets = (name: string): string => maskSecrets(name).replace(/(?<=:\/\/)[^/\s"@]*@/g, '');

/** What is not a book, and what is not an amount, was never sent. Times ahead of the clock count as now. */
function readBook(text: string | null, now: number): Map<string, Sent[]> {
    const sent = new Map<string, Sent[]>();
    const accounts = parseBook(text);
    for (const [name, list] of Object.entries(accounts)) {
        if (!Array.isArray(list)) continue;
        const recent = list
            .filter(isSent)
            .map((one) => ({ ...one, until: Math.min(one.until, now) }))
            .filter(({ until }) => until > now - MINUTE)
            .sort((a, b) => a.until - b.until);
        if (recent.length > 0) sent.set(name, recent);
    }
    return sent;
}

function parseBook(text: string | null): { readonly [name: string]: Json } {
    if (text === null) return {};
    try {
        const book: unknown = JSON.parse(text);
        const accounts = isJsonObject(book) ? book['accounts'] : null;
        return isJsonObject(accounts) ? accounts : {};
    } catch {
        return {};
    }
}

const isAmount = (value: unknown): value is number => typeof value === 'number' && value >= 0;

const isSent = (value: unknown): value is Sent =>
    isJsonObject(value) &&
    Number.isFinite(value['until']) &&
    isAmount(value['requests']) &&
    isAmount(value['tokens']);
