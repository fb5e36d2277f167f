import { execFileSync, spawn } from 'node:child_process';
import { mkdirSync, readdirSync, readFileSync, rmSync, unlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { acquireLock, type LockOptions } from '../../src/host/lock.js';
import { createLock, listLocks, writeBeat } from '../../src/host/lock-file.js';
import { type HolderIdentity, ownIdentity } from '../../src/host/lock-identity.js';
import { makeHolderId } from '../../src/host/staging-name.js';
import { compiled } from '../checkpoint/compiled.js';
import { scratch } from '../checkpoint/rig.js';

const OTHER_HOST: HolderIdentity = { ...ownIdentity(), host: 'elsewhere', pid: 4711 };

function options(dir: string, more: Partial<LockOptions> = {}): LockOptions & { readonly notices: string[] } {
    const notices: string[] = [];
    return {
        checkpointsDir: dir,
        dir: 'results',
        shard: null,
        takeOver: false,
        onNotice: (message) => notices.push(message),
        notices,
        ...more,
    };
}

async function leave(dir: string, identity: HolderIdentity, number = 1, shard: LockOptions['shard'] = null) {
    mkdirSync(dir, { recursive: true });
    const content = { id: makeHolderId(), identity, shard, startedAt: '2026-11-21T09:00:00.000Z' };
    expect(await createLock(dir, number, content)).toBe(true);
    return content;
}

/** A clock that jumps ahead; `at` runs when it has reached that number of milliseconds. */
function fakeClock(at: Readonly<Record<number, () => Promise<void>>> = {}) {
    let now = 0;
    return {
        now: () => now,
        sleep: async (milliseconds: number) => {
            now += milliseconds;
            await at[now]?.();
        },
        elapsed: () => now,
    };
}

describe('acquireLock', () => {
    it('refuses a second run, naming the first, and lets it in after the release', async () => {
        const dir = join(scratch(), 'checkpoints');
        const first = await acquireLock(options(dir));
        const refused = acquireLock(options(dir));
        await expect(refused).rejects.toMatchObject({ name: 'UserError', exitCode: 3 });
        await expect(refused).rejects.toThrow(`process ${process.pid} on ${ownIdentity().host}`);
        await expect(refused).rejects.toThrow('resume-run status --dir results --watch');
        await expect(acquireLock(options(dir, { takeOver: true }))).rejects.toThrow('alive on this machine');
        await first.verify();
        await first.release();
        const second = await acquireLock(options(dir));
        await second.verify();
        await second.release();
        expect(readdirSync(dir)).toEqual(['lock.2']);
    });

    it('takes over at once from a process that is gone, also when its pid is used again', async () => {
        for (const gone of [
            { ...ownIdentity(), pid: 2 ** 22 + 5 },
            { ...ownIdentity(), startTime: '1' },
        ]) {
            const dir = scratch();
            await leave(dir, gone);
            const lock = await acquireLock(options(dir));
            expect((await listLocks(dir)).map((held) => held.content?.id)).toEqual([lock.id]);
            await lock.release();
        }
    });

    it.each([
        ['on another host', OTHER_HOST],
        ['in another pid namespace', { ...ownIdentity(), pidNamespace: 'pid:[1]', pid: 2 ** 22 + 5 }],
        ['of another boot', { ...ownIdentity(), bootId: 'x', pid: 2 ** 22 + 5 }],
    ])('waits for the heartbeat of a run %s', async (_, identity) => {
        const dir = scratch();
        await leave(dir, identity);
        const clock = fakeClock();
        const asked = options(dir, { clock });
        const lock = await acquireLock(asked);
        expect(clock.elapsed()).toBe(180_000);
        expect(asked.notices[0]).toContain('watching its heartbeat');
        expect(asked.notices[1]).toContain('seems to be gone');
        await lock.release();
    });

    it('refuses as soon as a far heartbeat moves', async () => {
        const dir = scratch();
        await leave(dir, OTHER_HOST);
        const clock = fakeClock({ 20_000: () => writeBeat(dir, 1, 7) });
        await expect(acquireLock(options(dir, { clock }))).rejects.toThrow('process 4711 on elsewhere');
        expect(clock.elapsed()).toBe(20_000);
    });

    it('lets in at once when a far holder releases, or with --take-over', async () => {
        const dir = scratch();
        await leave(dir, OTHER_HOST);
        const clock = fakeClock({ 5000: () => writeBeat(dir, 1, 'released') });
        await (await acquireLock(options(dir, { clock }))).release();
        expect(clock.elapsed()).toBe(5000);
        const other = scratch();
        await leave(other, OTHER_HOST);
        await (await acquireLock(options(other, { takeOver: true, clock: fakeClock() }))).release();
    });

    it('treats a lock without content as one of a run that cannot be looked at', async () => {
        const dir = scratch();
        writeFileSync(join(dir, 'lock.3'), '');
        const clock = fakeClock();
        const lock = await acquireLock(options(dir, { clock }));
        expect(clock.elapsed()).toBe(180_000);
        expect(readdirSync(dir)).toEqual(['lock.4']);
        await lock.release();
    });

    it('stops a run that was taken over, even after the taker has released', async () => {
        const dir = scratch();
        const slept = await acquireLock(options(dir));
        const locks = await listLocks(dir);
        expect(locks).toHaveLength(1);
        const taker = { id: makeHolderId(), identity: OTHER_HOST, shard: null, startedAt: 'now' };
        await createLock(dir, 2, taker);
        await writeBeat(dir, 2, 'released');
        await expect(slept.verify()).rejects.toMatchObject({ exitCode: 3 });
        await slept.release();
    });

    it('stops a run whose lock was removed', async () => {
        const dir = scratch();
        const lock = await acquireLock(options(dir));
        unlinkSync(join(dir, 'lock.1'));
        await expect(lock.verify()).rejects.toThrow('its lock was removed');
        rmSync(dir, { recursive: true });
        await expect(lock.verify()).rejects.toMatchObject({ exitCode: 4 });
    });

    it('lets different shards of the same number in, and nobody else', async () => {
        const dir = scratch();
        const shard = (index: number, count = 2) => options(dir, { shard: { index, count } });
        const first = await acquireLock(shard(0));
        const second = await acquireLock(shard(1));
        await expect(acquireLock(shard(1))).rejects.toMatchObject({ exitCode: 3 });
        await expect(acquireLock(shard(2, 3))).rejects.toThrow('shard 0/2');
        await expect(acquireLock(options(dir))).rejects.toMatchObject({ exitCode: 3 });
        await first.verify();
        await second.verify();
        expect(await first.otherHolders()).toEqual(new Set([second.id]));
        await second.release();
        const again = await acquireLock(shard(1));
        await first.verify();
        await again.release();
        await first.release();
        expect(readFileSync(join(dir, 'lock.1'), 'utf8')).toContain('released');
    });

    it('lets exactly one of many processes in that start together', async () => {
        const dir = scratch();
        await leave(dir, { ...ownIdentity(), startTime: '1' }, 9);
        const starters = Array.from({ length: 4 }, () => start(dir));
        const said = await Promise.all(starters.map((starter) => starter.said));
        expect(said.filter((line) => line === 'held')).toHaveLength(1);
        expect(said.filter((line) => line === 'refused 3')).toHaveLength(3);
        for (const starter of starters) starter.end();
        await Promise.all(starters.map((starter) => starter.ended));
        // The holder was killed, so the next one need not wait.
        await (await acquireLock(options(dir))).release();
    });
});

describe('a holder in a real pid namespace', () => {
    it('is not mistaken for a dead one', async ({ skip }) => {
        const dir = scratch();
        try {
            execFileSync('unshare', ['--pid', '--fork', 'true'], { stdio: 'ignore' });
        } catch {
            console.log('skipped: unshare --pid does not work here (not root, or no such tool)');
            skip();
        }
        const holder = start(dir, ['unshare', '--pid', '--fork', '--kill-child']);
        expect(await holder.said).toBe('held');
        const abort = new AbortController();
        const asked = options(dir, { signal: abort.signal });
        setTimeout(() => abort.abort(), 1500);
        await expect(acquireLock(asked)).rejects.toMatchObject({ name: 'AbortError' });
        expect(asked.notices[0]).toContain('watching its heartbeat');
        expect(readdirSync(dir)).toEqual(['lock.1']);
        holder.end();
        await holder.ended;
    });

    it('proves nothing by a /proc that belongs to another namespace', ({ skip }) => {
        const look = (within: readonly string[]): string =>
            execFileSync('env', [...within, process.execPath, '--input-type=module', '-e', LOOKER], {
                encoding: 'utf8',
            }).trim();
        expect(look([])).toBe('alive dead');
        try {
            execFileSync('unshare', ['--pid', '--fork', 'true'], { stdio: 'ignore' });
        } catch {
            console.log('skipped: unshare --pid does not work here (not root, or no such tool)');
            skip();
        }
        expect(look(['unshare', '--pid', '--fork'])).toBe('unknown unknown');
    });
});

/** Prints `held` and keeps the lock until it is killed, or prints how it was refused. */
const STARTER = `
    import { acquireLock } from ${JSON.stringify(compiled('host/lock.js'))};
    const dir = process.argv[1];
    try {
        await acquireLock({ checkpointsDir: dir, dir: 'results', shard: null, takeOver: false, onNotice() {} });
        console.log('held');
        setInterval(() => {}, 1000);
    } catch (error) {
        console.log('refused', error.exitCode);
    }
`;

/** Prints what it can tell about itself and about a process that does not exist. */
const LOOKER = `
    import { judgeLife, ownIdentity } from ${JSON.stringify(compiled('host/lock-identity.js'))};
    console.log(judgeLife(ownIdentity(), ownIdentity()), judgeLife({ ...ownIdentity(), pid: 2 ** 22 + 5 }, ownIdentity()));
`;

function start(dir: string, within: readonly string[] = []) {
    const node = [process.execPath, '--input-type=module', '-e', STARTER, dir];
    const child = spawn('env', [...within, ...node], {
        stdio: ['ignore', 'pipe', 'inherit'],
    });
    return {
        said: new Promise<string>((resolve) => {
            child.stdout.once('data', (data: Buffer) => resolve(data.toString().trim()));
            child.once('exit', (code) => resolve(`exited ${code}`));
        }),
        ended: new Promise<void>((resolve) => child.once('close', () => resolve())),
        // `env` replaces itself with the program that it starts, so there is no other process to end.
        end: () => child.kill('SIGKILL'),
    };
}
