import { type ChildProcess, spawn } from 'node:child_process';
import {
    chmodSync,
    mkdirSync,
    mkdtempSync,
    readdirSync,
    readFileSync,
    rmSync,
    statSync,
    writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { locate } from '../../../src/executor/sandbox/build-helper.js';
import { probeSandbox } from '../../../src/executor/sandbox/probe.js';
import { Sandbox } from '../../../src/executor/sandbox/sandbox.js';
import { SandboxError } from '../../../src/executor/sandbox/sandbox-error.js';
import { encodeOpen, encodeRun, type RunLimits, SPILL_FILES } from '../../../src/executor/sandbox/wire.js';
import { LONG, runs } from '../../rig/long.js';

const MIB = 1024 * 1024;
const LIMITS: RunLimits = {
    cpu: 2,
    wall: 4,
    memory: 256 * MIB,
    addressSpace: 0,
    output: MIB,
    stack: 0,
    fileSize: 64 * MIB,
    processes: 64,
    openFiles: 64,
};
const OPEN = { files: [], roots: [], scratchBytes: 16 * MIB };

describe.each(['bwrap', 'rlimit', 'none'] as const)('a box in sandbox %s', async (kind) => {
    const problem = await probeSandbox(kind).then(
        () => null,
        (error: Error) => error.message,
    );
    if (problem !== null) console.log(`skipped: ${problem}`);
    const test = it.skipIf(problem !== null);
    const scratch = mkdtempSync(join(tmpdir(), 'box-test-'));
    let sandbox: Sandbox;
    beforeAll(async () => {
        sandbox = await Sandbox.create(kind, scratch);
    });
    afterAll(async () => {
        await sandbox.close();
        rmSync(scratch, { recursive: true });
    });

    /** Runs scripts one after the other in one box. */
    const shell = async (scripts: readonly string[], limits: Partial<RunLimits> = {}) => {
        const box = await sandbox.open(OPEN);
        try {
            const reports = [];
            for (const script of scripts) {
                const argv = ['/bin/sh', '-c', script] as const;
                const stdin = { data: Buffer.from('input') };
                reports.push(await box.run({ argv: [...argv], stdin, limits: { ...LIMITS, ...limits } }));
            }
            return reports.map((report) => ({
                ...report,
                stdout: Buffer.isBuffer(report.stdout) ? report.stdout.toString() : report.stdout,
                stderr: report.stderr.toString(),
            }));
        } finally {
            await box.close();
        }
    };

    test('says how a program ended and what it printed', async () => {
        const [report] = await shell(['cat; echo err >&2; exit 3']);
        expect(report).toMatchObject({
            exitCode: 3,
            signal: null,
            stdout: 'input',
            stderr: 'err\n',
            limit: null,
        });
        expect(report).toMatchObject({ stdoutBytes: 5, stderrBytes: 4, startErrno: 0 });
        expect(await shell(['kill -SEGV $$'])).toMatchObject([{ exitCode: null, signal: 11 }]);
    });

    test('gives every run an empty place', async () => {
        const [, second] = await shell([
            'mkdir -p a/b; echo x > a/b/c; chmod 0 a; echo x > .hidden; chmod 0 .',
            'ls -A && touch again && ls -A',
        ]);
        expect(second).toMatchObject({ exitCode: 0, stdout: 'again\n' });
        const [, alone] = await shell(['chmod 0 .', 'touch it && ls -A']);
        expect(alone).toMatchObject({ exitCode: 0, stdout: 'it\n' });
    });

    // Without the compiled helper there is no Landlock, so programs under rlimit can read what others may read.
    const inOurs = process.env['RESUME_RUN_HELPER'] === 'python' && kind === 'rlimit' ? [] : [0o755];
    const modes = kind === 'none' ? [] : [0o700, ...inOurs];
    it.skipIf(problem !== null).each(modes)(
        'lets programs open their input again, and nothing else in its folder of mode %o',
        async (mode) => {
            const folder = mkdtempSync(join(tmpdir(), 'box-inputs-'));
            chmodSync(folder, 0o755);
            const inputs = join(folder, 'inputs');
            mkdirSync(inputs);
            for (const name of ['a.in', 'b.in', 'a.ans']) writeFileSync(join(inputs, name), `${name}\n`);
            chmodSync(inputs, mode);
            const box = await sandbox.open(OPEN);
            const look = async (name: string) => {
                const others = `cat ${inputs}/a.ans; ls ${inputs}; cat /proc/self/fd/0/../a.ans`;
                const argv = ['/bin/sh', '-c', `cat /dev/stdin; (${others}) 2>/dev/null`] as const;
                const stdin = { path: join(inputs, name) };
                const { stdout } = await box.run({ argv: [...argv], stdin, limits: LIMITS });
                return Buffer.isBuffer(stdout) ? stdout.toString() : stdout.path;
            };
            expect([await look('a.in'), await look('b.in'), await look('a.in')]).toEqual([
                'a.in\n',
                'b.in\n',
                'a.in\n',
            ]);
            await box.close();
            rmSync(folder, { recursive: true });
        },
    );

    test('holds its limits', async () => {
        expect(await shell(['while :; do :; done'], { cpu: 0.3 })).toMatchObject([
            { limit: 'cpu', signal: 9 },
        ]);
        expect(await shell(['sleep 10'], { wall: 0.3 })).toMatchObject([{ limit: 'wall' }]);
        expect(await shell(['yes'])).toMatchObject([{ limit: 'output' }]);
        expect(await shell(['tail /dev/zero'])).toMatchObject([{ limit: 'memory' }]);
    });

    test('dumps no memory of a crash, nor starts what the machine pipes dumps to', async () => {
        const [, hard] =
            /^Max core file size +\S+ +(\S+)/m.exec(readFileSync('/proc/self/limits', 'utf8')) ?? [];
        const [run] = await shell(['grep core /proc/self/limits']);
        // The kernel starts no dump program for a limit of one byte, but does for a limit of zero.
        const limit = hard === '0' ? '0' : '1';
        expect(run?.stdout).toMatch(new RegExp(`size +${limit} +${limit} `));
    });

    test('takes more requests while one runs, and keeps their outputs apart', async () => {
        const box = await sandbox.open(OPEN);
        const ask = (text: string) =>
            box.run({
                argv: ['/bin/sh', '-c', `head -c 100000 /dev/zero | tr '\\0' ${text}`],
                stdin: null,
                limits: LIMITS,
            });
        const letters = 'abcdefghijklmnop'.split('');
        expect(letters).toHaveLength(SPILL_FILES);
        const reports = await Promise.all(letters.map(ask));
        const outputs = reports.map(({ stdout }) =>
            Buffer.isBuffer(stdout) ? stdout.toString() : readFileSync(stdout.path, 'utf8'),
        );
        expect(outputs).toEqual(letters.map((letter) => letter.repeat(100_000)));
        await box.close();
        // The files left for the next box are empty.
        expect(readdirSync(scratch).filter((name) => statSync(join(scratch, name)).size > 0)).toEqual([]);
    });

    test('leaves nothing in its folder when it is closed', async () => {
        const folder = mkdtempSync(join(tmpdir(), 'closed-test-'));
        const own = await Sandbox.create(kind, folder);
        const box = await own.open(OPEN);
        await box.run({ argv: ['/bin/sh', '-c', 'seq 50000'] as const, stdin: null, limits: LIMITS });
        expect(readdirSync(folder)).not.toEqual([]);
        await own.close();
        expect(readdirSync(folder)).toEqual([]);
        rmSync(folder, { recursive: true });
    });

    test('says what cannot be started', async () => {
        const box = await sandbox.open(OPEN);
        const run = (argv: [string, ...string[]]) => box.run({ argv, stdin: null, limits: LIMITS });
        expect(await run(['/no/such/program'])).toMatchObject({ startErrno: 2 });
        expect(await run(['/bin/echo', 'x'.repeat(300_000)])).toMatchObject({ startErrno: 7 });
        expect(await run(['/bin/true'])).toMatchObject({ startErrno: 0, exitCode: 0 });
        await box.close();
    });

    test('leaves a long run alone, however many boxes come and go', async () => {
        const long = await sandbox.open(OPEN);
        const argv = ['/bin/sh', '-c', LONG ? 'sleep 3' : 'sleep 1'] as const;
        const running = long.run({ argv: [...argv], stdin: null, limits: { ...LIMITS, wall: 60 } });
        for (let i = 0; i < runs(10, 40); i++) {
            const box = await sandbox.open(OPEN);
            // Its leftover processes are killed, by user if it has one of its own.
            await box.run({ argv: ['/bin/sh', '-c', 'sleep 60 &'], stdin: null, limits: LIMITS });
            await box.close();
        }
        expect(await running).toMatchObject({ exitCode: 0, signal: null, limit: null });
        await long.close();
    });

    test('rejects what runs when it is closed', async () => {
        const box = await sandbox.open(OPEN);
        const running = box.run({
            argv: ['/bin/sleep', '985.5'],
            stdin: null,
            limits: { ...LIMITS, wall: 60 },
        });
        const ended = expect(running).rejects.toThrow(SandboxError);
        await box.close();
        await ended;
        expect(argumentsOfAll()).not.toContain('985.5');
    });

    test('closes with everything in it', async () => {
        const other = await Sandbox.create(kind, scratch);
        const box = await other.open(OPEN);
        const running = box.run({
            argv: ['/bin/sh', '-c', 'setsid sleep 985.75 & sleep 985.75'],
            stdin: null,
            limits: { ...LIMITS, wall: 60 },
        });
        const ended = expect(running).rejects.toThrow(SandboxError);
        await until(() => argumentsOfAll().includes('985.75'));
        await other.close();
        await ended;
        expect(argumentsOfAll()).not.toContain('985.75');
    });
});

describe('the helper', () => {
    /** Stands for a run: holds the helper's stdin, and is killed. */
    const PARENT = `
        const { spawn } = require('node:child_process');
        const [command, ...args] = process.argv.slice(1);
        const helper = spawn(command, args, { stdio: ['pipe', 'ignore', 'ignore'], detached: true });
        helper.stdin.write(Buffer.from(process.env.MESSAGES, 'base64'));
        setInterval(() => {}, 1000);
    `;

    /** A box running a program of two processes, started by a parent that can be killed. */
    async function startBox(
        language: 'c' | 'python',
        { mark, uid }: { readonly mark: string; readonly uid: number },
    ): Promise<{ readonly parent: ChildProcess; readonly folder: string }> {
        const folder = mkdtempSync(join(tmpdir(), 'kill-test-'));
        const { argv } = await locate(language);
        const open = encodeOpen({
            box: 1,
            kind: 'plain',
            uid,
            guardStdin: false,
            dir: '',
            spill: join(folder, 'out'),
            launch: [],
            files: [],
            cwd: '/',
            env: [],
            clean: [],
            readable: [],
            compiles: false,
        });
        const run = encodeRun({
            box: 1,
            id: 1,
            slot: 0,
            errSlot: null,
            keep: false,
            stdin: null,
            given: [],
            limits: { ...LIMITS, wall: 60 },
            inlineMax: 1000,
            fileMax: 0,
            argv: ['/bin/sh', '-c', `setsid sleep ${mark} & sleep ${mark}`],
        });
        const parent = spawn(process.execPath, ['-e', PARENT, ...argv, 'serve'], {
            stdio: 'ignore',
            env: { ...process.env, MESSAGES: Buffer.concat([open, run]).toString('base64') },
        });
        await until(() => argumentsOfAll().filter((argument) => argument === mark).length === 2);
        return { parent, folder };
    }

    it.each(['c', 'python'] as const)(
        'leaves nothing running when its parent is killed (%s)',
        async (language) => {
            const mark = language === 'c' ? '984.25' : '984.75';
            const { parent, folder } = await startBox(language, { mark, uid: 0 });
            parent.kill('SIGKILL');
            await until(() => !argumentsOfAll().includes(mark));
            await until(() => readdirSync(folder).length === 0);
            rmSync(folder, { recursive: true });
        },
    );

    // Without users of their own, the programs of a killed box cannot be told from others.
    it.skipIf(process.getuid?.() !== 0).each(['c', 'python'] as const)(
        'leaves nothing running when a box is killed (%s)',
        async (language) => {
            const mark = language === 'c' ? '983.25' : '983.75';
            const { parent, folder } = await startBox(language, { mark, uid: 1_899_999_000 });
            process.kill(findParentOf(['/bin/sh', '-c', `setsid sleep ${mark} & sleep ${mark}`]), 'SIGKILL');
            await until(() => !argumentsOfAll().includes(mark));
            parent.kill('SIGKILL');
            await until(() => readdirSync(folder).length === 0);
            rmSync(folder, { recursive: true });
        },
    );

    it('is found in both languages', async () => {
        expect(await locate('c')).toMatchObject({ kind: 'c', note: null });
        expect(await locate('python')).toMatchObject({ kind: 'python' });
    });
});

/** Waits until another process has done something. */
async function until(isSo: () => boolean): Promise<void> {
    const end = Date.now() + 20_000;
    while (!isSo()) {
        if (Date.now() > end) throw new Error('it did not come to that within 20 s');
        await new Promise((resolve) => setTimeout(resolve, 20));
    }
}

/** The parent of the process with this command. */
function findParentOf(command: readonly string[]): number {
    const pid = readdirSync('/proc').find((name) => {
        try {
            return (
                /^\d+$/.test(name) &&
                readFileSync(`/proc/${name}/cmdline`, 'utf8') === `${command.join('\0')}\0`
            );
        } catch {
            return false; // It has ended.
        }
    });
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    return Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[1]);
}

/** Every argument of every process. */
function argumentsOfAll(): string[] {
    return readdirSync('/proc')
        .filter((name) => /^\d+$/.test(name))
        .flatMap((pid) => {
            try {
                return readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0');
            } catch {
                return [];
            }
        });
}
