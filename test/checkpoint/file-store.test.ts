import { execFileSync } from 'node:child_process';
import {
    appendFileSync,
    mkdirSync,
    readdirSync,
    readFileSync,
    renameSync,
    rmSync,
    statSync,
    writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { pause, chooseWaitingBound } from '../../src/checkpoint/result-file/pacing.js';
import { WriteError } from '../../src/host/write-error.js';
import { UserError } from '../../src/util/user-error.js';
import { BY, entry, place, scratch, state } from './rig.js';
import { patience } from '../rig/slowness.js';

const big = (index: number, bytes: number) => entry(index, 'Accepted', { solution: 'x'.repeat(bytes) });

describe('rewriting', () => {
    it('writes a small multiple of the final size for a long sample', () => {
        // Models the writer: results of 4 KB at 100 per second, and other sizes and rates.
        for (const [tasks, bytes, rate] of [
            [2000, 4096, 100],
            [4000, 4096, 100],
            [4000, 4096, 20_000],
            [20_000, 4096, 1000],
            [200, 400, 20_000],
        ] as const) {
            let written = 0;
            let size = 0;
            let waiting = 0;
            let last = Number.NEGATIVE_INFINITY;
            for (let task = 0; task < tasks; task += 1) {
                waiting += bytes;
                const now = (task / rate) * 1000;
                if (waiting < chooseWaitingBound(size) && now - last < pause(size)) continue;
                size += waiting;
                written += size;
                waiting = 0;
                last = now;
            }
            expect(written / (tasks * bytes), `${tasks} tasks, ${rate}/s`).toBeLessThan(20);
        }
    });

    it('joins results that come while a write is in flight', async () => {
        const { store, results } = place();
        const writer = store().open(state('p/1', [['solution', 500]]));
        const seen = new Set<number>();
        const commits = Array.from({ length: 500 }, async (_, index) => {
            if (index > 0) await new Promise((resolve) => setTimeout(resolve, index % 50));
            await writer.commit('solution', entry(index), BY);
            seen.add(statSync(join(results, 'p_1.json')).ino);
        });
        await Promise.all(commits);
        expect(seen.size).toBeLessThan(20);
    });

    it('says when there is no room, and when there is again', async () => {
        const store = place().store({ waitingBytes: 10_000 });
        const writer = store.open(state('p/1', [['solution', 10]]));
        expect(store.room()).toBeNull();
        const first = writer.commit('solution', big(0, 6000), BY);
        expect(store.room()).toBeNull();
        const second = writer.commit('solution', big(1, 6000), BY);
        const room = store.room();
        expect(room).not.toBeNull();
        await room;
        await Promise.all([first, second]);
        expect(store.room()).toBeNull();
        await store.close();
    });

    it('writes what waits at once on flush', async () => {
        const store = place().store();
        const writer = store.open(state('p/1', [['solution', 10]]));
        await writer.commit('solution', big(0, 8_000_000), BY);
        const start = performance.now();
        const waits = writer.commit('solution', big(1, 10), BY);
        await store.flush();
        await waits;
        expect(performance.now() - start).toBeLessThan(patience(450));
        await store.close();
    });
});

describe('what a rewrite loses', () => {
    it('may be hundreds of thousands of entries of one sample', () => {
        const stored = { entry: entry(0, 'Accepted', { revision: 4 }) };
        const superseded = Array.from({ length: 200_000 }, () => ({
            group: 'solution',
            reason: 'gone',
            stored,
        }));
        const { store } = place();
        expect(() => store().open(state('p/1', [['solution', 1]], { superseded }))).not.toThrow();
    });

    it('stands in superseded.jsonl first, after a torn line too', async () => {
        const { store, checkpoints } = place();
        mkdirSync(checkpoints);
        const log = join(checkpoints, 'superseded.jsonl');
        writeFileSync(log, '{"torn');
        const writer = store().open(state('p/1', [['solution', 2]]));
        await writer.commit('solution', entry(0, 'TimeLimitExceeded'), BY);
        expect(readFileSync(log, 'utf8')).toBe('{"torn');
        await writer.commit('solution', entry(0), BY);
        await writer.commit('solution', entry(1), BY);
        const lines = readFileSync(log, 'utf8').split('\n');
        expect(lines).toHaveLength(3);
        expect(JSON.parse(lines[1] ?? '')).toMatchObject({
            sample: 'p/1',
            group: 'solution',
            reason: 'replaced',
            entry: entry(0, 'TimeLimitExceeded'),
        });
    });

    it('stands in a line of its own after one that a full disk has cut', async () => {
        const { store, checkpoints } = place();
        mkdirSync(checkpoints);
        const log = join(checkpoints, 'superseded.jsonl');
        const files = store();
        const replaceOne = async (id: string): Promise<void> => {
            const writer = files.open(state(id, [['solution', 1]]));
            await writer.commit('solution', entry(0, 'TimeLimitExceeded'), BY);
            await writer.commit('solution', entry(0), BY);
        };
        await replaceOne('p/1');
        // A failed write and what it leaves behind must not block the results of another sample.
        renameSync(log, `${log}.kept`);
        mkdirSync(log);
        await expect(replaceOne('p/2')).rejects.toThrow(WriteError);
        rmSync(log, { recursive: true });
        renameSync(`${log}.kept`, log);
        appendFileSync(log, '{"sample":"p/2","gro');
        await replaceOne('p/3');
        const [first = '', , third = ''] = readFileSync(log, 'utf8').split('\n');
        expect([first, third].map((line) => (JSON.parse(line) as { sample: string }).sample)).toEqual([
            'p/1',
            'p/3',
        ]);
    });

    it('is not lost where it cannot be kept: the file stays as it was', async () => {
        const { store, checkpoints, results } = place();
        const writer = store().open(state('p/1', [['solution', 1]]));
        await writer.commit('solution', entry(0, 'TimeLimitExceeded'), BY);
        const before = readFileSync(join(results, 'p_1.json'), 'utf8');
        writeFileSync(checkpoints, 'no directory');
        await expect(writer.commit('solution', entry(0), BY)).rejects.toThrow(WriteError);
        expect(readFileSync(join(results, 'p_1.json'), 'utf8')).toBe(before);
    });
});

describe('a commit that cannot be made', () => {
    it('rejects, and so does everything after it, when the directory is gone', async () => {
        const { store, results } = place();
        const opened = store();
        const writer = opened.open(state('p/1', [['solution', 3]]));
        await writer.commit('solution', entry(0), BY);
        rmSync(results, { recursive: true });
        await expect(writer.commit('solution', entry(1), BY)).rejects.toThrow(WriteError);
        mkdirSync(results);
        await expect(writer.commit('solution', entry(2), BY)).rejects.toThrow(WriteError);
        await expect(writer.close()).rejects.toThrow(WriteError);
        await opened.close();
    });

    it('writes nothing once the lock is lost', async () => {
        const { store, results } = place();
        let held = true;
        const stillHolder = async () => {
            if (!held) throw new UserError('taken over', 3);
        };
        const writer = store({ stillHolder }).open(state('p/1', [['solution', 3]]));
        await writer.commit('solution', entry(0), BY);
        const before = readFileSync(join(results, 'p_1.json'), 'utf8');
        held = false;
        await expect(writer.commit('solution', entry(1), BY)).rejects.toMatchObject({ exitCode: 3 });
        expect(readFileSync(join(results, 'p_1.json'), 'utf8')).toBe(before);
    });

    it('tells of a results directory that cannot be written', async ({ skip }) => {
        const root = scratch();
        if (!mounted(root, 'tmpfs', 'size=1m,ro')) skip('cannot mount a tmpfs here');
        try {
            await expect(place(['p/1'], root).store().read('p/1')).rejects.toMatchObject({
                name: 'UserError',
                exitCode: 4,
            });
        } finally {
            execFileSync('umount', [root]);
        }
    });

    it.each([25, 64, 300])(
        'keeps the old file and no remains on a full disk (%i KB at a time)',
        async (kilobytes) => {
            const root = scratch();
            if (!mounted(root, 'tmpfs', 'size=1m')) {
                console.log('skipped: cannot mount a tmpfs here');
                return;
            }
            try {
                const { store, results } = place(['p/1'], root);
                const writer = store().open(state('p/1', [['solution', 1000]]));
                const committed: number[] = [];
                let error: unknown = null;
                for (let index = 0; error === null; index += 1) {
                    try {
                        await writer.commit('solution', big(index, kilobytes * 1000), BY);
                        committed.push(index);
                    } catch (caught) {
                        error = caught;
                    }
                }
                expect(error).toBeInstanceOf(WriteError);
                expect(error).toMatchObject({ message: expect.stringContaining('full') as string });
                expect(committed.length).toBeGreaterThan(0);
                expect(readdirSync(results)).toEqual(['p_1.json']);
                const read = await place(['p/1'], root).store().read('p/1');
                expect(read?.entries.get('solution')?.map((stored) => stored.entry.index)).toEqual(committed);
            } finally {
                execFileSync('umount', [root]);
            }
        },
    );
});

function mounted(dir: string, type: string, options: string): boolean {
    try {
        execFileSync('mount', ['-t', type, '-o', options, type, dir], { stdio: 'ignore' });
        return true;
    } catch {
        return false;
    }
}

describe('a sample whose file changed by hand', () => {
    it('has another stamp', async () => {
        const { store, results } = place();
        const stamp = await (async () => {
            const writer = store().open(state('p/1', [['solution', 1]]));
            void writer.commit('solution', entry(0), BY);
            return writer.close();
        })();
        expect(await store().stamp('p/1')).toEqual(stamp);
        appendFileSync(join(results, 'p_1.json'), '\n');
        expect(await store().stamp('p/1')).not.toEqual(stamp);
    });
});

describe('a file that appears after the directory was listed', () => {
    it('is read, not overwritten', async () => {
        const { store } = place(['p/1', 'p/2']);
        const early = store();
        expect(await early.stamp('p/2')).toBeNull();
        await store()
            .open(state('p/1', [['solution', 1]]))
            .commit('solution', entry(0), BY);
        expect((await early.read('p/1'))?.isComplete).toBe(true);
    });
});

describe('a name of version 0.1 that holds blanks or quotes', () => {
    it('stays for good; a new file gets one that is safe for shell tools', async () => {
        const old = "it's (1)";
        const { store, results } = place([old, 'two words']);
        const write = async (id: string, index: number): Promise<void> => {
            const opened = store();
            const read = await opened.read(id);
            const kept = (read?.entries.get('solution') ?? []).map((stored) => ({
                group: 'solution',
                index: stored.entry.index ?? 0,
                fingerprint: stored.entry.fingerprint ?? '',
                occurrence: 0,
                stored,
            }));
            const origin = read?.origin ?? 'new';
            await opened
                .open(state(id, [['solution', 2]], { kept, origin }))
                .commit('solution', entry(index), BY);
        };
        await write(old, 0);
        renameSync(join(results, 'it%27s%20%281%29.json'), join(results, `${old}.json`));
        await write(old, 1);
        await write('two words', 0);
        expect(readdirSync(results).sort()).toEqual([`${old}.json`, 'two%20words.json']);
        expect((await store().read(old))?.isComplete).toBe(true);
        const counted = execFileSync('sh', [
            '-c',
            `find ${results} -name '*%*.json' | xargs grep -l is_complete | wc -l`,
        ]);
        expect(counted.toString().trim()).toBe('1');
    });
});
