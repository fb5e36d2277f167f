import { spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describeForm, SEED } from './long.js';

const VARIABLE = 'TEST_RUN_FOLDER';

/**
 * Vitest's global setup: one folder for the whole run. `end-leftovers.mjs` removes it, and ends what the tests have started,
 * when this process has ended, also by a signal.
 */
export default function setup(): void {
    console.log(describeForm());
    // The same seed in every worker.
    process.env['SEED'] = String(SEED);
    const folder = mkdtempSync(join(tmpdir(), 'resume-run-tests-'));
    const guard = spawn(process.execPath, [join(import.meta.dirname, 'end-leftovers.mjs'), folder], {
        detached: true,
        stdio: ['pipe', 'ignore', 'ignore'],
    });
    guard.unref();
    if ('unref' in guard.stdin && typeof guard.stdin.unref === 'function') guard.stdin.unref();
    process.env[VARIABLE] = folder;
}

/** What children must be given of the environment, so that they are known as this run's. */
export const runEnvironment = (): NodeJS.ProcessEnv => ({ [VARIABLE]: process.env[VARIABLE] });

/** A folder that all test files of a run share, for what is dear to make and the same each time: compiled programs. */
export function sharedFolder(name: string): string {
    const root = process.env[VARIABLE];
    if (root === undefined)
        throw new Error(`${VARIABLE} is not set: vitest.config.ts names the global setup`);
    const folder = join(root, name);
    mkdirSync(folder, { recursive: true, mode: 0o700 });
    return folder;
}

/**
 * Notes which test this process has just begun, for the watchdog: at once, and not by a message, which a thread that is blocked
 * does not send.
 */
export function noteTest(name: string): void {
    writeFileSync(join(sharedFolder('begun'), String(process.pid)), name);
}

/** The test that each process of the run began last, by process id. */
export function testsBegunLast(): Map<string, string> {
    const folder = sharedFolder('begun');
    return new Map(readdirSync(folder).map((pid) => [pid, readFileSync(join(folder, pid), 'utf8')]));
}
