import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { ViewedRun } from '../../src/compose/view/viewed-run.js';
import { ViewServer } from '../../src/compose/view/view-server.js';
import { eventSeen } from '../crash/processes.js';
import { callCli } from '../rig/in-process.js';
import { QueueScene } from '../rig/queue-scene.js';
import { NO_REDIS } from '../rig/redis.js';
import { patience, SOON } from '../rig/slowness.js';

if (NO_REDIS !== null) console.error(`readers of a queue's results: skipped, ${NO_REDIS}`);

const GATE = 'open';

it.skipIf(NO_REDIS !== null)(
    'status, report, view and collect see a run over a queue while it goes on, and after it',
    { timeout: patience(40_000) },
    async ({ onTestFinished }) => {
        const scene = new QueueScene([
            { do: 'answer', value: 1 },
            { do: 'answer', value: 2 },
            { do: 'await-file', file: GATE },
        ]);
        onTestFinished(() => scene.end());
        await scene.open();
        const { cwd } = scene;
        const call = async (...args: readonly string[]): Promise<string> => {
            const { code, stdout, stderr } = await callCli(args, { cwd });
            expect(code, stderr).toBe(0);
            return stdout;
        };
        const callJson = async (...args: readonly string[]): Promise<unknown> =>
            JSON.parse(await call(...args, '--json', '--dir', 'results'));
        const viewed = new ViewedRun(
            { dir: join(cwd, 'results'), checkpoints: join(cwd, 'checkpoints', 'results') },
            () => undefined,
        );
        const server = new ViewServer([viewed], { script: '', style: '' });
        const port = await server.listen('127.0.0.1', 0, null);
        onTestFinished(() => server.close());
        const view = async (): Promise<unknown> =>
            (await fetch(`http://127.0.0.1:${port}/api/runs/0/live`)).json();
        const collect = () => call('collect', '--from', 'results', '--database', 'db');

        scene.worker();
        const run = scene.coordinator();
        await eventSeen(run, 'task-finished', 2);

        expect(await callJson('status')).toMatchObject({
            executor: 'module',
            tasks: { finished: 2, all: 3, open: 1 },
            holders: [{ pid: run.child.pid, alive: true }],
        });
        expect(await callJson('report')).toMatchObject({ total: { groups: { main: { completed: 2 } } } });
        const running = { phase: 'running', pid: run.child.pid, tasks: { total: 3, committed: 2, done: 2 } };
        await expect.poll(view, SOON).toMatchObject([running]);
        expect(await collect()).toContain('2 records added');

        writeFileSync(join(cwd, GATE), '');
        const { code, stderr } = await run.result;
        expect(code, stderr).toBe(0);
        expect(await callJson('status')).toMatchObject({
            tasks: { finished: 3, all: 3, open: 0 },
            holders: [],
        });
        expect(await callJson('report')).toMatchObject({
            total: { groups: { main: { completed: 3, verdicts: { Accepted: 3 } } } },
        });
        expect(await view()).toMatchObject([{ phase: 'finished', tasks: { committed: 3, remaining: 0 } }]);
        expect(await collect()).toMatch(/1 record added, 2 known already/);
    },
);
