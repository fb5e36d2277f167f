import { spawnSync } from 'node:child_process';
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { type HolderIdentity, ownIdentity } from '../../src/host/lock-identity.js';
import { killGroup } from '../rig/cli.js';
import { type CrashDataset, keysOf, makeDataset } from './dataset.js';
import { eventSeen } from './processes.js';
import { type RunRecord, Scene } from './scene.js';
import { LONG, sampled } from '../rig/long.js';
import { patience } from '../rig/slowness.js';

/** Still running when the second start gets that far, even on a busy machine. */
const SLOW: CrashDataset = makeDataset({ samples: 4, tasks: 5, ms: patience(125), size: 50 }, 3);

/** A second start while the first one runs: it must be refused and leave no trace. */
async function startTwice(scene: Scene, through: readonly string[] = []): Promise<RunRecord> {
    const seconds: Promise<RunRecord>[] = [];
    const first = await scene.run({
        what: 'the first',
        meanwhile: async (cli) => {
            await eventSeen(cli, 'task-finished', 1);
            seconds.push(scene.start({ what: 'the second', through, args: ['--take-over'] }));
            await seconds[0];
        },
    });
    expect(first.code, first.stderr).toBe(0);
    expect(first.executed).toEqual(keysOf(scene.dataset).sort());
    const second = await seconds[0];
    if (second === undefined) throw new Error('there was no second start');
    return second;
}

describe('two starters', () => {
    it('the second ends with exit 3 and names host, process and start of the first', async () => {
        const scene = new Scene(SLOW);
        const second = await startTwice(scene);
        expect(second.code).toBe(3);
        expect(second.executed).toEqual([]);
        expect(second.stderr).toContain(` on ${hostname()}, started 20`);
        expect(second.stderr).toMatch(/held by process \d+ on .*watch it with: resume-run status/);
        await scene.expectSameAsUninterrupted();
    });

    it('at the same moment: one runs, the others end with exit 3', async () => {
        const scene = new Scene(makeDataset({ samples: 3, tasks: 4, ms: patience(150), size: 10 }, 5));
        const records = await Promise.all(
            Array.from({ length: LONG ? 6 : 3 }, (_, at) => scene.start({ what: `starter ${at}` })),
        );
        const codes = records.map((record) => record.code).sort((a, b) => Number(a) - Number(b));
        expect(codes).toEqual([0, ...records.slice(1).map(() => 3)]);
        const executed = records.flatMap((record) => record.executed);
        expect(executed.sort(), 'each task ran once').toEqual(keysOf(scene.dataset).sort());
        await scene.expectSameAsUninterrupted();
    });

    it('as shards of one dataset they may work at once, and leave the files of one run', async () => {
        const scene = new Scene(makeDataset({ samples: 9, tasks: 4, ms: 40, size: 10 }, 6));
        const shards = await Promise.all(
            [1, 2, 3].map((at) => scene.start({ args: ['--shard', `${at}/3`], what: `shard ${at}` })),
        );
        expect(shards.map(({ code, stderr }) => [code, stderr])).toEqual([
            [0, ''],
            [0, ''],
            [0, ''],
        ]);
        expect(shards.flatMap((record) => record.executed).sort()).toEqual(keysOf(scene.dataset).sort());
        expect((await scene.finish()).executed).toEqual([]);
        await scene.expectSameAsUninterrupted();
    });
});

/** Leaves what a killed run leaves: its intact lock, changed to look like another holder's. */
async function abandonedBy(
    scene: Scene,
    change: (identity: HolderIdentity) => HolderIdentity,
): Promise<void> {
    await scene.run({
        what: 'killed',
        meanwhile: async (cli) => {
            await eventSeen(cli, 'task-finished', 2);
            killGroup(cli.child);
        },
    });
    const [name = ''] = readdirSync(scene.checkpoints).filter((file) => file.startsWith('lock.'));
    const file = join(scene.checkpoints, name);
    const [first = '', ...rest] = readFileSync(file, 'utf8').split('\n');
    const lock = JSON.parse(first) as { identity: HolderIdentity };
    const changed = JSON.stringify({ ...lock, identity: change(lock.identity) });
    writeFileSync(file, [changed, ...rest].join('\n'));
}

describe('the lock of a run that was killed', () => {
    it('holds nobody up, even if its process id is in use again', async () => {
        const scene = new Scene(SLOW);
        await abandonedBy(scene, (identity) => ({ ...identity, pid: process.pid }));
        await scene.finish();
        await scene.expectSameAsUninterrupted();
    });

    // test/host/lock.test.ts covers each of them; the short form starts the program for one.
    it.each(
        sampled(
            [
                ['on another host', (identity: HolderIdentity) => ({ ...identity, host: 'elsewhere' })],
                ['before a reboot', (identity: HolderIdentity) => ({ ...identity, bootId: 'another' })],
                [
                    'in another container',
                    (identity: HolderIdentity) => ({ ...identity, pidNamespace: 'pid:[1]' }),
                ],
            ] as const,
            1,
        ),
    )('%s is watched, not taken for dead; --take-over skips the wait', async (_what, change) => {
        const scene = new Scene(SLOW);
        await abandonedBy(scene, change);
        const watched = await scene.run({
            what: 'watching',
            meanwhile: async (cli) => {
                await eventSeen(cli, 'notice', 1);
                process.kill(cli.child.pid ?? 0, 'SIGTERM');
            },
        });
        expect(watched.code).toBe(143);
        expect(watched.executed).toEqual([]);
        expect(watched.stdout + watched.stderr).toMatch(
            /cannot be looked at from here: watching its heartbeat/,
        );
        await scene.finish({ args: ['--take-over', '-j', '8'] });
        await scene.expectSameAsUninterrupted();
    });

    it.runIf(LONG)(
        'on another host, silent for three minutes, is taken over unasked (npm run crash only)',
        async () => {
            const scene = new Scene(SLOW);
            await abandonedBy(scene, (identity) => ({ ...identity, host: 'elsewhere' }));
            const started = Date.now();
            await scene.finish();
            expect(Date.now() - started).toBeGreaterThan(180_000);
        },
    );
});

const NAMESPACE = ['unshare', '--pid', '--fork', '--mount-proc'];
const hasNamespaces = spawnSync(NAMESPACE[0] ?? '', [...NAMESPACE.slice(1), 'true']).status === 0;
if (!hasNamespaces)
    console.error('a starter in another pid namespace: skipped, unshare --pid is not allowed here');

describe.skipIf(!hasNamespaces)('a starter in another pid namespace (a container)', () => {
    it('does not take the directory from a run that lives, though it cannot see its process', async () => {
        const scene = new Scene(makeDataset({ samples: 3, tasks: 5, ms: 1500, size: 10 }, 3));
        let second: Promise<RunRecord> | undefined;
        const first = await scene.run({
            what: 'the first',
            args: ['--grace', '0.1'],
            meanwhile: async (cli) => {
                await eventSeen(cli, 'task-finished', 1);
                second = scene.start({
                    what: 'the second',
                    through: NAMESPACE,
                    meanwhile: async (other) => {
                        await eventSeen(other, 'notice', 1);
                        killGroup(other.child);
                    },
                });
                await second;
                // Its tasks take long, so that it is still alive when the second run starts.
                process.kill(cli.child.pid ?? 0, 'SIGTERM');
            },
        });
        expect([first.code, first.stderr]).toEqual([143, '']);
        expect((await second)?.executed).toEqual([]);
        expect((await second)?.stdout).toMatch(/watching its heartbeat/);
    });
});

describe('a run that slept while another took its directory', () => {
    it('writes nothing more and ends with exit 3', async () => {
        const scene = new Scene(makeDataset({ samples: 5, tasks: 6, ms: 500, size: 10 }, 4));
        const slept = await scene.run({
            what: 'taken over',
            meanwhile: async (cli) => {
                await eventSeen(cli, 'task-finished', 2);
                const other = { ...ownIdentity(), host: 'elsewhere' };
                mkdirSync(scene.checkpoints, { recursive: true });
                const lock = {
                    id: 'h000000000000',
                    identity: other,
                    shard: null,
                    startedAt: '2026-01-01T00:00:00Z',
                };
                writeFileSync(
                    join(scene.checkpoints, 'lock.99'),
                    `${JSON.stringify(lock)}\nbeat 0          \n`,
                );
            },
        });
        expect(slept.code).toBe(3);
        expect(slept.stderr).toMatch(/taken over by process \d+ on elsewhere.*nothing more is written/);
        await scene.finish({ args: ['--take-over', '-j', '8'] });
        await scene.expectSameAsUninterrupted();
    });
});
