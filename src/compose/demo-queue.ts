import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { loadQueuePackages } from '../backend/queue/redis.js';
import { findProgram } from '../executor/sandbox/find-program.js';
import { UserError } from '../util/user-error.js';

/** The keeper's only message about a demonstration. */
export type DemoReport = DemoAddress | { readonly problem: string };

interface DemoAddress {
    /** `unix:///path/to/socket`. */
    readonly redis: string;
    readonly passwordFile: string;
    readonly workerPids: readonly number[];
    readonly serverPid: number;
}

/** A private Redis server and two workers of one run. */
export interface DemoQueue extends DemoAddress {
    /** Ends the server and the workers. */
    close(): Promise<void>;
}

/** Servers that speak the protocol, in order of preference. */
const SERVERS = ['redis-server', 'valkey-server'] as const;

/**
 * Starts a private Redis, on a socket with a password, and two workers. They end with this process, however it ends.
 * @param workerArgs options of `resume-run worker`
 * @throws UserError (exit 2) if a package or the server is not installed, or the server does not start
 */
export async function startDemoQueue(workerArgs: readonly string[]): Promise<DemoQueue> {
    await loadQueuePackages();
    const server = await findServer();
    const entry = fileURLToPath(new URL('../compose/demo-keeper.js', import.meta.url));
    // In its own session, so that Ctrl-C reaches only the run, which needs its Redis until it has ended.
    const keeper = spawn(process.execPath, [entry, server, ...workerArgs], {
        stdio: ['pipe', 'pipe', 'ignore'],
        detached: true,
    });
    keeper.stdin.on('error', () => {});
    const report = await readReport(keeper);
    if ('problem' in report) throw new UserError(`--demo: ${server} does not start: ${report.problem}`);
    keeper.unref();
    return { ...report, close: () => close(keeper) };
}

async function findServer(): Promise<string> {
    for (const name of SERVERS) {
        const path = await findProgram(name);
        if (path !== null) return path;
    }
    throw new UserError(
        '--demo needs a redis-server on this machine (apt install redis-server, brew install redis): install it, or name a Redis with --redis',
    );
}

async function readReport(keeper: ChildProcess): Promise<DemoReport> {
    if (keeper.stdout === null) throw new Error('bug in resume-run: a keeper without its stdout');
    for await (const line of createInterface(keeper.stdout)) return JSON.parse(line) as DemoReport;
    return { problem: 'the process that holds it ended' };
}

async function close(keeper: ChildProcess): Promise<void> {
    if (keeper.exitCode !== null || keeper.signalCode !== null) return;
    const ended = once(keeper, 'exit');
    keeper.ref();
    keeper.stdin?.end();
    await ended;
}
