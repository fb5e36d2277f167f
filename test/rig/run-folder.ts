import { spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describeForm, SEED } from './long.js';

const VARIABLE = 'TEST_RUN_FOLDER';

/**
 * Vitest's global setup: creates one folder for the whole run. When this process has ended, even by a signal, `end-leftovers.mjs`
 * removes the folder and kills what the tests have started.
 */
export default function setup(): void {
    console.log(describeForm());
    // Every worker uses the same seed.
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

/** The environment that children need to be recognized as part of this run. */
export const runEnvironment = (): NodeJS.ProcessEnv => ({ [VARIABLE]: process.env[VARIABLE] });

/**
 * A folder shared by all test files of a run, for things that are costly to make and always the same, such as compiled programs.
 */
export function sharedFolder(name: string): string {
    const root = process.env[VARIABLE];
    if (root === undefined)
        throw new Error(`${VARIABLE} is not set: vitest.config.ts names the global setup`);
    const folder = join(root, name);
    mkdirSync(folder, { recursive: true, mode: 0o700 });
    return folder;
}

/**
 * Records for the watchdog which test this process has just begun. Written at once rather than sent as a message, because a
 * blocked thread sends no messages.
 */
export function noteTest(name: string): void {
    writeFileSync(join(sharedFolder('begun'), String(process.pid)), name);
}

/** The test that each process of the run began last, by process id. */
export function testsBegunLast(): Map<string, string> {
    const folder = sharedFolder('begun');
    return new Map(readdirSync(folder).map((pid) => [pid, readFileSync(join(folder, pid), 'utf8')]));
}
