import { execFileSync } from 'node:child_process';
import { readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { tempDir } from '../rig/cli.js';
import { callCli } from '../rig/in-process.js';

interface ResultFile {
    main_result: { index: number; occurrence?: number; revision?: number }[];
    failures?: { revision?: number }[];
    run?: string;
    retired_revision?: number;
}

const ROWS = ['a', 'b'].map((id) => JSON.stringify({ id, groups: { main: [1, 1, 2] } }));

/** A directory that runs a command over two samples of three tasks each, two of which are equal. */
function scene() {
    const cwd = tempDir();
    const command = join(cwd, 'command.sh');
    writeFileSync(join(cwd, 'rows.jsonl'), `${ROWS.join('\n')}\n`);
    writeFileSync(command, 'exit 0\n');
    const file = (id: string) => join(cwd, `res/${id}.json`);
    const runFile = join(cwd, 'checkpoints/res/run.json');
    return {
        cwd,
        command,
        file,
        runFile,
        read: (id: string) => JSON.parse(readFileSync(file(id), 'utf8')) as ResultFile,
        runId: () => (JSON.parse(readFileSync(runFile, 'utf8')) as { run?: string }).run,
        start: (...more: string[]) =>
            callCli(
                [
                    'rows.jsonl',
                    '--dir',
                    'res',
                    '-q',
                    '--executor',
                    'exec',
                    '--retries',
                    '0',
                    ...more,
                    '--',
                    'sh',
                    command,
                ],
                { cwd },
            ),
    };
}

it('gives a run one id, in run.json and at the end of every result file, and takes a lost one back from there', async () => {
    const { file, runFile, read, runId, start } = scene();
    expect((await start()).code).toBe(0);
    const id = runId();
    expect(id).toMatch(/^\d{8}-\d{6}-[0-9a-f]{12}$/);
    expect([read('a').run, read('b').run]).toEqual([id, id]);
    expect(Object.keys(read('a')).at(-1)).toBe('run');
    const before = readFileSync(file('a'), 'utf8');

    rmSync(runFile);
    expect((await start()).code).toBe(0);
    expect(runId()).toBe(id);
    expect(readFileSync(file('a'), 'utf8')).toBe(before);
});

it('is not held up by a FIFO, nor takes an id that could not be ours, where run.json is lost', async () => {
    const { cwd, file, runFile, runId, start } = scene();
    await start();
    rmSync(runFile);
    for (const sample of ['a', 'b']) {
        const text = readFileSync(file(sample), 'utf8').replace(/"run": "[^"]*"/, '"run": "../../etc/x"');
        writeFileSync(file(sample), text);
    }
    execFileSync('mkfifo', [join(cwd, 'res/0.json')]);
    expect((await start()).code).toBe(0);
    expect(runId()).toMatch(/^earlier-[0-9a-f]{12}$/);
});

it('does not rewrite the result files of 0.1 for their id, and derives the same id each time', async () => {
    const { file, runFile, runId, start } = scene();
    await start();
    for (const sample of ['a', 'b']) {
        const text = readFileSync(file(sample), 'utf8').replace(/,\n {4}"run": "[^"]*"/, '');
        expect(text).not.toContain('"run":');
        writeFileSync(file(sample), text);
    }
    const { run: _, ...of01 } = JSON.parse(readFileSync(runFile, 'utf8')) as Record<string, unknown>;
    writeFileSync(runFile, JSON.stringify(of01));
    const { ino, mtimeMs } = statSync(file('a'));

    const again = await start();
    expect(again.code).toBe(0);
    expect(statSync(file('a'))).toMatchObject({ ino, mtimeMs });
    const derived = runId();
    expect(derived).toMatch(/^\d{8}-\d{6}-[0-9a-f]{12}$/);
    writeFileSync(runFile, JSON.stringify(of01));
    await start();
    expect(runId()).toBe(derived);
});

it('counts the changes of each record: a verdict after a failure, a run again', async () => {
    const { command, read, start } = scene();
    writeFileSync(command, 'exit 7\n');
    expect((await start('--exit-verdict', '3=WrongAnswer')).code).toBe(1);
    expect(read('a').failures?.map(({ revision }) => revision ?? 1)).toEqual([1, 1, 1]);
    writeFileSync(command, 'exit 0\n');
    expect((await start()).code).toBe(0);
    const revisions = () => read('a').main_result.map(({ revision }) => revision ?? 1);
    expect(revisions()).toEqual([2, 2, 2]);
    expect((await start('--rerun', 'all')).code).toBe(0);
    expect(revisions()).toEqual([3, 3, 3]);
    expect(read('a').main_result.map(({ occurrence }) => occurrence ?? 0)).toEqual([0, 1, 0]);
});

it('raises the revision of a task that comes back above that of the record it had', async () => {
    const { cwd, read, start } = scene();
    await start();
    writeFileSync(join(cwd, 'rows.jsonl'), `${JSON.stringify({ id: 'a', groups: { main: [1] } })}\n`);
    await start();
    expect(read('a')).toMatchObject({ main_result: [{ index: 0 }], retired_revision: 2 });
    writeFileSync(join(cwd, 'rows.jsonl'), `${ROWS.join('\n')}\n`);
    await start();
    expect(read('a').main_result.map(({ revision }) => revision ?? 1)).toEqual([1, 3, 3]);
});

it.each([
    ['is gone', (file: string) => rmSync(file)],
    ['cannot be read', (file: string) => writeFileSync(file, '{"id": "a", "main_res')],
])('lets the results database take what replaces a result file that %s, each time', async (_, lose) => {
    const { cwd, command, file, read, start } = scene();
    const askDatabase = async (): Promise<unknown> => {
        const sql = "select verdict, count(*) as tasks from records where sample = 'a' group by 1";
        const { stdout } = await callCli(['analyze', '--database', 'database', '--sql', sql, '--json'], {
            cwd,
        });
        return (JSON.parse(stdout) as { rows: unknown }).rows;
    };
    await start('--collect');
    expect(await askDatabase()).toEqual([{ verdict: 'Accepted', tasks: 3 }]);
    writeFileSync(command, 'exit 3\n');
    const revisions: number[] = [];
    for (const verdict of ['WrongAnswer', 'RuntimeError']) {
        lose(file('a'));
        const { code, stderr } = await start('--collect', '--exit-verdict', `3=${verdict}`);
        expect(code, stderr).toBe(0);
        expect(await askDatabase()).toEqual([{ verdict, tasks: 3 }]);
        revisions.push(read('a').main_result[0]?.revision ?? 1);
    }
    expect(revisions).toEqual([1_000_001, 2_000_001]);
    // Files that were not lost are unchanged.
    expect(read('b').main_result.map(({ revision }) => revision ?? 1)).toEqual([1, 1, 1]);
});
