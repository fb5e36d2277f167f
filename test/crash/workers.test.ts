import { readdirSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { type CrashDataset, keysOf, makeDataset } from './dataset.js';
import { eventSeen, processesIn, programsIn } from './processes.js';
import { resultFiles } from './results.js';
import { type RunRecord, Scene } from './scene.js';
import { sampled, SEED } from '../rig/long.js';
import { patience } from '../rig/slowness.js';

/** Faulty tasks, each failing `times` times, among five good ones. */
function withFaults(faults: readonly string[], times: number): CrashDataset {
    const well = Array.from({ length: 5 }, (_, at) => ({ key: `well-${at}`, ms: 20 }));
    const ill = faults.map((does) => ({ key: illKey(does), fault: { does, times } }));
    return [{ id: 'one', groups: { solution: [...ill, ...well] } }];
}

const illKey = (does: string): string => `ill-${does.replaceAll(' ', '-')}`;

const WELL = ['well-0', 'well-1', 'well-2', 'well-3', 'well-4'];

type Failures = readonly { readonly index: number }[] | undefined;

/** Failures as recorded in the file, by index: the file lists them in the order in which they were given up. */
const failuresIn = (scene: Scene): Failures =>
    (resultFiles(scene.results).get('one.json')?.['failures'] as Failures)?.toSorted(
        (a, b) => a.index - b.index,
    );

const retriesOf = (record: RunRecord): string[] =>
    record.events.flatMap((event) =>
        event.type === 'task-retried' && 'failure' in event.because ? [event.because.failure.reason] : [],
    );

const executionsOf = (record: RunRecord, key: string): number =>
    record.executed.filter((one) => one === key).length;

/** What ends a worker, by the mode that must survive it. */
const DEATHS = [
    { mode: 'thread', deaths: ['exit', 'fill the heap'] },
    { mode: 'process', deaths: ['exit', 'fill the heap', 'kill itself'] },
] as const;

describe('a worker that dies', () => {
    it.each(DEATHS)(
        '(--mode $mode: $deaths) costs a second try of its task and nothing else',
        async ({ mode, deaths }) => {
            const scene = new Scene(withFaults(deaths, 1));
            const env = { NODE_OPTIONS: '--max-old-space-size=96' };
            const record = await scene.run({ args: ['--mode', mode, '-t', '60'], env, what: mode });
            expect(record.code, record.stderr).toBe(0);
            expect(retriesOf(record)).toEqual(deaths.map(() => 'worker-died'));
            for (const does of deaths) expect(executionsOf(record, illKey(does)), does).toBe(2);
            for (const key of WELL) expect(record.acknowledged).toContain(key);
            expect((await scene.finish()).executed).toEqual([]);
        },
    );

    it('again and again is a failure, not a verdict, and the next start tries it again', async () => {
        const scene = new Scene(withFaults(['exit'], 3));
        const record = await scene.run({ args: ['--mode', 'process'], what: 'dies three times' });
        expect(record.code).toBe(1);
        expect(executionsOf(record, 'ill-exit')).toBe(3);
        expect([...record.acknowledged].sort()).toEqual(WELL);
        expect(failuresIn(scene)).toMatchObject([{ group: 'solution', index: 0, reason: 'worker-died' }]);
        expect(resultFiles(scene.results).get('one.json')).toMatchObject({
            progress: { completed_solutions: 5, total_solutions: 6, is_complete: false },
        });
        expect((await scene.finish()).executed).toEqual(['ill-exit']);
        expect(failuresIn(scene)).toBeUndefined();
    });

    it('killed from outside (kill -9 of one process) likewise', async () => {
        const scene = new Scene(withFaults(['hang'], 1));
        const record = await scene.run({
            args: ['--mode', 'process', '-t', '60'],
            what: 'kill -9 of the worker',
            meanwhile: async (cli) => {
                await eventSeen(cli, 'task-finished', 5);
                // Its worker may still be starting while the other one does all the rest.
                await expect
                    .poll(() => readdirSync(scene.markers).some((name) => name.includes('~ill-hang')), {
                        timeout: patience(10_000),
                    })
                    .toBe(true);
                const [main] = programsIn(scene.home);
                for (const pid of processesIn(scene.home)) if (pid !== main) process.kill(pid, 'SIGKILL');
            },
        });
        expect(record.code, record.stderr).toBe(0);
        expect(retriesOf(record)).toContain('worker-died');
        expect(executionsOf(record, 'ill-hang')).toBe(2);
        expect((await scene.finish()).executed).toEqual([]);
    });
});

describe('tiny tasks, which travel in batches,', () => {
    it('each get their answer back', async () => {
        const scene = new Scene(makeDataset({ samples: 80, tasks: 3, ms: 15, size: 10 }, SEED));
        await scene.finish({ args: ['--mode', 'thread'] });
    });
});

describe('a task that', () => {
    // `hang` waits, so its own time-out ends it. `spin` blocks its worker, which must be ended from outside: this takes ten
    // seconds, and test/conformance/backend.test.ts covers it for both modes.
    it.each(sampled(['thread', 'process'], 1))(
        'never answers (--mode %s) is ended and tried again',
        async (mode) => {
            const scene = new Scene(withFaults(['hang', 'spin'], 1));
            const record = await scene.run({ args: ['--mode', mode, '-t', '0.5'], what: mode });
            expect(record.code, record.stderr).toBe(0);
            expect(retriesOf(record)).toEqual(['no-answer', 'no-answer']);
            expect((await scene.finish()).executed).toEqual([]);
        },
    );

    it('throws is tried again, and given up after --retries', async () => {
        const scene = new Scene(withFaults(['throw'], 2));
        const record = await scene.run({ args: ['--retries', '1'], what: 'throws' });
        expect(record.code).toBe(1);
        expect(executionsOf(record, 'ill-throw')).toBe(2);
        expect(failuresIn(scene)).toMatchObject([{ reason: 'task-threw', message: 'thrown by the task' }]);
        expect((await scene.finish()).executed).toEqual(['ill-throw']);
    });

    it('returns what no result can be is a failure that says so', async () => {
        const returns = ['nothing', 'a list', 'a cycle', 'a big integer', 'too much'];
        const tasks = [...returns.map((what, at) => ({ key: `g-${at}`, returns: what })), { key: 'well' }];
        const scene = new Scene([{ id: 'one', groups: { solution: tasks } }], { export: 'garbage' });
        const record = await scene.run({ args: ['--retries', '0'], what: 'garbage' });
        expect(record.code).toBe(1);
        expect([...record.acknowledged]).toEqual(['well']);
        expect(record.executed).toEqual(keysOf(scene.dataset).sort());
        expect(failuresIn(scene)).toMatchObject(
            [
                { index: 0, reason: 'task-threw', message: /JSON object, got undefined/ },
                { index: 1, reason: 'task-threw', message: /JSON object, got a list/ },
                { index: 2, reason: 'task-threw', message: /circular/i },
                { index: 3, reason: 'task-threw', message: /BigInt/ },
                { index: 4, reason: 'result-too-large' },
            ].map(({ message, ...rest }) =>
                message === undefined ? rest : { ...rest, message: expect.stringMatching(message) },
            ),
        );
    });
});
