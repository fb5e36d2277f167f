import { chmodSync, mkdirSync, readdirSync, renameSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { type CrashDataset, makeDataset } from './dataset.js';
import { type Mounted, mountCaseInsensitive, mountTmpfs } from './mounts.js';
import { eventSeen } from './processes.js';
import { finishedKeys, resultFiles } from './results.js';
import { type RunRecord, Scene } from './scene.js';

/** Starts the program under a limit of the shell's `ulimit`. */
const under = (limit: string): string[] => ['sh', '-c', `ulimit ${limit}; exec "$@"`, 'sh'];

function expectExit4(record: RunRecord, message: RegExp): void {
    expect(record.code, record.stderr).toBe(4);
    const [error = '', ...more] = record.stderr.split('\n').filter((line) => !/^(warning: .*)?$/.test(line));
    expect(more, 'more than one line').toEqual([]);
    expect(error).toMatch(message);
}

/** 40 results of 1 MB in eight files. */
const BIG: CrashDataset = Array.from({ length: 8 }, (_, at) => ({
    id: `big-${at}`,
    groups: {
        iteration: Array.from({ length: 5 }, (_task, task) => ({ key: `${at}-${task}`, size: 1_000_000 })),
    },
}));

/** Mounts, or skips the test with the reason. */
function tryMount(context: { skip: (note: string) => never }, mount: () => Mounted): Mounted {
    try {
        return mount();
    } catch (error) {
        const why = error instanceof Error ? error.message : String(error);
        console.error(`skipped, this cannot be mounted here: ${why}`);
        return context.skip(why);
    }
}

describe('a disk that is full', () => {
    it('in the middle of a run: exit 4, what was acknowledged is there, and more room finishes it', async (context) => {
        const scene = new Scene(BIG, { under: 'small' });
        const disk = tryMount(context, () => mountTmpfs(scene.home, '22m'));
        const record = await scene.run({ args: ['-j', '2'], what: '22 MB for 40 MB' });
        expectExit4(record, /the disk is full/);
        expect(record.acknowledged.size).toBeGreaterThan(0);
        disk.remount('size=200m');
        await scene.finish({ what: 'with more room' });
        await scene.expectSameAsUninterrupted();
    });

    it('from the start: exit 4 before a task runs in vain, and more room finishes it', async (context) => {
        const dataset = makeDataset({ samples: 3, tasks: 4, ms: 50, size: 100 });
        const scene = new Scene(dataset, { under: 'small' });
        const disk = tryMount(context, () => mountTmpfs(scene.home, '256k'));
        const record = await scene.run({ what: '256 kB' });
        expect(record.code, record.stderr).toBe(4);
        expect(record.stdout).toMatch(/are free for .*: stopping/);
        disk.remount('size=100m');
        await scene.finish({ what: 'with more room' });
        await scene.expectSameAsUninterrupted();
    });
});

describe('a limit of the shell', () => {
    // The larger ones are written in several calls.
    it.each([
        { limit: '-f 40', sizes: [100, 100, 30_000, 30_000] },
        { limit: '-f 3000', sizes: [100, 100, 2_000_000, 2_000_000] },
    ])('on the size of files (ulimit $limit): exit 4, the old file stands', async ({ limit, sizes }) => {
        const tasks = sizes.map((size, at) => ({ key: `t-${at}`, size, ms: at * 60 }));
        const scene = new Scene([{ id: 'one', groups: { iteration: tasks } }]);
        const record = await scene.run({ args: ['-j', '1'], through: under(limit), what: `ulimit ${limit}` });
        expectExit4(record, /`ulimit -f` allows|a limit or quota is reached/);
        expect(record.stderr).toContain('the old file stands');
        expect(record.acknowledged).toContain('t-0');
        await scene.finish();
        await scene.expectSameAsUninterrupted();
    });

    it('on open files (ulimit -n): a run with many samples at once gets by', async () => {
        const scene = new Scene(makeDataset({ samples: 60, tasks: 2, ms: 5, size: 10 }));
        await scene.finish({
            args: ['-j', '30', '--mode', 'async'],
            through: under('-n 110'),
            what: 'ulimit -n',
        });
        await scene.expectSameAsUninterrupted();
    });

    it('on open files, too small even to start: one line, no stack', async () => {
        const scene = new Scene(makeDataset({ samples: 1, tasks: 1, ms: 0, size: 0 }));
        const record = await scene.run({ through: under('-n 20'), what: 'ulimit -n 20' });
        expect(record.code).toBe(2);
        expect(record.stderr.trim().split('\n')).toHaveLength(1);
        expect(record.stderr).toMatch(/ulimit -n/);
    });
});

describe('a results directory', () => {
    it('that is read-only: exit 4, no task runs', async (context) => {
        const scene = new Scene(makeDataset({ samples: 2, tasks: 2, ms: 0, size: 0 }), { under: 'small' });
        if (process.getuid?.() === 0) {
            // Permissions do not stop root; a read-only mount does.
            tryMount(context, () => mountTmpfs(scene.home, '64m')).remount('ro');
        } else {
            mkdirSync(join(scene.home, 'small'), { mode: 0o555 });
        }
        const record = await scene.run({ what: 'read-only' });
        expectExit4(record, /read-only|permission denied/);
        expect(record.executed).toEqual([]);
    });

    it('that becomes unwritable in the middle of a run: exit 4, nothing is lost', async (context) => {
        const scene = new Scene(makeDataset({ samples: 4, tasks: 5, ms: 60, size: 10 }));
        if (process.getuid?.() === 0) {
            console.error('skipped as root, whom permissions do not stop: becomes unwritable');
            context.skip('permissions do not stop root');
        }
        const record = await scene.run({
            meanwhile: async (cli) => {
                await eventSeen(cli, 'task-finished', 2);
                chmodSync(scene.results, 0o555);
            },
        });
        chmodSync(scene.results, 0o755);
        expectExit4(record, /permission denied/);
        await scene.finish();
    });

    it('that is moved away in the middle of a run: exit 4 and a line that says so; a new start does all again', async () => {
        const scene = new Scene(makeDataset({ samples: 4, tasks: 5, ms: 60, size: 10 }));
        const record = await scene.start({
            what: 'results moved away',
            meanwhile: async (cli) => {
                await eventSeen(cli, 'task-finished', 2);
                renameSync(scene.results, join(scene.home, 'away'));
            },
        });
        expectExit4(record, /its directory is gone/);
        await scene.finish();
        await scene.expectSameAsUninterrupted();
    });

    it('whose checkpoints folder is moved away: exit 3, for nobody holds the directory any more', async () => {
        const scene = new Scene(makeDataset({ samples: 6, tasks: 5, ms: 200, size: 10 }));
        const record = await scene.run({
            what: 'checkpoints moved away',
            meanwhile: async (cli) => {
                await eventSeen(cli, 'task-finished', 2);
                renameSync(scene.checkpoints, join(scene.home, 'away'));
            },
        });
        expect([3, 4]).toContain(record.code);
        expect(record.stderr).toMatch(/nothing more is written/);
        await scene.finish();
        await scene.expectSameAsUninterrupted();
    });
});

describe('a case-insensitive file system', () => {
    const DATASET: CrashDataset = ['a/b', 'A/B', 'a_b', 'Upper', 'UPPER', 'upper'].map((id, at) => ({
        id,
        groups: { solution: [{ key: `${at}-0` }, { key: `${at}-1` }] },
    }));

    it('ids that differ in case alone never share a file', async (context) => {
        const scene = new Scene(DATASET, { under: 'folded' });
        tryMount(context, () => mountCaseInsensitive(scene.home));
        await scene.finish();
        expect(new Set([...resultFiles(scene.results).values()].map((file) => file.id)).size).toBe(
            DATASET.length,
        );
        await scene.expectSameAsUninterrupted();
    });

    it('and their files have names that differ in more than case, on every file system', async () => {
        const scene = new Scene(DATASET);
        await scene.finish();
        const names = readdirSync(scene.results).map((name) => name.toLowerCase());
        expect(new Set(names).size).toBe(DATASET.length);
        expect(finishedKeys(scene.results).size).toBe(2 * DATASET.length);
    });
});
