import { isJsonObject, type Json } from '../model/json.js';
import { maskSecrets } from '../util/secrets.js';
import { MINUTE } from './minute-limit.js';

/** Where the text of a book is stored. Neither call may throw: losing a book costs no results. */
export interface MinuteStorage {
    /** Null if there is none. */
    read(): string | null;
    write(text: string): void;
}

/** What one account has sent for one model within about the last minute. */
export interface MinutePage {
    /** Sent by earlier processes, in order of age. */
    readonly before: readonly { readonly age: number; readonly requests: number; readonly tokens: number }[];
    /** Records an amount before it is sent. */
    note(requests: number, tokens: number): NotedAmount;
}

export interface NotedAmount {
    /** Corrects the reserved tokens to the number used. */
    settle(used: number): void;
}

/** An amount that was sent up to a time of the wall clock, and not long before it. */
interface Sent {
    until: number;
    requests: number;
    tokens: number;
}

/** An amount that requests are still being added to. */
interface OpenAmount {
    /** `until` limits its duration, however little of the amount is used. */
    readonly sent: Sent;
    readonly since: number;
    /** The amount as written to the file. */
    readonly most: Readonly<Sent>;
}

/** The amount written ahead in one step: a share of the limit per minute, valid for `AHEAD_MS` milliseconds. */
const AHEAD = 0.1;
const AHEAD_MS = 10_000;

/**
 * Records what was sent in the last minute for the next process, since a service keeps counting when a run is killed and
 * restarted. A share of the limit is written to the file before it is used. So nothing that was sent is ever missing, and there
 * are only a few writes per minute, however many requests there are. The next process counts everything written as sent, so it
 * may wait for up to a tenth of the limit that was not used.
 */
export class MinuteBook {
    readonly #storage: MinuteStorage;
    readonly #now: () => number;
    readonly #sent: Map<string, Sent[]>;
    readonly #open = new Map<string, OpenAmount>();

    /** @param now the wall clock, in milliseconds, since other processes read the times */
    constructor(storage: MinuteStorage, now: () => number = Date.now) {
        this.#storage = storage;
        this.#now = now;
        this.#sent = readBook(storage.read(), now());
    }

    /**
     * @param account names of the account and the model
     * @param limits amounts per minute; null: none
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

    /** @returns the entry that the amount was added to */
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

/** Whether the file already covers a further amount. False if the clock was set back. */
const fits = ({ sent, since, most }: OpenAmount, { requests, tokens }: Amount, now: number): boolean =>
    now >= since &&
    now <= most.until &&
    sent.requests + requests <= most.requests &&
    sent.tokens + tokens <= most.tokens;

/** An account without a key is named by its address, which may contain credentials. */
const withoutSecrets = (name: string): string => maskSecrets(name).replace(/(?<=:\/\/)[^/\s"@]*@/g, '');

/** Invalid books and amounts are ignored. Times in the future count as now. */
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
