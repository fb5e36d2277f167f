import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it, vi } from 'vitest';
import type { Cli } from '../rig/cli.js';
import { type CrashDataset, makeDataset, random } from './dataset.js';
import { Scene } from './scene.js';
import { rounds, SEED } from '../rig/long.js';
import {
    aliveIn,
    eventSeen,
    hasPython,
    hasTerminal,
    ON_CLOSING_TERMINAL,
    ON_TERMINAL,
    programsIn,
} from './processes.js';
import { resultFiles } from './results.js';
import { patience } from '../rig/slowness.js';

const EXIT = { SIGTERM: 143, SIGINT: 130, SIGHUP: 129 } as const;
type Signal = keyof typeof EXIT;

/** Four quick tasks, then two that hang in their first execution. */
const SLOW: CrashDataset = [
    {
        id: 'slow',
        groups: {
            solution: [{ key: 'q-0' }, { key: 'q-1' }, { key: 'q-2' }, { key: 'q-3' }],
            iteration: [
                { key: 's-0', fault: { does: 'hang', times: 1 } },
                { key: 's-1', fault: { does: 'hang', times: 1 } },
            ],
        },
    },
];

const toMain = (cli: Cli, signal: NodeJS.Signals): boolean => process.kill(cli.child.pid ?? 0, signal);

/** Sends the signal to every process of the group, as a terminal does. */
const toGroup = (cli: Cli, signal: Signal): boolean => process.kill(-(cli.child.pid ?? 0), signal);

describe.each(['thread', 'process'])('--mode %s', (mode) => {
    it.each(['SIGTERM', 'SIGINT'] as const)(
        '%s saves what is finished and ends after the grace',
        async (signal) => {
            const scene = new Scene(SLOW);
            const record = await scene.run({
                args: ['--mode', mode, '--grace', '0.3'],
                what: signal,
                meanwhile: async (cli) => {
                    await eventSeen(cli, 'task-finished', 4);
                    toGroup(cli, signal);
                },
            });
            expect(record.code).toBe(EXIT[signal]);
            expect([...record.acknowledged].sort()).toEqual(['q-0', 'q-1', 'q-2', 'q-3']);
            expect(record.events.at(-1)).toMatchObject({
                type: 'run-finished',
                end: { outcome: 'stopped', signal, aborted: 2, failed: 0 },
            });
            expect(record.stderr).toBe('');
            expect(await aliveIn(scene.home)).toEqual([]);
            // Aborts are never recorded.
            expect(resultFiles(scene.results).get('slow.json')).not.toHaveProperty('failures');
            expect((await scene.finish()).executed).toEqual(['s-0', 's-1']);
        },
    );

    it('the second signal does not wait for the grace', async () => {
        const scene = new Scene(SLOW);
        const started = Date.now();
        const record = await scene.run({
            args: ['--mode', mode, '--grace', '600'],
            meanwhile: async (cli) => {
                await eventSeen(cli, 'task-finished', 4);
                toMain(cli, 'SIGTERM');
                await eventSeen(cli, 'stopping', 1);
                toMain(cli, 'SIGTERM');
            },
        });
        expect(record.code).toBe(143);
        expect(record.acknowledged.size).toBe(4);
        expect(Date.now() - started).toBeLessThan(patience(20_000));
        expect(await aliveIn(scene.home)).toEqual([]);
    });
});

describe('SIGHUP', () => {
    it('is ignored where there is no terminal, as nohup wants', async () => {
        const dataset = makeDataset({ samples: 3, tasks: 4, ms: 60, size: 10 });
        const scene = new Scene(dataset);
        const record = await scene.finish({
            meanwhile: async (cli) => {
                await eventSeen(cli, 'task-finished', 1);
                toMain(cli, 'SIGHUP');
                toMain(cli, 'SIGHUP');
            },
        });
        expect(record.events.some((event) => event.type === 'stopping')).toBe(false);
        await scene.expectSameAsUninterrupted();
    });

    it.skipIf(!hasTerminal())('on a terminal it saves and ends with 129', async () => {
        const scene = new Scene(SLOW);
        const record = await scene.run({
            args: ['--grace', '0.2'],
            through: ON_TERMINAL,
            meanwhile: async (cli) => {
                await eventSeen(cli, 'task-finished', 4);
                for (const pid of programsIn(scene.home)) process.kill(pid, 'SIGHUP');
            },
        });
        expect(record.code).toBe(129);
        expect(record.acknowledged.size).toBe(4);
    });

    it.skipIf(!hasPython())('of a terminal that closes ends the run, with everything saved', async () => {
        const scene = new Scene(SLOW);
        await scene.run({
            args: ['--grace', '0.2'],
            through: ON_CLOSING_TERMINAL,
            meanwhile: async (cli) => {
                await eventSeen(cli, 'task-finished', 4);
                toMain(cli, 'SIGUSR1');
                expect(await cli.result).toMatchObject({ code: 129 });
            },
        });
        expect(await aliveIn(scene.home)).toEqual([]);
    });

    it.skipIf(!hasPython())('is ignored, and the end is orderly, where the output is elsewhere', async () => {
        const scene = new Scene(SLOW);
        const output = join(scene.home, 'events');
        const finished = (): number => readFileSync(output, 'utf8').split('"task-finished"').length - 1;
        const record = await scene.start({
            args: ['--grace', '0.2'],
            through: [...ON_CLOSING_TERMINAL, 'sh', '-c', 'exec "$@" > events', 'sh'],
            meanwhile: async (cli) => {
                await vi.waitUntil(() => existsSync(output) && finished() === 4, patience(10_000));
                toMain(cli, 'SIGUSR1');
                await sleep(100);
                for (const pid of programsIn(scene.home)) process.kill(pid, 'SIGTERM');
            },
        });
        expect(record.code).toBe(143);
        expect(readFileSync(output, 'utf8')).toContain('"stop":{"reason":"signal","signal":"SIGTERM"}');
    });
});

describe('at random moments', () => {
    const signals = Object.keys(EXIT) as Signal[];
    const seeds = Array.from({ length: rounds(1) }, (_, at) => SEED + at);
    it.each(seeds)('a signal costs nothing that was finished (seed %i)', async (seed) => {
        const next = random(seed);
        const scene = new Scene(makeDataset({ samples: 5, tasks: 6, ms: 25, size: 2000 }, seed % 3));
        const args = ['--grace', '0.2', '--mode', next() < 0.5 ? 'thread' : 'process'];
        for (let stop = 0; stop < 4; stop += 1) {
            const signal = signals[Math.floor(next() * signals.length)] ?? 'SIGTERM';
            const twice = next() < 0.5;
            const record = await scene.run({
                args,
                what: `${signal}${twice ? ' twice' : ''}`,
                meanwhile: async (cli) => {
                    await sleep(next() * 900);
                    send(cli, signal);
                    if (!twice) return;
                    await sleep(next() * 100);
                    send(cli, signal);
                },
            });
            if (record.code === 0) break;
            // Before the program has set up its handlers, the signal itself ends it.
            expect([EXIT[signal], null], record.stderr).toContain(record.code);
            if (record.code === null) expect(record.signal).toBe(signal);
            expect(await aliveIn(scene.home)).toEqual([]);
        }
        await scene.finish({ args });
        await scene.expectSameAsUninterrupted();
    });
});

/** Sends the signal unless the program has just ended by itself. */
function send(cli: Cli, signal: Signal): void {
    if (cli.child.exitCode === null && cli.child.signalCode === null) toGroup(cli, signal);
}
