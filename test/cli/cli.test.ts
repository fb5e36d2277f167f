import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { COMMAND_NAMES } from '../../src/commands/registry.js';
import { isFlag } from '../../src/config/option.js';
import { RUN_OPTION_NAMES, RUN_OPTIONS } from '../../src/config/run-options.js';
import { callCli } from '../rig/in-process.js';
import { runEnvironment } from '../rig/run-folder.js';
import { patience } from '../rig/slowness.js';

const BIN = fileURLToPath(new URL('../../bin/resume-run.js', import.meta.url));
const LOG_IMPORTS = new URL('../rig/log-imports.mjs', import.meta.url).href;

let cwd: string;
beforeAll(() => {
    if (!existsSync(new URL('../../dist/bundle/cli.js', import.meta.url)))
        throw new Error('run `npm run build` first');
});
beforeEach(() => {
    cwd = mkdtempSync(join(tmpdir(), 'resume-run-cli-'));
});
afterEach(() => rmSync(cwd, { recursive: true, force: true }));

function cli(args: readonly string[], env: NodeJS.ProcessEnv = {}, node: readonly string[] = []) {
    const { status, stdout, stderr } = spawnSync(process.execPath, [...node, BIN, ...args], {
        cwd,
        env: { PATH: process.env['PATH'], ...env },
        encoding: 'utf8',
        timeout: patience(27_000), // Against hangs only, below the test runner's own limit.
    });
    return { status, stdout, stderr };
}

/** Runs the command in this process, for tests that are not about process start-up. */
async function call(args: readonly string[], env: NodeJS.ProcessEnv = {}) {
    const { code, stdout, stderr } = await callCli(args, { cwd, env });
    return { status: code, stdout, stderr };
}

describe('help', () => {
    it('shows every option, in 80 columns, with examples and exit codes', async () => {
        const { status, stdout, stderr } = cli(['--help']);
        expect([status, stderr]).toEqual([0, '']);
        for (const name of RUN_OPTION_NAMES.filter(
            (one) => isFlag(RUN_OPTIONS[one]) && one !== 'keep-source',
        )) {
            expect(stdout).toMatch(new RegExp(` --${name}( |$)`, 'm'));
        }
        expect(stdout).toContain(' --no-keep-source ');
        for (const name of COMMAND_NAMES) expect(stdout).toMatch(new RegExp(`^ {2}${name} `, 'm'));
        expect(stdout.match(/^ {2}resume-run/gm)?.length).toBeGreaterThanOrEqual(6);
        expect(Math.max(...stdout.split('\n').map((line) => line.length))).toBeLessThanOrEqual(80);
    });

    it.each(COMMAND_NAMES)('of %s fits 80 columns', async (name) => {
        const { status, stdout } = await call([name, '--help']);
        expect(status).toBe(0);
        expect(stdout).toContain('Usage: resume-run');
        expect(Math.max(...stdout.split('\n').map((line) => line.length))).toBeLessThanOrEqual(80);
    });

    it('has a short form that fits a small terminal and names the full one', async () => {
        const { status, stdout } = await call(['-h']);
        expect(status).toBe(0);
        const lines = stdout.split('\n');
        expect(lines.length).toBeLessThanOrEqual(24);
        expect(Math.max(...lines.map((line) => line.length))).toBeLessThanOrEqual(80);
        expect(stdout).toMatch(/--dir [^]*Commands: run, [^]*resume-run --help/);
        expect((await call(['topics', '-h'])).stdout).toMatch(/--iterations [^]*resume-run topics --help/);
    });

    it('is shown where the rest of the line is wrong, but not for what belongs to a command', async () => {
        expect((await call(['--nonsense', '-h'])).stdout).toContain('Usage:');
        expect((await call(['--', 'true', '--help'])).status).toBe(2);
    });

    it('loads no package at all', async () => {
        const log = join(cwd, 'imports');
        expect(cli(['--help'], { LOG_IMPORTS: log }, ['--import', LOG_IMPORTS]).status).toBe(0);
        const loaded = readFileSync(log, 'utf8').split('\n');
        expect(loaded.some((url) => url.endsWith('/dist/bundle/cli.js'))).toBe(true);
        expect(loaded.filter((url) => url.includes('/node_modules/'))).toEqual([]);
        expect(
            loaded.filter((url) =>
                /bundle\/(start-run|kattis-dataset|judge|parse|thread|machine)-/.test(url),
            ),
        ).toEqual([]);
    });

    it('the version is that of the package', async () => {
        const manifest = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8')) as {
            version: string;
        };
        expect(cli(['--version'])).toEqual({ status: 0, stdout: `${manifest.version}\n`, stderr: '' });
    });
});

describe('bad usage', () => {
    const refused: readonly (readonly [readonly string[], RegExp])[] = [
        [['--timout', '3'], /unknown option --timout \(did you mean --timeout\?\)/],
        [['-x'], /unknown option -x/],
        [['--no-such'], /unknown option --no-such;/],
        [['--no-keep-sourc'], /unknown option --no-keep-sourc \(did you mean --no-keep-source\?\)/],
        [['statsu'], /did you mean resume-run status\?/],
        [['stat'], /did you mean resume-run status\?/],
        [['help'], /did you mean resume-run -h\?/],
        [['status', 'extra'], /status takes no arguments, got 'extra'/],
        [['status', '--timeout', '3'], /unknown option --timeout; see resume-run status --help/],
        [['status', '--', 'x'], /takes no command after --/],
        [['--timeout'], /--timeout: expected seconds/],
        [['-t', '-5'], /--timeout: expected seconds/],
        [['-j4', '-c', '5'], /given more than once/],
        [['--all-tests=maybe'], /--all-tests: expected true or false/],
        [['--no-timeout'], /--timeout: expected seconds/],
        [['--executor', 'exec'], /needs a command after --/],
        [['--command', 'x'], /unknown option --command/],
        [['--languages', 'x'], /unknown option --languages/],
        [['report', '--json=false', '--csv', '--markdown'], /cannot be used together/],
        [['archive'], /needs --to/],
        [['set', '--dir', 'x'], /needs what to change/],
        [['set', '-j', '2', '--dir', 'x'], /no run was started into .*x /],
        [['endpoints'], /needs --endpoint/],
        [['--config', 'none.yaml'], /there is no file .*none\.yaml/],
    ];
    it.each(refused)('%j is one line on stderr and exit 2', async (args, message) => {
        const { status, stdout, stderr } = await call(args);
        expect([status, stdout]).toEqual([2, '']);
        expect(stderr).toMatch(message);
        expect(stderr).toMatch(/^resume-run: .+\n$/);
    });

    it('is a JSON object with --json', async () => {
        const { status, stderr } = await call(['--json', '--timeout', 'x']);
        expect(status).toBe(2);
        expect(JSON.parse(stderr)).toMatchObject({
            type: 'error',
            exitCode: 2,
            message: expect.stringContaining('--timeout'),
        });
    });

    it('is named where it stands: variable, .env, config file', async () => {
        expect((await call([], { RESUME_RUN_TIMEOUT: 'x' })).stderr).toContain(
            'RESUME_RUN_TIMEOUT: expected seconds',
        );
        writeFileSync(join(cwd, '.env'), 'RESUME_RUN_GRACE=x\n');
        expect((await call([])).stderr).toContain('RESUME_RUN_GRACE: expected seconds');
        rmSync(join(cwd, '.env'));
        writeFileSync(join(cwd, 'resume-run.config.yaml'), '\ntimeout: x\n');
        expect((await call([])).stderr).toContain('resume-run.config.yaml:2: timeout: expected number');
    });
});

describe('set', () => {
    it('is refused where no run is going on', async () => {
        mkdirSync(join(cwd, 'checkpoints/out'), { recursive: true });
        const { status, stderr } = await call(['set', '-j', '3', '--dir', 'out']);
        expect([status, stderr]).toEqual([
            2,
            `resume-run: no run is using ${join(cwd, 'out')}: pass -j to the next start\n`,
        ]);
    });
});

/** Tasks that wait for a file `go`, or end at once if it exists. */
const TASK = `
    import { appendFileSync, existsSync } from 'node:fs';
    export default async ({ sample, index }) => {
        appendFileSync('ran', sample + ' ' + index + '\\n');
        while (!existsSync('go')) await new Promise((resolve) => setTimeout(resolve, 10));
        return { index };
    };`;

describe('run', () => {
    const start = (args: readonly string[] = []): ChildProcess =>
        spawn(process.execPath, [BIN, ...args], {
            cwd,
            stdio: ['ignore', 'ignore', 'pipe'],
            env: { PATH: process.env['PATH'], ...runEnvironment() },
        });
    const ended = async (child: ChildProcess) => {
        const said: string[] = [];
        child.stderr?.setEncoding('utf8').on('data', (text: string) => said.push(text));
        const [code, signal] = (await once(child, 'close')) as [number | null, string | null];
        return code ?? `${signal}: ${said.join('')}`;
    };
    const ran = (): string[] =>
        existsSync(join(cwd, 'ran')) ? readFileSync(join(cwd, 'ran'), 'utf8').trim().split('\n') : [];
    const result = (sample: string) =>
        JSON.parse(readFileSync(join(cwd, `results/${sample}.json`), 'utf8')) as {
            progress: { is_complete: boolean };
        };

    beforeEach(() => {
        writeFileSync(join(cwd, 'task.mjs'), TASK);
        const rows = ['a', 'b'].map((id) => JSON.stringify({ id, groups: { iteration: [1, 2, 3] } }));
        writeFileSync(join(cwd, 'rows.jsonl'), `${rows.join('\n')}\n`);
    });
    const FIRST = ['rows.jsonl', '--executor', 'module', '--module', 'task.mjs', '-j', '2', '--grace', '0.2'];

    it('ends with the code of its signal, and goes on with nothing else said', async () => {
        for (const [signal, code] of [
            ['SIGINT', 130],
            ['SIGTERM', 143],
        ] as const) {
            rmSync(join(cwd, 'ran'), { force: true });
            const child = start(signal === 'SIGINT' ? FIRST : ['--grace', '0.2', '-j', '2']);
            await vi.waitFor(() => expect(ran()).toHaveLength(2), patience(5000));
            child.kill(signal);
            expect(await ended(child)).toBe(code);
        }
        writeFileSync(join(cwd, 'go'), '');
        rmSync(join(cwd, 'ran'));
        expect((await call([])).status).toBe(0);
        expect(ran()).toHaveLength(6);
        expect([result('a'), result('b')].map((one) => one.progress.is_complete)).toEqual([true, true]);
        expect((await call(['status'])).stdout).toContain('6 of 6 tasks finished');
        expect(JSON.parse((await call(['status', '--json'])).stdout)).toMatchObject({
            tasks: { finished: 6, all: 6 },
        });
        expect((await call(['report'])).stdout).toContain('2 samples, 2 complete');
        expect(JSON.parse((await call(['report', '--json'])).stdout)).toMatchObject({
            total: { samples: 2 },
        });
        expect((await call(['report', '--csv'])).stdout.trim().split('\n').length).toBeGreaterThanOrEqual(3);
        expect((await call(['report', '--dir', 'none'])).stderr).toContain('there is no such directory');
        const again = await call(['--json', '--timeout', '1000']);
        expect(again.status).toBe(0);
        expect(ran()).toHaveLength(6);
        const events = again.stdout
            .trim()
            .split('\n')
            .map((line) => JSON.parse(line) as { type: string; message?: string });
        const notices = events.filter((event) => event.type === 'notice').map(({ message }) => message);
        expect(notices).toContainEqual(expect.stringMatching(/^--timeout 1000 \(was 20\)/));
        expect(events.at(-1)?.type).toBe('run-finished');
    });

    it('is told another concurrency while it goes on', async () => {
        const child = start([...FIRST, '--grace=1']);
        expect(await ended(child)).toBe(2);
        const run = start(FIRST);
        await vi.waitFor(() => expect(ran()).toHaveLength(2), patience(5000));
        expect((await call(['set', '-j', '4'])).status).toBe(0);
        await vi.waitFor(() => expect(ran()).toHaveLength(4), patience(5000));
        writeFileSync(join(cwd, 'go'), '');
        expect(await ended(run)).toBe(0);
    });

    it('is refused with exit 3 where another run holds the directory, which loses nothing by it', async () => {
        const child = start(FIRST);
        await vi.waitFor(() => expect(ran()).toHaveLength(2), patience(5000));
        const { status, stderr } = await call([]);
        expect(status).toBe(3);
        expect(stderr).toContain('is held by process');
        writeFileSync(join(cwd, 'go'), '');
        expect(await ended(child)).toBe(0);
    });

    it('tries a time-out that is not certain as often as --tle-retries says', async () => {
        const source = 'import time\nwhile time.process_time() < 0.4: pass\nprint("done")\n';
        const row = {
            id: 'p',
            time_limit: 0.2,
            tests: [
                { input: '', output: 'done' },
                { input: '', output: 'done' },
            ],
            solutions: [{ language: 'python3', source }],
        };
        writeFileSync(join(cwd, 'p.jsonl'), `${JSON.stringify(row)}\n`);
        const { status, stdout } = await call([
            'p.jsonl',
            '--tle-retries',
            '2',
            '--all-tests',
            '--sandbox',
            'none',
            '--json',
        ]);
        expect(status).toBe(0);
        const types = stdout.split('\n').map((line) => /"type":"(task-[a-z]+)"/.exec(line)?.[1] ?? '');
        const tries = types.filter((type) => type === 'task-retried' || type === 'task-finished');
        expect(tries).toEqual(['task-retried', 'task-retried', 'task-finished']);
        const { solution_result: results } = JSON.parse(
            readFileSync(join(cwd, 'results/p.json'), 'utf8'),
        ) as { solution_result: { attempts: unknown[]; result: { tests: unknown[] } }[] };
        // All tests were requested, and all were run.
        expect(results.map((one) => [one.attempts.length, one.result.tests.length])).toEqual([[3, 2]]);
    });

    it('shows what it would do with --dry-run, and does nothing', async () => {
        const { status, stdout } = await call([...FIRST, '--dry-run', '--json']);
        expect(status).toBe(0);
        expect(JSON.parse(stdout)).toMatchObject({
            part: { due: 6 },
            due: [
                { sample: 'a', due: 3 },
                { sample: 'b', due: 3 },
            ],
        });
        expect(existsSync(join(cwd, 'results'))).toBe(false);
        expect(ran()).toEqual([]);
    });

    it('says with --dry-run, where programs are judged, what is skipped and which time limit would hold', async () => {
        const row = {
            id: 'p',
            tests: [{ input: '', output: '' }],
            solutions: [
                { language: 'python3', source: '' },
                { language: 'befunge', source: '' },
            ],
        };
        writeFileSync(join(cwd, 'p.jsonl'), JSON.stringify(row));
        const judging = ['p.jsonl', '--sandbox', 'none', '--dry-run'];
        const { stdout } = await call([...judging, '-t', '7', '--limits', 'flat']);
        expect(stdout).toContain('time limit: 7 s for every test (--limits flat)\n');
        expect(stdout).toContain('1 of 1 tasks would run, in 1 of 1 samples; 0 are finished, 1 skipped\n');
        expect(stdout).toMatch(/^skipped\n {9}1 {2}.+\n/m);
        expect((await call([...FIRST, '--dry-run'])).stdout).not.toContain('time limit');
    });

    it('refuses results that it knows no dataset of', async () => {
        mkdirSync(join(cwd, 'results'));
        writeFileSync(join(cwd, 'results/x.json'), '{}');
        const { status, stderr } = await call([]);
        expect([status, stderr]).toEqual([2, expect.stringContaining('name the dataset of its results')]);
    });
});

describe('completion', () => {
    it('prints a script for the shell in use', async () => {
        for (const [shell, mark] of [
            ['/bin/bash', 'complete -o'],
            ['/bin/zsh', '#compdef resume-run'],
            ['/usr/bin/fish', 'complete'],
        ]) {
            const { status, stdout } = await call(['completion'], { SHELL: shell });
            expect(status).toBe(0);
            expect(stdout).toContain(mark);
            expect(stdout).toContain('--get-yargs-completions');
        }
    });

    const complete = async (...words: string[]) =>
        (await call(['--get-yargs-completions', 'resume-run', ...words])).stdout.split('\n');

    it('offers commands, the options of each, and choices', async () => {
        expect(await complete('')).toEqual(expect.arrayContaining(['run', 'status', 'doctor']));
        expect(await complete('--t')).toEqual(expect.arrayContaining(['--timeout', '--time-factor']));
        expect(await complete('status', '--w')).toContain('--watch');
        expect(await complete('status', '--w')).not.toContain('--timeout');
        expect(await complete('--executor', '')).toEqual(expect.arrayContaining(['judge', 'go-judge']));
    });
});
