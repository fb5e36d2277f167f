import { spawnSync } from 'node:child_process';
import {
    existsSync,
    mkdirSync,
    readdirSync,
    readFileSync,
    rmSync,
    symlinkSync,
    writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { expect, it, vi } from 'vitest';
import { whyNoInjection } from '../crash/inject.js';
import { killGroup, readResults, startCli, tempDir } from '../rig/cli.js';
import { callCli } from '../rig/in-process.js';
import { patience, SOON } from '../rig/slowness.js';

const COMMAND = ['--executor', 'exec', '--', 'true'];

const ODD = {
    FIFO: (path: string) => spawnSync('mkfifo', [path]),
    folder: (path: string) => mkdirSync(path),
    device: (path: string) => symlinkSync('/dev/zero', path),
    circle: (path: string) => symlinkSync(path, path),
} as const;

type Kind = keyof typeof ODD;

function put(kind: Kind, path: string): void {
    rmSync(path, { recursive: true, force: true });
    ODD[kind](path);
}

/** A directory with a finished sample for each kind of odd file. */
async function finished(): Promise<string> {
    const cwd = tempDir();
    const rows = Object.keys(ODD).map((id) => JSON.stringify({ id, groups: { main: [1] } }));
    writeFileSync(join(cwd, 'rows.jsonl'), rows.join('\n'));
    const { code, stderr } = await callCli(['rows.jsonl', '--dir', 'res', '-q', ...COMMAND], { cwd });
    expect(code, stderr).toBe(0);
    return cwd;
}

it(
    'neither hangs nor stops where something else stands in place of a file',
    async () => {
        const cwd = await finished();
        const checkpoints = join(cwd, 'checkpoints/res');
        for (const kind of Object.keys(ODD) as Kind[]) put(kind, join(cwd, 'res', `${kind}.json`));
        put('FIFO', join(cwd, '.env'));
        put('FIFO', join(checkpoints, 'index.json'));
        put('FIFO', join(checkpoints, 'control.json'));
        put('FIFO', join(checkpoints, 'superseded.jsonl'));
        put('folder', join(checkpoints, 'lock.7'));
        put('FIFO', join(checkpoints, 'lock.8'));
        const status = await callCli(['status', '--dir', 'res'], { cwd });
        expect(status.code, status.stderr).toBe(0);
        expect(status.stderr).toMatch(/FIFO\.json is left out: it is a FIFO \(named pipe\), not a file/);
        expect((await callCli(['report', '--dir', 'res'], { cwd })).code).toBe(0);
        const check = await callCli(['check', '--dir', 'res'], { cwd });
        expect(check.code, check.stderr).toBe(1);
        for (const text of ['device.json', 'circle.json', 'folder.json', 'superseded.jsonl: it is a FIFO']) {
            expect(check.stdout).toContain(text);
        }
        const run = await callCli(['rows.jsonl', '--dir', 'res', '-q', ...COMMAND], { cwd });
        expect(run.code, run.stderr).toBe(0);
        expect([...readResults(join(cwd, 'res')).keys()]).toHaveLength(4);
        expect(readdirSync(join(cwd, 'res')).filter((name) => name.includes('.corrupt-'))).toHaveLength(4);
    },
    patience(30_000),
);

it(
    'names what stands in place of run.json, the config file or a dataset, and takes an empty run.json for none',
    async () => {
        const cwd = await finished();
        const run = (...args: string[]) => callCli([...args, '--dir', 'res', '-q', ...COMMAND], { cwd });
        put('FIFO', join(cwd, 'pipe.jsonl'));
        const pipe = await run('pipe.jsonl');
        expect(pipe).toMatchObject({
            code: 2,
            stderr: expect.stringMatching(/^[^\n]*a dataset must be a file[^\n]*\n$/),
        });
        put('FIFO', join(cwd, 'resume-run.config.json'));
        expect(await run()).toMatchObject({ code: 2, stderr: expect.stringContaining('it is a FIFO') });
        rmSync(join(cwd, 'resume-run.config.json'));
        const file = join(cwd, 'checkpoints/res/run.json');
        put('FIFO', file);
        expect(await run()).toMatchObject({
            code: 2,
            stderr: expect.stringContaining('run.json: it is a FIFO'),
        });
        rmSync(file);
        writeFileSync(file, '');
        expect(await run('rows.jsonl')).toMatchObject({ code: 0 });
        expect(await run()).toMatchObject({ code: 0 });
    },
    patience(30_000),
);

it(
    'names what stands in place of a file of an option or of a database, and waits for none',
    async () => {
        const cwd = await finished();
        put('FIFO', join(cwd, 'pipe'));
        const chat = [
            'rows.jsonl',
            '-q',
            '--executor',
            'chat',
            '--model',
            'm',
            '--endpoint',
            'http://127.0.0.1:1',
        ];
        // In separate processes, because a block here would block the tests too.
        const options = [
            ['--prices', 'pipe'],
            ['--tool-module', 'pipe'],
            ['--log-file', 'pipe'],
        ];
        const started = options.map((option, at) => startCli([...chat, ...option, '-d', `r${at}`], { cwd }));
        const end = setTimeout(() => started.forEach(({ child }) => killGroup(child)), patience(20_000));
        const ended = await Promise.all(started.map(({ result }) => result));
        clearTimeout(end);
        for (const { code, stderr } of ended) {
            expect(code, stderr).toBe(2);
            expect(stderr).toMatch(/^[^\n]*it is a FIFO \(named pipe\), not a file\)?\n$/);
        }
        put('circle', join(cwd, 'circle.jsonl'));
        expect(await callCli(['circle.jsonl', ...COMMAND], { cwd })).toMatchObject({
            code: 2,
            stderr: expect.stringMatching(/^[^\n]*cannot be read: its links lead in a circle\n$/),
        });
        expect(await callCli(['collect', '--from', 'pipe'], { cwd })).toMatchObject({
            code: 2,
            stderr: expect.stringMatching(/pipe: it is a FIFO/),
        });
        mkdirSync(join(cwd, 'database'));
        put('FIFO', join(cwd, 'database/manifest.json'));
        expect(await callCli(['analyze', 'rates', '--database', 'database'], { cwd })).toMatchObject({
            code: 2,
            stderr: expect.stringContaining('manifest.json: it is a FIFO'),
        });
    },
    patience(30_000),
);

const reason = whyNoInjection();
if (reason !== null) console.error(`a stop while planning: skipped, ${reason}`);

it.skipIf(reason !== null)(
    'a signal ends the planning too',
    async () => {
        const cwd = tempDir();
        const row = (id: number) =>
            JSON.stringify({ id: String(id), groups: { main: ['x'.repeat(1 << 20)] } });
        writeFileSync(join(cwd, 'rows.jsonl'), Array.from({ length: 30 }, (_, id) => row(id)).join('\n'));
        const trace = join(cwd, 'trace');
        // A disk that takes a second for each chunk of the dataset.
        const slow = ['-P', join(cwd, 'rows.jsonl'), '-e', 'inject=pread64:delay_enter=1000000'];
        const { child, result } = startCli(['rows.jsonl', '--dir', 'res', '-q', ...COMMAND], {
            cwd,
            through: ['strace', '-f', '-qq', '-o', trace, '-e', 'trace=pread64', ...slow],
        });
        await vi.waitUntil(
            () => existsSync(trace) && readFileSync(trace, 'utf8').split('\n').length >= 4,
            SOON,
        );
        const started = performance.now();
        if (child.pid !== undefined) process.kill(-child.pid, 'SIGTERM');
        expect((await result).code).toBe(143);
        expect(performance.now() - started).toBeLessThan(patience(5000));
        // The directory was released, and no run was recorded.
        expect(readdirSync(join(cwd, 'checkpoints/res'))).not.toContain('run.json');
        expect(readFileSync(join(cwd, 'checkpoints/res/lock.1'), 'utf8')).toContain('released');
    },
    patience(30_000),
);
