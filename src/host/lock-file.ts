import { link, open, readdir, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { isJsonObject, type Json } from '../model/json.js';
import { getIoCode } from '../util/io-error.js';
import type { HolderIdentity } from './lock-identity.js';
import { readTextFile } from './open-file.js';
import { NotAFileError } from '../util/regular-file.js';
import { makeStagingName } from './staging-name.js';

/*
 * The file `lock.<k>`: two lines, the holder (JSON) and a heartbeat of fixed length, which is overwritten in place, so that no
 * reader ever sees half of it. A released lock stays, marked as released: numbers must only grow, or a run that slept would wake
 * up believing that it still has the highest one.
 */

export interface ShardOf {
    /** From 0. */
    readonly index: number;
    readonly count: number;
}

export interface LockContent {
    /** Holder id, part of the names of that run's temporary files. */
    readonly id: string;
    readonly identity: HolderIdentity;
    readonly shard: ShardOf | null;
    /** ISO 8601, UTC. */
    readonly startedAt: string;
}

export interface LockFile {
    readonly number: number;
    /** Null if it cannot be read as a lock: the file system lost its content in a power cut. */
    readonly content: LockContent | null;
    readonly released: boolean;
    /** Changes with every heartbeat. */
    readonly beat: string;
}

const BEAT_LENGTH = 16;
const RELEASED = 'released'.padEnd(BEAT_LENGTH);
const beatText = (beat: number): string => `beat ${beat}`.padEnd(BEAT_LENGTH);

export const makeLockName = (number: number): string => `lock.${number}`;

/** All locks of a directory, lowest number first. */
export async function listLocks(dir: string): Promise<LockFile[]> {
    const numbers = (await readdir(dir)).flatMap((name) => {
        const number = /^lock\.([1-9]\d{0,14})$/.exec(name)?.[1];
        return number === undefined ? [] : [Number(number)];
    });
    const locks: LockFile[] = [];
    for (const number of numbers.sort((a, b) => a - b)) {
        const lock = await readLock(dir, number);
        if (lock !== null) locks.push(lock);
    }
    return locks;
}

async function readLock(dir: string, number: number): Promise<LockFile | null> {
    const path = join(dir, makeLockName(number));
    try {
        const text = await readTextFile(path);
        const [first = '', second = ''] = text.split('\n');
        const { mtimeNs, ino } = await stat(path, { bigint: true });
        return {
            number,
            content: parseContent(first),
            released: second === RELEASED,
            beat: `${second} ${mtimeNs} ${ino}`,
        };
    } catch (error) {
        // Removed between listing and reading, by a run whose lock is higher.
        if (getIoCode(error) === 'ENOENT') return null;
        // Not made by a run, but its number is taken all the same.
        if (error instanceof NotAFileError || getIoCode(error) === 'ELOOP') {
            return { number, content: null, released: true, beat: '' };
        }
        throw error;
    }
}

/** Creates `lock.<number>` as a whole, not durable yet (see `flushLock`); returns false if it exists. */
export async function createLock(dir: string, number: number, content: LockContent): Promise<boolean> {
    const path = join(dir, makeLockName(number));
    const text = `${JSON.stringify(content)}\n${beatText(0)}\n`;
    const staging = join(dir, makeStagingName('lock', content.id));
    try {
        await writeFile(staging, text, { flag: 'wx' });
        // Like O_EXCL, but with its content already in place: a process killed here leaves no empty lock.
        await link(staging, path);
        return true;
    } catch (error) {
        const code = getIoCode(error);
        // ENOENT: a shard that is starting took the staging file for that of a dead run. If the directory is gone, listing it
        // reports that.
        if (code === 'EEXIST' || code === 'ENOENT') return false;
        const noLinks = code === 'EPERM' || code === 'ENOTSUP' || code === 'EOPNOTSUPP' || code === 'ENOSYS';
        if (!noLinks) throw error;
        return await createPlain(path, text);
    } finally {
        await rm(staging, { force: true });
    }
}

/** For file systems without hard links. */
async function createPlain(path: string, text: string): Promise<boolean> {
    try {
        await writeFile(path, text, { flag: 'wx' });
        return true;
    } catch (error) {
        if (getIoCode(error) === 'EEXIST') return false;
        throw error;
    }
}

/** Waits until the lock's content would survive a power loss: a lock without content blocks others until it counts as dead. */
export async function flushLock(dir: string, number: number): Promise<void> {
    const handle = await open(join(dir, makeLockName(number)), 'r+');
    try {
        await handle.sync();
    } finally {
        await handle.close();
    }
}

/** Overwrites the heartbeat; does nothing if the lock no longer exists. */
export async function writeBeat(dir: string, number: number, beat: number | 'released'): Promise<void> {
    try {
        const handle = await open(join(dir, makeLockName(number)), 'r+');
        try {
            const { size } = await handle.stat();
            const text = beat === 'released' ? RELEASED : beatText(beat);
            await handle.write(text, size - BEAT_LENGTH - 1);
        } finally {
            await handle.close();
        }
    } catch (error) {
        if (getIoCode(error) !== 'ENOENT') throw error;
    }
}

export async function removeLock(dir: string, number: number): Promise<void> {
    // Anything but a file is not ours.
    await rm(join(dir, makeLockName(number)), { force: true }).catch((error: unknown) => {
        if (getIoCode(error) !== 'ERR_FS_EISDIR') throw error;
    });
}

function parseContent(line: string): LockContent | null {
    let json: Json;
    try {
        json = JSON.parse(line) as Json;
    } catch {
        return null;
    }
    if (!isJsonObject(json) || typeof json.id !== 'string' || typeof json.startedAt !== 'string') return null;
    const identity = parseIdentity(json.identity ?? null);
    const shard = parseShard(json.shard ?? null);
    if (identity === null || shard === undefined) return null;
    return { id: json.id, identity, shard, startedAt: json.startedAt };
}

function parseIdentity(json: Json): HolderIdentity | null {
    if (!isJsonObject(json) || typeof json.host !== 'string' || typeof json.pid !== 'number') return null;
    const text = (value: Json | undefined): string | null => (typeof value === 'string' ? value : null);
    return {
        host: json.host,
        bootId: text(json.bootId),
        pidNamespace: text(json.pidNamespace),
        pid: json.pid,
        startTime: text(json.startTime),
    };
}

function parseShard(json: Json): ShardOf | null | undefined {
    if (json === null) return null;
    if (!isJsonObject(json) || typeof json.index !== 'number' || typeof json.count !== 'number')
        return undefined;
    return { index: json.index, count: json.count };
}

/** Two runs may share a directory only as different shards of the same number. */
export function isCompatible(a: ShardOf | null, b: ShardOf | null): boolean {
    return a !== null && b !== null && a.count === b.count && a.index !== b.index;
}
