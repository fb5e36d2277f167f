import { chmodSync, existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeEach, describe, expect, it } from 'vitest';
import { runCli, tempDir } from '../rig/cli.js';
import { callCli } from '../rig/in-process.js';

const row = (id: string, value: number): string => `${JSON.stringify({ id, groups: { it: [{ value }] } })}\n`;

describe('datasets of one directory', () => {
    let cwd = '';
    const write = (name: string, ...rows: string[]): void => writeFileSync(join(cwd, name), rows.join(''));
    const start = (...args: string[]) => callCli([...args, '--dir', 'out', '-q'], { cwd });
    const runFile = () =>
        JSON.parse(readFileSync(join(cwd, 'checkpoints/out/run.json'), 'utf8')) as {
            readonly datasets: readonly { readonly path: string }[];
            readonly totals: { readonly samples: number };
        };

    beforeEach(async () => {
        cwd = tempDir();
        write('task.mjs', 'export default () => ({});\n');
        write('a.jsonl', row('a1', 1), row('a2', 2));
        write('b.jsonl', row('b1', 1));
        expect((await start('a.jsonl', '--executor', 'module', '--module', './task.mjs')).code).toBe(0);
    });

    it('are all counted and resumed, whichever was named last', async () => {
        expect((await start('b.jsonl')).code).toBe(0);
        expect(runFile().totals.samples).toBe(3);
        const again = await start();
        expect([again.code, again.stdout]).toEqual([0, expect.stringContaining('3 of 3 samples complete')]);
    });

    it('a shard without any sample is no error, a pattern without one is', async () => {
        const shards = await Promise.all([1, 2, 3, 4].map((at) => start('b.jsonl', '--shard', `${at}/4`)));
        expect(shards.map(({ code }) => code)).toEqual([0, 0, 0, 0]);
        const empty = shards.map(
            ({ stderr }) => /^warning: shard (\d)\/4 holds no sample$/m.exec(stderr)?.[1],
        );
        expect(empty.filter((at) => at !== undefined)).toHaveLength(3);
        expect(await start('--only', 'zzz')).toMatchObject({
            code: 2,
            stderr: 'resume-run: --only zzz leaves no sample\n',
        });
    });

    it('may not hold one id with different content, though only one of them is named', async () => {
        write('c.jsonl', row('a1', 99));
        const { code, stderr } = await start('c.jsonl');
        expect(code).toBe(2);
        expect(stderr).toMatch(
            /^resume-run: "a1" is in c\.jsonl:1 and in a\.jsonl:1 with different content: .*\n$/,
        );
        // Also for files in one folder.
        for (const [folder, line] of ['one', 'two'].entries()) {
            mkdirSync(join(cwd, 'lists', line), { recursive: true });
            write(`lists/${line}/names.json`, `[{"name": ${folder}}]`);
        }
        const task = ['--executor', 'module', '--module', './task.mjs', '--dir', 'lists-out', '-q'];
        const lists = await callCli(['lists', ...task], { cwd });
        expect([lists.code, lists.stderr]).toEqual([
            2,
            expect.stringMatching(/is in \S*lists\/two\/names\.json and in \S*lists\/one\/names\.json with/),
        ]);
    });

    it('that are gone are named with what to do; what stands in their place takes over', async () => {
        renameSync(join(cwd, 'a.jsonl'), join(cwd, 'moved.jsonl'));
        const bare = await start();
        expect(bare.code).toBe(2);
        expect(bare.stderr).toMatch(
            /^resume-run: a\.jsonl, a dataset of this directory, no longer exists: .*\n$/,
        );
        const named = await start('moved.jsonl');
        expect([named.code, named.stderr]).toEqual([0, expect.stringContaining('a.jsonl no longer exists')]);
        expect(named.stdout).toContain('Nothing left to do');
        expect(runFile().datasets.map(({ path }) => path)).toEqual([expect.stringMatching(/moved\.jsonl$/)]);
        expect((await start()).code).toBe(0);
    });

    it('are counted alike by status, report, a dry run and a run after samples went and files were moved', async () => {
        write('a.jsonl', row('a2', 2), row('a3', 3), row('a4', 4));
        expect((await start('--only', 'a3')).code).toBe(0);
        renameSync(join(cwd, 'out/a2.json'), join(cwd, 'a2.json'));
        const figures = async (command: readonly string[]): Promise<Record<string, never>> =>
            JSON.parse((await callCli([...command, '--dir', 'out', '--json'], { cwd })).stdout);
        const [status, report, plan] = await Promise.all([
            figures(['status']),
            figures(['report']),
            figures(['--dry-run']),
        ]);
        const counts = { samples: 3, completeSamples: 1 };
        const removed = { count: 1, samples: ['a1'] };
        expect(plan).toMatchObject({
            part: { ...counts, tasks: 3, finished: 1, due: 2 },
            whole: { samples: 3 },
            removed,
        });
        expect(status).toMatchObject({
            total: { ...counts, groups: { it: { total: 3, completed: 1 } } },
            tasks: { finished: 1, all: 3, open: 2 },
            whole: { samples: 3, tasks: 3 },
            removed,
        });
        expect(report).toMatchObject({
            total: { ...counts, groups: { it: { total: 3, completed: 1 } } },
            samples: [{ id: 'a3' }],
            removed,
        });
        const run = await start();
        expect(run.stdout).toContain('3 of 3 samples complete');
        const after = await callCli(['status', '--dir', 'out'], { cwd });
        expect(after.stdout).toContain('out: 3 of 3 tasks finished (100 %), 3 of 3 samples complete\n');
        expect(after.stdout).toContain('No longer in the dataset, and not counted: 1 sample\n  a1\n');
        renameSync(join(cwd, 'a.jsonl'), join(cwd, 'elsewhere.jsonl'));
        const unknown = await callCli(['status', '--dir', 'out'], { cwd });
        expect(unknown.stderr).toMatch(/^warning: no such dataset: .*; until all datasets can be read, /);
        expect(unknown.stdout).toContain('out: 4 of 4 tasks finished (100 %), 4 of 4 samples complete\n');
    });

    it.skipIf(process.getuid?.() !== 0)('that cannot be read are one line of error', async () => {
        const folder = tempDir();
        chmodSync(folder, 0o777);
        writeFileSync(join(folder, 'a.jsonl'), row('a', 1), { mode: 0o600 });
        const { code, stderr } = await runCli(['a.jsonl', '--dir', 'out', '-q'], {
            cwd: folder,
            through: ['setpriv', '--reuid=65534', '--regid=65534', '--clear-groups'],
        });
        expect([code, stderr]).toEqual([
            2,
            expect.stringMatching(/^resume-run: cannot read .*a\.jsonl: permission denied\n$/),
        ]);
    });
});

describe('what no task could run with', () => {
    it.each([
        [
            ['--executor', 'module', '--module', './nope.mjs'],
            /--module .*nope\.mjs cannot be read: there is no such file/,
        ],
        [['--executor', 'module', '--module', './broken.mjs'], /--module .*broken\.mjs cannot be loaded: /],
        [
            ['--executor', 'module', '--module', './other.mjs'],
            /exports no function named default; it exports x/,
        ],
        [
            ['--executor', 'exec', '--', './nope'],
            /--executor exec: \.\/nope cannot be run: there is no such file/,
        ],
        [['--executor', 'exec', '--', 'no-such-program-1'], /no program named no-such-program-1 is on PATH/],
        [
            ['--executor', 'exec', '--', 'true', '{ID}'],
            /there is no placeholder \{ID\}; did you mean \{id\}\?/,
        ],
    ])('%j is said before anything runs', async (args, message) => {
        const cwd = tempDir();
        writeFileSync(join(cwd, 'data.jsonl'), row('a', 1));
        writeFileSync(join(cwd, 'broken.mjs'), 'export default (\n');
        writeFileSync(join(cwd, 'other.mjs'), 'export const x = 1;\n');
        const { code, stderr } = await callCli(['data.jsonl', '--dir', 'out', '-q', ...args], { cwd });
        expect([code, stderr.trim().split('\n').length]).toEqual([2, 1]);
        expect(stderr).toMatch(message);
        expect(existsSync(join(cwd, 'out/a.json'))).toBe(false);
    });

    it('a task that ends the process in async mode is not an exit 0', async () => {
        const cwd = tempDir();
        writeFileSync(join(cwd, 'data.jsonl'), row('a', 1));
        writeFileSync(join(cwd, 'exit.mjs'), 'export default () => process.exit(0);\n');
        const args = [
            'data.jsonl',
            '--dir',
            'out',
            '-q',
            '--mode',
            'async',
            '--executor',
            'module',
            '--module',
            './exit.mjs',
        ];
        const { code, stderr } = await runCli(args, { cwd });
        expect([code, stderr]).toEqual([1, expect.stringContaining('ended by a task')]);
    });
});
