import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { runBatchTestSmart, UltraParallelRunner } from '../../src/legacy.js';
import { tempDir } from '../rig/cli.js';
import { ChatServer } from '../rig/servers/chat-server.js';

const server = new ChatServer();
const second = new ChatServer();
beforeAll(() => Promise.all([server.start(), second.start()]));
afterAll(() => Promise.all([server.stop(), second.stop()]));

it('runs what is missing of a matrix under the earlier names, over all deployments, and collects it', async () => {
    const cwd = tempDir();
    const rows = join(cwd, 'rows.csv');
    writeFileSync(rows, 'task_type,question\nsimple_task,one\nsimple_task,two\n');
    const place = {
        dir: join(cwd, 'results'),
        database: join(cwd, 'database'),
        tempDir: join(cwd, 'temp_results'),
        rows,
        promptTemplate: '{question} {prompt_type} {instance}',
    };
    const test = { model: 'm', promptTypes: 'all', difficulty: 'easy', taskTypes: 'simple_task' } as const;
    const notices: string[] = [];
    const first = await runBatchTestSmart({
        ...test,
        ...place,
        numInstances: 2,
        baseUrl: server.url,
        useResultCollector: true,
        onNotice: (line) => notices.push(line),
    });
    expect(first).toEqual({
        dir: place.dir,
        cells: 3,
        instances: 6,
        finished: 6,
        accepted: 6,
        failed: 0,
        committed: 6,
        outcome: 'finished',
    });
    expect(notices.join('\n')).toContain('6 records added');
    expect([...server.counts().keys()].sort()).toContain('one optimal 0');

    const runner = new UltraParallelRunner({
        ...place,
        baseUrl: [server.url, second.url],
        maxWorkers: 4,
        rateMode: 'fixed',
    });
    server.latency = 20;
    second.latency = 20;
    const more = await runner.runUltraParallelTest({ ...test, numInstances: '2x4' });
    expect(more).toMatchObject({ instances: 24, finished: 24, committed: 18 });
    // Each instance is sent once, to whichever deployment was free.
    expect(server.requests.length + second.requests.length).toBe(24);
    expect(second.requests.length).toBeGreaterThan(0);
    expect(await runner.runUltraParallelTest({ ...test, numInstances: '2x4' })).toMatchObject({
        committed: 0,
        finished: 24,
    });
    expect(() => new UltraParallelRunner({ maxWorkers: 0 })).toThrow(
        'maxWorkers: expected a whole number of at least 1, got 0',
    );
});
