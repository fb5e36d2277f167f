import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import { runEnvironment } from './run-folder.js';

/** The real binary. */
export const BIN = join(import.meta.dirname, '../../bin/resume-run.js');

/**
 * Creates an empty folder for the test, removed when the test is over. If the test failed, the folder is kept and its path
 * printed.
 * @param whenFinished the one of the test's context, for tests that run concurrently: the global one applies to the test that
 * began last
 */
export function tempDir(whenFinished: typeof onTestFinished = onTestFinished): string {
    const dir = mkdtempSync(join(tmpdir(), 'resume-run-test-'));
    whenFinished(({ task }) => {
        if (task.result?.state !== 'fail') rmSync(dir, { recursive: true, force: true });
        else if (existsSync(dir)) console.error(`kept for a look: ${dir}`);
    });
    return dir;
}

export interface CliResult {
    readonly code: number | null;
    readonly signal: NodeJS.Signals | null;
    readonly stdout: string;
    readonly stderr: string;
}

export interface Cli {
    readonly child: ChildProcess;
    readonly result: Promise<CliResult>;
}

export interface CliOptions {
    readonly cwd: string;
    readonly env?: NodeJS.ProcessEnv;
    /** A command that starts another one (`strace ...`, `unshare ...`), put in front of ours. */
    readonly through?: readonly string[];
    /** A script to run instead of the binary. */
    readonly program?: string;
}

/** The part of the tests' environment that our program receives. */
export function cleanEnvironment({ PATH, HOME, TMPDIR }: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
    return { PATH, HOME, ...(TMPDIR === undefined ? {} : { TMPDIR }), ...runEnvironment() };
}

/**
 * Starts the binary in a process group of its own, with no environment but PATH, HOME, TMPDIR, the mark of the test run and what
 * is given.
 */
export function startCli(args: readonly string[], options: CliOptions): Cli {
    const [file, ...rest] = [...(options.through ?? []), process.execPath, options.program ?? BIN, ...args];
    const child = spawn(file ?? process.execPath, rest, {
        cwd: options.cwd,
        env: { ...cleanEnvironment(process.env), ...options.env },
        stdio: ['ignore', 'pipe', 'pipe'],
        detached: true,
    });
    let stdout = '';
    let stderr = '';
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
        stdout += text;
    });
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
        stderr += text;
    });
    const result = new Promise<CliResult>((resolve, reject) => {
        child.once('error', reject);
        child.once('close', (code, signal) => resolve({ code, signal, stdout, stderr }));
    });
    return { child, result };
}

/** Runs the binary to completion. */
export function runCli(args: readonly string[], options: CliOptions): Promise<CliResult> {
    return startCli(args, options).result;
}

/** Kills the whole process group, as a reset of the machine would. */
export function killGroup(child: ChildProcess): void {
    if (child.pid === undefined) return;
    try {
        process.kill(-child.pid, 'SIGKILL');
    } catch {
        // It has just exited by itself.
    }
}

/** Reads the result files of a directory, parsed, by name. A file that does not parse fails the test. */
export function readResults(dir: string): Map<string, Record<string, unknown>> {
    const files = readdirSync(dir)
        .filter((name) => name.endsWith('.json'))
        .sort();
    return new Map(files.map((name) => [name, JSON.parse(readFileSync(join(dir, name), 'utf8'))]));
}
