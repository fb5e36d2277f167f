import { execFile } from 'node:child_process';
import { readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

const run = promisify(execFile);

/** What one or several whole processes used, from start to exit. */
export interface Timed {
    /** Wall-clock seconds. */
    readonly wall: number;
    /** CPU seconds of the processes and of the children they waited for. */
    readonly cpu: number;
    /** Largest resident memory of any one process, in bytes. */
    readonly peak: number;
    /** Bytes handed to write() for all files and pipes; for a single run only. */
    readonly written: number;
    /** Runs that did not exit with 0. */
    readonly failed: number;
}

export interface Command {
    readonly argv: readonly [string, ...string[]];
    readonly cwd: string;
    readonly stdin?: string;
    readonly stdout?: string;
    readonly env?: NodeJS.ProcessEnv;
    /** How often to run it, and how many at once; once if absent. */
    readonly runs?: number;
    readonly atOnce?: number;
}

/** The command line as installed. */
export const CLI = fileURLToPath(new URL('../../bin/resume-run.js', import.meta.url));

const SOURCE = fileURLToPath(new URL('../../bench/baseline/spawn-loop.c', import.meta.url));

/** A C program of 100 lines that starts commands and measures them, compiled for each run of the bench. */
export class Stopwatch {
    readonly #program: string;
    readonly #folder: string;
    #serial = 0;

    private constructor(program: string, folder: string) {
        this.#program = program;
        this.#folder = folder;
    }

    /** @throws Error without a C compiler */
    static async compile(folder: string): Promise<Stopwatch> {
        const program = join(folder, 'spawn-loop');
        await run('cc', ['-O2', '-Wall', '-Wextra', '-o', program, SOURCE]);
        return new Stopwatch(program, folder);
    }

    /** @throws Error if a run failed: a figure for something that did not work is meaningless */
    async time(command: Command): Promise<Timed> {
        const { argv, cwd, runs = 1, atOnce = 1, stdin = '/dev/null', stdout = '/dev/null' } = command;
        this.#serial += 1;
        const report = join(this.#folder, `report-${this.#serial}.json`);
        const env = command.env ?? process.env;
        const args = [String(runs), String(atOnce), stdin, stdout, report, ...argv];
        const { stderr } = await run(this.#program, args, { cwd, env, maxBuffer: 64 * 1024 * 1024 });
        const timed = JSON.parse(await readFile(report, 'utf8')) as Timed;
        await rm(report);
        if (timed.failed > 0) {
            throw new Error(
                `${argv.join(' ')}: ${timed.failed} of ${runs} runs failed\n${stderr.slice(-2000)}`,
            );
        }
        return timed;
    }

    /** Times the product's own command line. */
    resumeRun(args: readonly string[], options: Omit<Command, 'argv'>): Promise<Timed> {
        return this.time({ ...options, argv: [process.execPath, CLI, ...args] });
    }
}
