import { getIoCode, describeIoError, withDescriptors } from '../util/io-error.js';
import { UserError } from '../util/user-error.js';
import { makeDirectory } from './durable-write.js';
import {
    isCompatible,
    createLock,
    flushLock,
    type LockContent,
    type LockFile,
    listLocks,
    makeLockName,
    removeLock,
    type ShardOf,
    writeBeat,
} from './lock-file.js';
import { type HolderIdentity, judgeLife, ownIdentity } from './lock-identity.js';
import { makeHolderId } from './staging-name.js';

export interface LockOptions {
    /** `checkpoints/<dir name>`; created if missing. */
    readonly checkpointsDir: string;
    /** The results directory, as messages name it. */
    readonly dir: string;
    readonly shard: ShardOf | null;
    /** `--take-over`: do not wait for the heartbeat of a holder that cannot be inspected from here. */
    readonly takeOver: boolean;
    /** What the user can do while another run holds the directory; if absent, the command that watches a run. */
    readonly hint?: string;
    /** Receives a line for the user: what is being waited for. */
    readonly onNotice: (message: string) => void;
    /** Ends the wait without taking the lock. */
    readonly signal?: AbortSignal;
    /** For tests. */
    readonly identity?: HolderIdentity;
    readonly clock?: LockClock;
}

/** Milliseconds of a monotonic clock, and a pause. */
interface LockClock {
    now(): number;
    sleep(milliseconds: number): Promise<void>;
}

/** A directory held by this run. */
export interface Lock {
    /** Holder id: hand it to `createFileStore`. */
    readonly id: string;
    /**
     * Checks that the directory is still ours; cheap, looks at the disk at most once a second.
     * @throws UserError (exit 3) if another run took it over while this one slept: nothing may be written then
     */
    verify(): Promise<void>;
    /** Ids of the other runs (shards) that hold the directory now, for sweeping. */
    otherHolders(): Promise<ReadonlySet<string>>;
    /** Gives the directory back. Never throws. */
    release(): Promise<void>;
}

const HEARTBEAT = 20_000;
const DEAD_AFTER = 180_000;
/** Two heartbeats and a margin: a live holder has shown itself by then. */
const LIKELY_DEAD_AFTER = 45_000;
const POLL = 1000;
const VERIFY_EVERY = 1000;

const REAL_CLOCK: LockClock = {
    now: () => performance.now(),
    sleep: (milliseconds) => new Promise((resolve) => setTimeout(resolve, milliseconds)),
};

/**
 * Takes the directory, see docs/crash-safety.md "The lock".
 * @throws UserError (exit 3) if another run holds it; the signal's reason if the wait was ended
 */
export async function acquireLock(options: LockOptions): Promise<Lock> {
    const { checkpointsDir: dir } = options;
    const content: LockContent = {
        id: makeHolderId(),
        identity: options.identity ?? ownIdentity(),
        shard: options.shard,
        startedAt: new Date().toISOString(),
    };
    try {
        await makeDirectory(dir);
        for (;;) {
            const before = await listLocks(dir);
            const dead = await refuseLiving(before, content, options);
            const number = (before.at(-1)?.number ?? 0) + 1;
            if (!(await createLock(dir, number, content))) continue;
            let isHeld = false;
            try {
                isHeld = await isOurs(dir, number, content, dead, options);
            } finally {
                // A run that stops waiting or comes too late must leave nothing that would keep others out.
                if (!isHeld) await removeLock(dir, number);
            }
            if (!isHeld) continue;
            for (const lock of dead) await removeLock(dir, lock.number);
            return new HeldLock(dir, number, content, options);
        }
    } catch (error) {
        if (error instanceof UserError || options.signal?.aborted === true) throw error;
        throw new UserError(`cannot lock ${options.dir} in ${dir}: ${describeIoError(error)}`, 4, {
            cause: error,
        });
    }
}

/** Ends with exit 3 if a live, conflicting holder is among `locks`; returns those that are gone. */
async function refuseLiving(
    locks: readonly LockFile[],
    own: LockContent,
    options: LockOptions,
): Promise<readonly LockFile[]> {
    const gone: LockFile[] = [];
    for (const lock of locks) {
        if (lock.released) gone.push(lock);
        else if (lock.content !== null && isCompatible(lock.content.shard, own.shard)) continue;
        else if (await isGone(lock, own, options)) gone.push(lock);
        else throw makeRefusal(lock, options);
    }
    return gone;
}

/** After creating the lock: no higher number may have come in between, and no other holder may be alive. */
async function isOurs(
    dir: string,
    number: number,
    own: LockContent,
    dead: readonly LockFile[],
    options: LockOptions,
): Promise<boolean> {
    const known = new Set(dead.map((lock) => `${lock.number} ${lock.content?.id}`));
    for (const lock of await listLocks(dir)) {
        if (lock.number === number) continue;
        if (lock.number > number && !isCompatible(lock.content?.shard ?? null, own.shard)) return false;
        if (lock.released || known.has(`${lock.number} ${lock.content?.id}`)) continue;
        if (lock.content !== null && isCompatible(lock.content.shard, own.shard)) continue;
        // A lower number that came in between is judged like any other, in the next round.
        if (lock.content === null || judgeLife(lock.content.identity, own.identity) !== 'dead') return false;
    }
    options.signal?.throwIfAborted();
    return true;
}

async function isGone(lock: LockFile, own: LockContent, options: LockOptions): Promise<boolean> {
    const life = lock.content === null ? 'unknown' : judgeLife(lock.content.identity, own.identity);
    switch (life) {
        case 'alive':
            return false;
        case 'dead':
            return true;
        case 'unknown':
            return options.takeOver || (await staysSilent(lock, options));
    }
}

/** Watches a heartbeat by our own clock: true once it has not changed for three minutes, false as soon as it does. */
async function staysSilent(lock: LockFile, options: LockOptions): Promise<boolean> {
    const clock = options.clock ?? REAL_CLOCK;
    const start = clock.now();
    let likelyDead = false;
    options.onNotice(
        `${options.dir} is locked by ${describe(lock)}, which cannot be looked at from here: watching its heartbeat ` +
            '(up to 3 minutes; --take-over skips this)',
    );
    for (;;) {
        await clock.sleep(POLL);
        options.signal?.throwIfAborted();
        const now = (await listLocks(options.checkpointsDir)).find((other) => other.number === lock.number);
        if (now === undefined || now.released) return true;
        if (now.beat !== lock.beat) return false;
        const silent = clock.now() - start;
        if (silent >= DEAD_AFTER) return true;
        if (silent >= LIKELY_DEAD_AFTER && !likelyDead) {
            likelyDead = true;
            options.onNotice(
                'no heartbeat so far: that run seems to be gone; starting after 3 minutes of silence',
            );
        }
    }
}

function describe(lock: LockFile): string {
    if (lock.content === null)
        return `a run that ${makeLockName(lock.number)} does not name (the file is damaged)`;
    const { identity, startedAt, shard } = lock.content;
    const part = shard === null ? '' : ` (shard ${shard.index}/${shard.count})`;
    return `process ${identity.pid} on ${identity.host}${part}, started ${startedAt}`;
}

function makeRefusal(lock: LockFile, options: LockOptions): UserError {
    const watch = options.hint ?? `watch it with: resume-run status --dir ${options.dir} --watch`;
    const instead = options.takeOver
        ? 'it is alive on this machine, so it is not taken over: stop it first'
        : 'stop it, or use --take-over if it is known to be gone';
    return new UserError(`${options.dir} is held by ${describe(lock)}; ${watch}; ${instead}`, 3);
}

/**
 * Ids of the runs that hold a directory now, or may do so, for read-only commands.
 * @param dir `checkpoints/<dir name>`
 */
export async function findLivingHolders(dir: string): Promise<ReadonlySet<string>> {
    try {
        return findLivingIds(await withDescriptors(() => listLocks(dir)), ownIdentity());
    } catch (error) {
        if (getIoCode(error) === 'ENOENT') return new Set();
        throw error;
    }
}

function findLivingIds(locks: readonly LockFile[], own: HolderIdentity): Set<string> {
    const ids = new Set<string>();
    for (const { released, content } of locks) {
        if (!released && content !== null && judgeLife(content.identity, own) !== 'dead') ids.add(content.id);
    }
    return ids;
}

class HeldLock implements Lock {
    readonly #dir: string;
    readonly #number: number;
    readonly #content: LockContent;
    readonly #options: LockOptions;
    readonly #timer: NodeJS.Timeout;
    #beat = 0;
    #beating: Promise<void> = Promise.resolve();
    #checkedAt = Number.NEGATIVE_INFINITY;
    #checkedDate = 0;
    #checking: Promise<void> | null = null;
    /** Awaited before the first result is written: finding out what is left to do need not wait for the disk. */
    readonly #durable: Promise<void>;

    constructor(dir: string, number: number, content: LockContent, options: LockOptions) {
        this.#dir = dir;
        this.#number = number;
        this.#content = content;
        this.#options = options;
        this.#durable = withDescriptors(() => flushLock(dir, number));
        this.#durable.catch(() => undefined);
        this.#timer = setInterval(() => this.#nextBeat(), HEARTBEAT);
        this.#timer.unref();
    }

    get id(): string {
        return this.#content.id;
    }

    #nextBeat(): void {
        this.#beat += 1;
        // A failed heartbeat (disk full, server away) is no reason to stop: commits check for themselves.
        this.#beating = writeBeat(this.#dir, this.#number, this.#beat).catch(() => undefined);
    }

    async verify(): Promise<void> {
        // The monotonic clock stops while the machine sleeps, the calendar does not: both must be recent.
        const fresh =
            performance.now() - this.#checkedAt < VERIFY_EVERY &&
            Math.abs(Date.now() - this.#checkedDate) < VERIFY_EVERY;
        if (fresh) return;
        this.#checking ??= this.#check().finally(() => {
            this.#checking = null;
        });
        await this.#checking;
    }

    async #check(): Promise<void> {
        const steady = performance.now();
        const date = Date.now();
        await this.#flushed();
        const locks = await this.#list();
        const own = locks.find((lock) => lock.number === this.#number);
        const above = locks.find(
            (lock) =>
                lock.number > this.#number && !isCompatible(lock.content?.shard ?? null, this.#content.shard),
        );
        if (own?.content?.id !== this.#content.id || above !== undefined) {
            const who =
                above === undefined ? 'its lock was removed' : `it was taken over by ${describe(above)}`;
            throw new UserError(
                `${this.#options.dir} is not ours any more: ${who}; nothing more is written`,
                3,
            );
        }
        this.#checkedAt = steady;
        this.#checkedDate = date;
    }

    async #list(): Promise<readonly LockFile[]> {
        try {
            return await withDescriptors(() => listLocks(this.#dir));
        } catch (error) {
            throw this.#broken('check', error);
        }
    }

    async #flushed(): Promise<void> {
        try {
            await this.#durable;
        } catch (error) {
            // It is gone: the following look at all locks reports what else changed.
            if (getIoCode(error) === 'ENOENT') return;
            throw this.#broken('write', error);
        }
    }

    #broken(what: 'check' | 'write', cause: unknown): UserError {
        const why = describeIoError(cause);
        return new UserError(`cannot ${what} the lock in ${this.#dir}: ${why}; nothing more is written`, 4, {
            cause,
        });
    }

    async otherHolders(): Promise<ReadonlySet<string>> {
        const others = (await this.#list()).filter((lock) => lock.number !== this.#number);
        return findLivingIds(others, this.#content.identity);
    }

    async release(): Promise<void> {
        clearInterval(this.#timer);
        await Promise.all([this.#beating, this.#durable.catch(() => undefined)]);
        try {
            const own = (await listLocks(this.#dir)).find((lock) => lock.number === this.#number);
            if (own?.content?.id === this.#content.id) await writeBeat(this.#dir, this.#number, 'released');
        } catch {
            // All results are saved by now, and the lock of a dead process blocks nobody.
        }
    }
}
