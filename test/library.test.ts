import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type * as Library from '../src/index.js';
import { readResults as readResultFiles, tempDir } from './rig/cli.js';

/*
 * The public API, as built: workers are started from dist/.
 */
const { open, readResults, UserError } = (await import(
    join(import.meta.dirname, '../dist/index.js')
)) as typeof Library;

const OBEY = join(import.meta.dirname, 'rig/tasks/obey.mjs');

function dataset(dir: string, orders: readonly object[], samples = 1): string {
    const path = join(dir, 'tasks.jsonl');
    const rows = Array.from({ length: samples }, (_, i) => ({ id: `sample/${i}`, groups: { task: orders } }));
    writeFileSync(path, rows.map((row) => `${JSON.stringify(row)}\n`).join(''));
    return path;
}

const settings = (dir: string, path: string, more: Library.OpenSettings = {}): Library.OpenSettings => ({
    datasets: [path],
    dir: join(dir, 'results'),
    executor: 'module',
    module: OBEY,
    concurrency: 2,
    ...more,
});

describe('library', () => {
    it('shows the plan, streams events, and saves what it says is finished', async () => {
        const dir = tempDir();
        const run = await open(
            settings(
                dir,
                dataset(
                    dir,
                    [
                        { do: 'answer', value: 1 },
                        { do: 'answer', value: 2 },
                    ],
                    3,
                ),
            ),
        );
        expect(run.plan.part).toMatchObject({ samples: 3, tasks: 6, due: 6, dueBy: { new: 6 } });
        const types: string[] = [];
        for await (const event of run.events()) {
            types.push(event.type);
            if (event.type !== 'task-finished') continue;
            const file = readResultFiles(join(dir, 'results')).get(`${event.sample.replace('/', '_')}.json`);
            const entries = file?.['task_result'] as { index: number }[];
            expect(entries.some((entry) => entry.index === event.index)).toBe(true);
        }
        const end = await run.finished;
        expect(end).toMatchObject({
            outcome: 'finished',
            committed: 6,
            failed: 0,
            totals: { completeSamples: 3 },
        });
        expect(types[0]).toBe('run-started');
        expect(types.at(-1)).toBe('run-finished');
        expect(types.filter((type) => type === 'task-finished')).toHaveLength(6);
    });

    it('does what is left when it is opened again', async () => {
        const dir = tempDir();
        const path = dataset(dir, [{ do: 'answer', value: 1 }]);
        await (await open(settings(dir, path))).finished;
        dataset(dir, [
            { do: 'answer', value: 1 },
            { do: 'answer', value: 2 },
        ]);
        const again = await open(settings(dir, path));
        expect(again.plan.part).toMatchObject({ finished: 1, due: 1 });
        expect((await again.finished).committed).toBe(1);
    });

    it('retries failures, records what fails for good, and tries that again at the next start', async () => {
        const dir = tempDir();
        const path = dataset(dir, [{ do: 'flaky' }, { do: 'throw' }]);
        const end = await (await open(settings(dir, path, { retries: 1 }))).finished;
        expect(end).toMatchObject({ outcome: 'finished with failures', committed: 1, failed: 1 });
        expect(end.totals.failures).toMatchObject([
            { index: 1, reason: 'task-threw', message: 'told to throw' },
        ]);
        const file = readResultFiles(join(dir, 'results')).get('sample_0.json') as {
            task_result: { attempts: object[] }[];
            failures: { attempts: object[] }[];
            progress: object;
        };
        expect(file.task_result[0]?.attempts).toMatchObject([
            { attempt: 1, failure: 'task-threw' },
            { attempt: 2, verdict: 'Accepted' },
        ]);
        expect(file.failures[0]?.attempts).toHaveLength(2);
        expect(file.progress).toEqual({ completed_tasks: 1, total_tasks: 2, is_complete: false });
        const again = await open(settings(dir, path));
        expect(again.plan.part.dueBy).toEqual({ 'failed before': 1 });
        await again.close();
    });

    it('stops when asked: running tasks get the grace, the rest is left for later', async () => {
        const dir = tempDir();
        const orders = Array.from({ length: 20 }, () => ({ do: 'sleep', ms: 300 }));
        const run = await open(settings(dir, dataset(dir, orders)));
        for await (const event of run.events()) if (event.type === 'task-finished') run.abort();
        const end = await run.finished;
        expect(end.outcome).toBe('stopped');
        expect(end.committed).toBeGreaterThanOrEqual(1);
        expect(end.committed).toBeLessThan(20);
        expect(end.totals.groups['task']?.completed).toBe(end.committed);
        const again = await open(settings(dir, join(dir, 'tasks.jsonl')));
        expect(again.plan.part.due).toBe(20 - end.committed);
        await again.close();
    });

    it('refuses a directory that another run holds, and bad settings', async () => {
        const dir = tempDir();
        const path = dataset(dir, [{ do: 'answer', value: 1 }]);
        const held = await open(settings(dir, path));
        await expect(open(settings(dir, path))).rejects.toMatchObject({ name: 'UserError', exitCode: 3 });
        await held.close();
        // @ts-expect-error: its type is refused by the compiler, too
        await expect(open(settings(dir, path, { concurrency: 'many' }))).rejects.toThrow(UserError);
        await expect(open(settings(dir, join(dir, 'nothing.jsonl')))).rejects.toThrow(/nothing\.jsonl/);
        // @ts-expect-error: so is its name
        await expect(open(settings(dir, path, { tiemout: 3 }))).rejects.toThrow(
            'there is no setting "tiemout" (did you mean "timeout"?)',
        );
        await expect(open(settings(dir, path, { dryRun: true, 'dry-run': true }))).rejects.toThrow(
            'the settings dryRun and dry-run are the same: give one of them',
        );
    });

    it('takes options in camelCase, and reads every finished task back', async () => {
        const dir = tempDir();
        const path = dataset(
            dir,
            [{ do: 'answer', value: 1 }, { do: 'answer', value: 2 }, { do: 'throw' }],
            3,
        );
        const looked = await open(settings(dir, path, { dryRun: true, rowsPerSample: 10 }));
        expect(looked.plan.part.due).toBe(9);
        await looked.close();
        await (await open(settings(dir, path, { retries: 0 }))).finished;
        const found: string[] = [];
        for await (const { sample, group, index, entry } of readResults(join(dir, 'results'))) {
            expect(entry.result).toMatchObject({ accepted: true });
            found.push(`${sample} ${group} ${index}`);
        }
        const samples = ['sample/0', 'sample/1', 'sample/2'];
        expect(found.sort()).toEqual(samples.flatMap((id) => [`${id} task 0`, `${id} task 1`]));
        await expect(readResults(join(dir, 'none')).next()).rejects.toThrow(UserError);
    });

    it('is stopped by a signal, while it plans and while it runs', async () => {
        const dir = tempDir();
        const orders = Array.from({ length: 20 }, () => ({ do: 'sleep', ms: 200 }));
        const path = dataset(dir, orders);
        await expect(open(settings(dir, path, { signal: AbortSignal.abort() }))).rejects.toMatchObject({
            name: 'AbortError',
        });
        const controller = new AbortController();
        const run = await open(settings(dir, path, { signal: controller.signal }));
        for await (const event of run.events()) if (event.type === 'task-finished') controller.abort();
        const end = await run.finished;
        expect(end).toMatchObject({ outcome: 'stopped', stop: { reason: 'caller' } });
        expect(end.committed).toBeLessThan(20);
    });

    it('does not replace many finished results because their inputs changed, unless told to', async () => {
        const dir = tempDir();
        const orders = (from: number) =>
            Array.from({ length: 25 }, (_, i) => ({ do: 'answer', value: from + i }));
        const path = dataset(dir, orders(0));
        await (await open(settings(dir, path))).finished;
        dataset(dir, orders(1000));
        await expect(open(settings(dir, path))).rejects.toThrow(
            /25 finished tasks would run again .*--rerun changed/,
        );
        const allowed = await open(settings(dir, path, { rerun: ['changed'] }));
        expect(allowed.plan.part.dueBy).toEqual({ 'input changed': 25 });
        expect((await allowed.finished).committed).toBe(25);
    });

    it('runs again what a glob or an id names, and refuses a name that is not a sample', async () => {
        const dir = tempDir();
        const path = dataset(dir, [{ do: 'answer', value: 1 }], 2);
        await (await open(settings(dir, path))).finished;
        await expect(open(settings(dir, path, { rerun: ['tel'] }))).rejects.toThrow(
            /--rerun tel: no sample has such an id; expected all, failed, tle/,
        );
        const untouched = await open(settings(dir, path));
        expect(untouched.plan.part.due).toBe(0);
        await untouched.close();
        const again = await open(settings(dir, path, { rerun: ['**'] }));
        expect(again.plan.part.dueBy).toEqual({ 'asked for': 2 });
        await again.close();
    });
});
