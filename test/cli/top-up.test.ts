import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { readResults, tempDir } from '../rig/cli.js';
import { callCli } from '../rig/in-process.js';
import { ChatServer } from '../rig/servers/chat-server.js';

const server = new ChatServer();
beforeAll(() => server.start());
afterAll(() => server.stop());

const COUNTS = {
    version: '3.0',
    models: {
        m: {
            by_prompt_type: {
                cot: {
                    by_tool_success_rate: {
                        '1.0': {
                            by_difficulty: {
                                easy: { by_task_type: { simple_task: { total: 3, success: 2, failed: 1 } } },
                            },
                        },
                    },
                },
            },
        },
    },
};

const CELLS =
    '--models m --prompt-types cot --difficulty easy --task-types simple_task basic_task --tool-success-rate 1'
        .split(' ')
        .concat('--prompt-template', '{task_type} {instance}');

it('adopts what a results database has, counts what it counted, and never collects either again', async () => {
    const cwd = tempDir();
    const call = async (...args: readonly string[]) => {
        const end = await callCli(args, { cwd });
        expect(end.code, end.stderr).toBe(0);
        return end;
    };
    const matrix = (...more: readonly string[]) =>
        call('matrix', ...CELLS, '--base-url', server.url, ...more);
    await matrix('--num-instances', '4', '--collect', '--dir', 'first');
    expect(server.requests).toHaveLength(8);

    const topUp = ['--num-instances', '6', '--top-up-from', 'database', '--dir', 'second'];
    const dry = await matrix(...topUp, '--dry-run');
    expect(dry.stdout + dry.stderr).toContain('8 results of database would be adopted');
    expect(dry.stdout).toContain('8/12 done, 4 to run');
    expect(dry.stdout).toContain('4 of 12 tasks would run');
    expect(dry.stdout).toContain('estimate  4 requests');
    expect(existsSync(join(cwd, 'second'))).toBe(false);
    // Regardless of the database format.
    await call('migrate', '--to', 'parquet');
    expect((await matrix(...topUp, '--dry-run')).stdout).toContain('8/12 done, 4 to run');
    expect(server.requests).toHaveLength(8);

    const run = await matrix(...topUp, '--collect');
    expect(run.stdout + run.stderr).toContain('8 results of database adopted');
    expect(run.stdout).toContain('8/12 done, 4 to run');
    expect(server.requests).toHaveLength(12);
    const entries = [...readResults(join(cwd, 'second')).values()].flatMap(
        (file) => file['instance_result'] as Record<string, unknown>[],
    );
    expect(entries).toHaveLength(12);
    const adopted = entries.filter((entry) => entry['adopted'] !== undefined);
    expect(adopted).toHaveLength(8);
    expect(adopted[0]).toMatchObject({
        attempts: [],
        adopted: { database: join(cwd, 'database') },
        cell: { model: 'm' },
        result: { verdict: 'Accepted', accepted: true, model: 'm' },
    });
    // The database holds each of the twelve once, whichever directory is collected.
    await call('collect', '--from', 'second');
    const { stdout } = await call('export', '--database', 'database');
    expect(stdout.trim().split('\n')).toHaveLength(12);
    expect((await matrix(...topUp)).stdout).toContain('12/12 done, 0 to run');
    expect((await call('--dir', 'second')).stdout).toContain('Nothing left to do');
    // A task that is explicitly requested again gets an answer from this run.
    await call('--dir', 'second', '--rerun', 'm/cot/1/easy/simple_task');
    expect(server.requests).toHaveLength(18);

    writeFileSync(join(cwd, 'master_database.json'), JSON.stringify(COUNTS));
    await call('collect', '--from', 'master_database.json', '--database', 'counts');
    const count = ['--top-up-from', 'counts', '--count-imported', '--dir', 'third'];
    const counted = await matrix('--num-instances', '5', ...count);
    expect(counted.stdout).toContain('3/10 done, 7 to run');
    expect(server.requests).toHaveLength(25);
    const report = await call('report', '--dir', 'third');
    expect(report.stdout).toContain(`counts as done: 3 runs in ${join(cwd, 'counts')}`);
    // Runs that count as done are excluded from the tasks to do, in every count.
    expect(report.stdout).toContain('2 samples, 2 complete');
    expect((await call('status', '--dir', 'third')).stdout).toContain(
        'third: 7 of 7 tasks finished (100 %), 2 of 2 samples complete',
    );
    // Fixed at the first use: a database that grows does not remove instances.
    writeFileSync(join(cwd, 'more.json'), JSON.stringify(COUNTS));
    await call('collect', '--from', 'more.json', '--database', 'counts');
    expect((await matrix('--num-instances', '9', ...count)).stdout).toContain('10/18 done, 8 to run');
    const kept = JSON.parse(readFileSync(join(cwd, 'checkpoints/third/matrix.json'), 'utf8'));
    expect(kept.imported.cells).toEqual({ 'm/cot/1/easy/simple_task': 3 });
    const alone = await callCli(['matrix', '--models', 'm', '--count-imported', '--base-url', server.url], {
        cwd,
    });
    expect(alone.stderr).toContain('--count-imported needs --top-up-from <database>');
});
