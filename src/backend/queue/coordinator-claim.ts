import { setTimeout as wait } from 'node:timers/promises';
import type { Redis } from 'ioredis';
import { z } from 'zod';
import { judgeLife, ownIdentity } from '../../host/lock-identity.js';
import { UserError } from '../../util/user-error.js';

/*
 * One process coordinates a run. The lock of the results directory ensures that, except if somebody copied the directory: the
 * copy has the same run id, and two coordinators under one name in Redis would delete each other's results.
 */

/** Milliseconds that a claim lasts; every look renews it. */
const CLAIM_MS = 10_000;

/** Milliseconds after which a claim that still exists must have been renewed. */
const RENEWED_MS = CLAIM_MS + 2000;

/** Milliseconds between two tries. */
const RETRY_MS = 500;

/** Takes the claim unless another coordinator has it. @returns the other one's claim, or nothing */
const CLAIM = `
local held = redis.call('GET', KEYS[1])
if held and held ~= ARGV[1] and held ~= ARGV[3] then return held end
redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[2])
return false`;

const RELEASE = `if redis.call('GET', KEYS[1]) == ARGV[1] then redis.call('DEL', KEYS[1]) end`;

const identity = z.strictObject({
    start: z.string(),
    host: z.string(),
    bootId: z.string().nullable(),
    pidNamespace: z.string().nullable(),
    pid: z.int(),
    startTime: z.string().nullable(),
});

type Claimant = z.infer<typeof identity>;

/** A coordinator's claim to its run. */
export class CoordinatorClaim {
    readonly #own = ownIdentity();
    readonly #text: string;

    /** @param start distinguishes this start from others */
    constructor(
        private readonly client: Redis,
        private readonly key: string,
        start: string,
    ) {
        this.#text = JSON.stringify({ start, ...this.#own });
    }

    /**
     * Waits until an existing claim expires. A claim of a dead process on this machine is ignored.
     * @throws UserError (exit 3) if another coordinator renews its claim
     */
    async take(shown: string): Promise<void> {
        const deadline = performance.now() + RENEWED_MS;
        let gone = '';
        for (;;) {
            const held = await this.#claim(gone);
            if (held === null) return;
            const claimant = parseClaimant(held);
            if (claimant !== null && held !== gone && judgeLife(claimant, this.#own) === 'dead') {
                gone = held;
                continue;
            }
            if (performance.now() > deadline) {
                throw new UserError(
                    `${describeClaimant(claimant)} already coordinates this run over Redis at ${shown}: to run a copy of its results directory, wait until it ends or use another database, such as redis://host/1`,
                    3,
                );
            }
            await wait(RETRY_MS);
        }
    }

    /** @returns a description of the other holder; null if there is none */
    async renew(): Promise<string | null> {
        const held = await this.#claim('');
        return held === null ? null : describeClaimant(parseClaimant(held));
    }

    async #claim(gone: string): Promise<string | null> {
        const held = await this.client.eval(CLAIM, 1, this.key, this.#text, CLAIM_MS, gone);
        return typeof held === 'string' ? held : null;
    }

    async release(): Promise<void> {
        await this.client.eval(RELEASE, 1, this.key, this.#text);
    }
}

function parseClaimant(text: string): Claimant | null {
    try {
        return identity.safeParse(JSON.parse(text)).data ?? null;
    } catch {
        return null;
    }
}

const describeClaimant = (claimant: Claimant | null): string =>
    claimant === null ? 'another process' : `process ${claimant.pid} on ${claimant.host}`;
