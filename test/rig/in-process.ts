import { Console } from 'node:console';
import { join } from 'node:path';
import type * as CommandLine from '../../src/cli/main.js';
import { cleanEnvironment, type CliOptions, type CliResult } from './cli.js';

/** What the binary loads, without its end: `process.exit`. */
const BUNDLE = join(import.meta.dirname, '../../dist/bundle/main.js');

let last: Promise<unknown> = Promise.resolve();

/**
 * Runs one command line as `runCli` does, but in this process, which saves the third of a second of CPU that a start takes.
 * For tests of what a command does; what is about starts, signals, kills, streams and exits needs the real binary.
 * Calls wait for each other: current folder, environment and streams belong to the whole process.
 */
export function callCli(
    args: readonly string[],
    { cwd, env }: Pick<CliOptions, 'cwd' | 'env'>,
): Promise<CliResult> {
    const call = last.then(() => execute(args, cwd, env));
    last = call.catch(() => undefined);
    return call;
}

async function execute(
    args: readonly string[],
    cwd: string,
    added: NodeJS.ProcessEnv = {},
): Promise<CliResult> {
    const { main, reportFailure } = (await import(BUNDLE)) as typeof CommandLine;
    const stdout = captureWrites(process.stdout);
    const stderr = captureWrites(process.stderr);
    const ours = globalThis.console;
    // The one of vitest does not write to these streams.
    globalThis.console = new Console(process.stdout, process.stderr);
    const folder = process.cwd();
    const environment = { ...process.env };
    process.chdir(cwd);
    setEnvironment({ ...cleanEnvironment(environment), ...added });
    let code: number;
    try {
        code = await main(args);
    } catch (error) {
        code = reportFailure(error, args);
    } finally {
        setEnvironment(environment);
        process.chdir(folder);
        globalThis.console = ours;
        stdout.restore();
        stderr.restore();
    }
    return { code, signal: null, stdout: stdout.text(), stderr: stderr.text() };
}

/** Changes the environment in place: threads are given a copy of the real one. */
function setEnvironment(env: NodeJS.ProcessEnv): void {
    for (const name of Object.keys(process.env)) if (env[name] === undefined) delete process.env[name];
    for (const [name, value] of Object.entries(env)) if (value !== undefined) process.env[name] = value;
}

/** Keeps what is written to a stream from now on, in place of writing it. */
function captureWrites(stream: NodeJS.WriteStream): { text(): string; restore(): void } {
    const chunks: Buffer[] = [];
    const own = Object.getOwnPropertyDescriptor(stream, 'write');
    stream.write = (chunk: string | Uint8Array, ...rest: unknown[]): boolean => {
        chunks.push(Buffer.from(chunk));
        const done = rest.at(-1);
        if (typeof done === 'function') queueMicrotask(() => done());
        return true;
    };
    return {
        text: () => Buffer.concat(chunks).toString(),
        restore: () => {
            if (own === undefined) Reflect.deleteProperty(stream, 'write');
            else Object.defineProperty(stream, 'write', own);
        },
    };
}
