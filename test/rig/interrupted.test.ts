import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it, vi } from 'vitest';
import { tempDir } from './cli.js';
import { patience } from './slowness.js';

const ROOT = join(import.meta.dirname, '../..');
const VITEST = join(ROOT, 'node_modules/vitest/vitest.mjs');

/** Processes in a folder, by kind. */
function processesIn(folder: string): string[] {
    return readdirSync('/proc').flatMap((pid) => {
        try {
            if (!/^\d+$/.test(pid) || readlinkSync(`/proc/${pid}/cwd`) !== folder) return [];
            return [readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ')];
        } catch {
            return []; // It has ended.
        }
    });
}

/** An interrupt from the keyboard sends the signal to the whole process group; a kill hits vitest alone. */
const ENDS = { SIGINT: -1, SIGKILL: 1 } as const;

it.skipIf(process.platform !== 'linux').concurrent.for(['SIGINT', 'SIGKILL'] as const)(
    'npm test that ends by %s leaves no process behind',
    { timeout: patience(60_000) },
    async (signal, { onTestFinished }) => {
        const cwd = tempDir(onTestFinished);
        const run = spawn(
            process.execPath,
            [VITEST, 'run', '--config', 'test/rig/interrupted/vitest.config.ts'],
            {
                cwd: ROOT,
                env: { ...process.env, INTERRUPTED_CWD: cwd },
                stdio: 'ignore',
                detached: true,
            },
        );
        await vi.waitFor(() => expect(existsSync(join(cwd, 'started'))).toBe(true), patience(20_000));
        expect(processesIn(cwd).length).toBeGreaterThanOrEqual(2);
        process.kill(ENDS[signal] * Number(run.pid), signal);
        await once(run, 'close');
        await vi.waitFor(() => expect(processesIn(cwd)).toEqual([]), patience(10_000));
    },
);
