import { readdirSync, readFileSync } from 'node:fs';
import type { Reporter, TestCase, TestModule, Vitest } from 'vitest/node';
import { countLine } from './count-line.js';
import { LONG } from './long.js';
import { runEnvironment, testsBegunLast } from './run-folder.js';

const MINUTE_MS = 60_000;

/** The time after which the whole run is stopped, however slow the machine is. A quiet machine takes a third of it. */
const LIMIT_MS = LONG ? Number.POSITIVE_INFINITY : 30 * MINUTE_MS;

/** Longer than any limit of a single test: a test that exceeds it has blocked its thread, so its own limit cannot end it. */
const BLOCKED_MS = LONG ? Number.POSITIVE_INFINITY : 10 * MINUTE_MS;

interface Running {
    readonly name: string;
    /** `performance.now()` when it started. */
    readonly since: number;
}

/**
 * Stops a run that hangs and reports where. The limits of tests are timers in the thread that runs them, so they cannot end code
 * that never yields the thread, nor a file that hangs while loading. The watchdog runs in vitest's own process. Each minute it
 * names what has been running for longer than that. At its limits it also lists the processes of the run and ends the run with
 * exit code 1 (`end-leftovers.mjs` then kills what is left).
 */
export default class Watchdog implements Reporter {
    readonly #running = new Map<string, Running>();
    #began = 0;
    #vitest: Vitest | undefined;
    #timer: NodeJS.Timeout | undefined;

    onInit(vitest: Vitest): void {
        this.#vitest = vitest;
    }

    onTestRunStart(): void {
        this.#began = performance.now();
        this.#timer = setInterval(() => this.#look(), MINUTE_MS);
        this.#timer.unref();
    }

    onTestRunEnd(): void {
        clearInterval(this.#timer);
        // Takes effect only if something keeps vitest from exiting by itself; the exit code stays as in `process.exitCode`.
        setTimeout(() => {
            this.#print('vitest has not ended a minute after the last test');
            process.exit();
        }, MINUTE_MS).unref();
    }

    onTestModuleQueued(module: TestModule): void {
        this.#begin(module.id, `${module.relativeModuleId} (loading, or blocked)`);
    }

    onTestModuleStart(module: TestModule): void {
        this.#begin(module.id, module.relativeModuleId);
    }

    onTestModuleEnd(module: TestModule): void {
        this.#running.delete(module.id);
    }

    onTestCaseReady(test: TestCase): void {
        this.#begin(test.id, `${test.module.relativeModuleId} > ${test.fullName}`);
        this.#begin(test.module.id, test.module.relativeModuleId);
    }

    onTestCaseResult(test: TestCase): void {
        this.#running.delete(test.id);
        // Restarts the timer of the file, which measures the time since something in it last ended.
        this.#begin(test.module.id, `${test.module.relativeModuleId} (after "${test.name}")`);
    }

    #begin(id: string, name: string): void {
        this.#running.set(id, { name, since: performance.now() });
    }

    #look(): void {
        const now = performance.now();
        const stuck = [...this.#running.values()].filter(({ since }) => now - since >= MINUTE_MS);
        for (const { name, since } of stuck)
            this.#print(`still running after ${inSeconds(now - since)}: ${name}`);
        if (stuck.length > 0)
            for (const [pid, name] of testsBegunLast()) this.#print(`  process ${pid} began last: ${name}`);
        const isBlocked = stuck.some(({ since }) => now - since >= BLOCKED_MS);
        if (!isBlocked && now - this.#began < LIMIT_MS) return;
        const reason = isBlocked
            ? `nothing can end what has been running for ${inSeconds(BLOCKED_MS)}`
            : `the tests have taken ${inSeconds(LIMIT_MS)}, their limit`;
        this.#print(`${reason}; running now:`);
        for (const { name, since } of this.#running.values())
            this.#print(`  ${name}, ${inSeconds(now - since)}`);
        this.#print('processes of this run:');
        for (const line of processesOfRun()) this.#print(`  ${line}`);
        process.stdout.write(
            `\n${countLine(this.#vitest?.state.getTestModules() ?? [], this.#running.size)}\n`,
        );
        process.exit(1);
    }

    #print(line: string): void {
        process.stderr.write(`watchdog: ${line}\n`);
    }
}

const inSeconds = (ms: number): string => `${Math.round(ms / 1000)} s`;

/**
 * Each process with the run's folder in its environment: id, parent, state, what it waits for in the kernel, and command line.
 */
function processesOfRun(): string[] {
    const marks = Object.entries(runEnvironment()).map(([name, value]) => `${name}=${value}`);
    const read = (pid: string, name: string): string => {
        try {
            return readFileSync(`/proc/${pid}/${name}`, 'utf8');
        } catch {
            return ''; // It has ended, or is another user's.
        }
    };
    if (process.platform !== 'linux') return ['(listed on Linux only)'];
    return readdirSync('/proc')
        .filter((pid) => /^\d+$/.test(pid) && marks.some((mark) => read(pid, 'environ').includes(mark)))
        .map((pid) => {
            const [state = '?', parent = '?'] = read(pid, 'stat')
                .replace(/^.*\) /s, '')
                .split(' ');
            const command = read(pid, 'cmdline').replaceAll('\0', ' ').trim().slice(0, 200);
            return `${pid} of ${parent} ${state} ${read(pid, 'wchan')}: ${command}`;
        });
}
