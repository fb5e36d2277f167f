import { type ChildProcess, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { mkdir, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { openScratch } from '../host/scratch.js';
import { getMessage } from '../util/message.js';
import type { DemoReport } from './demo-queue.js';

/*
 * The process that owns what `--demo` starts: a Redis server and two workers. It ends them, and itself, when its stdin ends. That
 * happens however the run ends: the kernel also closes the pipe of a killed run. Arguments: the server's program, then the
 * arguments of each worker.
 */

const CLI = join(import.meta.dirname, '../../bin/resume-run.js');

const WORKERS = 2;

/** Milliseconds within which the server has to listen, and workers have to end. */
const START_TIMEOUT_MS = 10_000;

const report = (what: DemoReport): void => void process.stdout.write(`${JSON.stringify(what)}\n`);

/** Passes the server its settings, including the password, on stdin: arguments are visible to every user. */
async function startServer(program: string, folder: string, password: string): Promise<ChildProcess> {
    const socket = join(folder, 'redis.sock');
    const server = spawn(program, ['-'], { stdio: ['pipe', 'ignore', 'ignore'] });
    const failed = new Promise<never>((_, reject) => {
        server.once('error', reject);
        server.once('exit', (code, signal) => {
            reject(new Error(`${program} exited during start-up (${signal ?? `exit code ${code}`})`));
        });
    });
    failed.catch(() => {});
    const settings = [
        'port 0',
        `unixsocket ${JSON.stringify(socket)}`,
        'unixsocketperm 700',
        `requirepass ${password}`,
        `dir ${JSON.stringify(folder)}`,
        'save ""',
        'appendonly yes',
        'maxmemory-policy noeviction',
    ];
    server.stdin.on('error', () => {});
    server.stdin.end(`${settings.join('\n')}\n`);
    await Promise.race([failed, untilThere(socket)]);
    return server;
}

async function untilThere(socket: string): Promise<void> {
    for (const deadline = Date.now() + START_TIMEOUT_MS; Date.now() < deadline; await wait(20)) {
        if ((await stat(socket).catch(() => null)) !== null) return;
    }
    throw new Error(`it did not listen within ${START_TIMEOUT_MS / 1000} s`);
}

async function end(workers: readonly ChildProcess[], server: ChildProcess | null): Promise<void> {
    const ended = workers.map((worker) => untilEnded(worker));
    for (const worker of workers) worker.kill('SIGTERM');
    await Promise.race([Promise.all(ended), wait(START_TIMEOUT_MS, undefined, { ref: false })]);
    for (const child of server === null ? workers : [...workers, server]) child.kill('SIGKILL');
    await Promise.all([...ended, ...(server === null ? [] : [untilEnded(server)])]);
}

async function untilEnded(child: ChildProcess): Promise<void> {
    if (child.exitCode === null && child.signalCode === null) await once(child, 'exit');
}

async function keep([program = '', ...workerArgs]: readonly string[]): Promise<void> {
    const runEnded = new Promise<void>((resolve) => {
        for (const event of ['end', 'close', 'error']) process.stdin.once(event, () => resolve());
        process.once('SIGTERM', () => resolve());
    });
    process.stdin.resume();
    process.stdout.on('error', () => {});
    // These signals end the run; the server and workers must not end before it, as it still needs them.
    for (const signal of ['SIGINT', 'SIGHUP']) process.on(signal, () => {});
    const scratch = await openScratch();
    const folder = join(scratch.path, 'redis');
    let server: ChildProcess | null = null;
    const workers: ChildProcess[] = [];
    try {
        await mkdir(folder, { mode: 0o700 });
        const password = randomBytes(24).toString('hex');
        const passwordFile = join(folder, 'password');
        await writeFile(passwordFile, password, { mode: 0o600 });
        server = await startServer(program, folder, password);
        const redis = `unix://${join(folder, 'redis.sock')}`;
        const args = [CLI, 'worker', '--redis', redis, '--redis-password-file', passwordFile, ...workerArgs];
        for (let count = 0; count < WORKERS; count += 1)
            workers.push(spawn(process.execPath, args, { stdio: 'ignore' }));
        const workerPids = workers.map(({ pid }) => pid ?? 0);
        report({ redis, passwordFile, workerPids, serverPid: server.pid ?? 0 });
        await runEnded;
    } catch (error) {
        report({ problem: getMessage(error) });
    } finally {
        await end(workers, server);
        await scratch.remove();
        process.stdin.destroy();
    }
}

await keep(process.argv.slice(2));
