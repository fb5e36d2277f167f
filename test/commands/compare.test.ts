import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { openStore } from '../../src/results/store/open-store.js';
import { writeTasks } from '../results/fixtures.js';
import { commitRecords, records } from '../results/records.js';
import { tempDir } from '../rig/cli.js';
import { callCli } from '../rig/in-process.js';

it('holds two results directories against each other, task by task', async () => {
    const cwd = tempDir();
    const wrong = { verdict: 'WrongAnswer' } as const;
    // The second dataset has one more task at the front; matched by their fingerprints, the others are still the same.
    writeTasks(
        join(cwd, 'a'),
        's/1',
        [{ fingerprint: 'x' }, { fingerprint: 'y', ...wrong }, { fingerprint: 'z' }],
        'r1',
    );
    writeTasks(
        join(cwd, 'b'),
        's/1',
        [
            { fingerprint: 'new' },
            { fingerprint: 'x' },
            { fingerprint: 'y' },
            { fingerprint: 'z', failure: 'sandbox' },
        ],
        'r2',
    );
    // Another command gives other fingerprints, so tasks are matched by position.
    writeTasks(join(cwd, 'a'), 't', [{ fingerprint: 'c1', group: 'incorrect_solution', ...wrong }], 'r1');
    writeTasks(
        join(cwd, 'b'),
        't',
        [{ fingerprint: 'c2', group: 'incorrect_solution', verdict: 'RuntimeError' }],
        'r2',
    );
    const done = await callCli(['compare', 'a', 'b', '--json'], { cwd });
    expect(done).toMatchObject({ code: 0, stderr: '' });
    expect(JSON.parse(done.stdout)).toMatchObject({
        summary: {
            pairs: 4,
            matched_by_index: 1,
            only_in_first: 0,
            only_in_second: 1,
            not_judged_in_both: 1,
            judged: 3,
            same_verdict: 1,
            disagreements: 2,
            both_right: 2,
            only_first_right: 0,
            only_second_right: 1,
            mcnemar_tasks: 1,
        },
        rows: [
            {
                sample: 's/1',
                index_first: 1,
                index_second: 2,
                first: 'WrongAnswer',
                second: 'Accepted',
                right: 'second',
                entry_first: 'a/s_1.json solution 1',
                entry_second: 'b/s_1.json solution 2',
            },
            { sample: 't', first: 'WrongAnswer', second: 'RuntimeError', right: 'both' },
        ],
    });
    const table = await callCli(['compare', 'a', 'b'], { cwd });
    expect(table.stdout).toContain('s/1');
    expect(table.stdout).not.toContain('entry_first');
    const csv = await callCli(['compare', 'a', 'b', '--format', 'csv'], { cwd });
    expect(csv.stdout).toContain('entry_first');
    const absent = await callCli(['compare', 'a', 'nowhere'], { cwd });
    expect(absent.code).toBe(2);
    expect(absent.stderr).toMatch(/nowhere: there is no results directory of that name/);
});

it('compares two runs of a database', async () => {
    const cwd = tempDir();
    const store = await openStore({ dir: join(cwd, 'db'), storage: 'parquet', onNotice: () => undefined });
    await commitRecords(store, records(10));
    const wrong = { verdict: 'WrongAnswer', accepted: false, success_level: 'failure' } as const;
    await commitRecords(store, records(10, { run: 'run-2', ...wrong }));
    await store.close();
    const done = await callCli(['compare', 'run-1', 'run-2', '--database', 'db'], { cwd });
    expect(done.code).toBe(0);
    expect(done.stdout).toMatch(/^only_first_right +10$/m);
    // One chance in 1,024, on either side.
    expect(done.stdout).toMatch(/^mcnemar_tasks +0\.001953$/m);
    const absent = await callCli(['compare', 'run-1', 'run-3', '--database', 'db'], { cwd });
    expect(absent.code).toBe(2);
    expect(absent.stderr).toMatch(/has no run run-3/);
});

it('says what is wrong where two things cannot be compared', async () => {
    const cwd = tempDir();
    writeTasks(join(cwd, 'a'), 's', [{ fingerprint: 'x' }], 'r1');
    writeTasks(join(cwd, 'b'), 't', [{ fingerprint: 'y' }], 'r2');
    const store = await openStore({ dir: join(cwd, 'database'), storage: 'json', onNotice: () => undefined });
    await commitRecords(store, records(2));
    await store.close();
    writeFileSync(join(cwd, 'file'), '');
    const cases = [
        ['file', /^resume-run: file: expected a results directory, got a file\n$/],
        ['', /expected a results directory, got an empty name/],
        ['database', /database is a results database, not a results directory: name it with --database\n$/],
    ] as const;
    for (const [name, message] of cases)
        expect(await callCli(['compare', 'a', name], { cwd }), name).toMatchObject({
            code: 2,
            stdout: '',
            stderr: expect.stringMatching(message),
        });
    const apart = await callCli(['compare', 'a', 'b'], { cwd });
    expect(apart).toMatchObject({ code: 0, stdout: expect.stringContaining('have no tasks in common') });
    for (const command of ['analyze', 'export'])
        expect(await callCli([command, '--dir', 'database'], { cwd })).toMatchObject({
            code: 2,
            stderr: expect.stringMatching(/name it with --database\n$/),
        });
    const onFolder = await callCli(['export', '--dir', 'a', '-o', 'b'], { cwd });
    expect(onFolder).toMatchObject({
        code: 4,
        stderr: expect.stringContaining('a directory stands where the file should be'),
    });
});
