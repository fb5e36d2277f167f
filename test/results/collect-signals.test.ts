import { existsSync, mkdirSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { describe, expect, it, vi } from 'vitest';
import { ResultCollector } from '../../src/legacy.js';
import { auditDatabase } from '../../src/results/ask/audit.js';
import { readGeneration } from '../../src/results/store/read-generation.js';
import { whyNoInjection } from '../crash/inject.js';
import { startCli, tempDir } from '../rig/cli.js';
import { callCli } from '../rig/in-process.js';
import { patience, SOON } from '../rig/slowness.js';
import { writeResultFile } from './result-files.js';

/*
 * Signals to a collector: it ends by itself soon, releases its lock, and every result is in the database or still in the spool.
 * The collector of the earlier tools took its lock twice in one thread, also in its signal handler, so only kill -9 ended it.
 */

const reason = whyNoInjection();
if (reason !== null) console.error(`signals to a collector: skipped, ${reason}`);

const SIGNALS = [
    ['SIGTERM', 143],
    ['SIGINT', 130],
] as const;

/** strace beside the program, which stays our child: each call of this kind on one of these paths is delayed. */
const slowed = (call: string, milliseconds: number, paths: readonly string[]): readonly string[] =>
    ['strace', '-D', '-f', '-qq', '-o', '/dev/null', '-e', `trace=${call}`].concat(
        ['-e', `inject=${call}:delay_enter=${milliseconds * 1000}`],
        paths.flatMap((path) => ['-P', path]),
    );

async function countRecords(cwd: string): Promise<number> {
    let records = 0;
    for await (const some of await (await readGeneration(join(cwd, 'database'))).records())
        records += some.length;
    return records;
}

/** A folder with four waiting batches, and a database whose commits take a while. */
async function slowCommit(): Promise<{ readonly cwd: string; readonly through: readonly string[] }> {
    const cwd = tempDir();
    const collector = new ResultCollector({ tempDir: join(cwd, 'temp_results') });
    for (let at = 0; at < 4; at += 1)
        await collector.addBatchResult('m', [{ task_id: `t${at}`, success: true }]);
    const parts = join(cwd, 'database/parts');
    mkdirSync(parts, { recursive: true });
    return { cwd, through: slowed('fsync', 1500, [parts]) };
}

/** Waits until a collector has written a part that no manifest names yet. */
const untilItCommits = (cwd: string): Promise<void> =>
    vi
        .waitUntil(
            () => readdirSync(join(cwd, 'database/parts')).some((name) => /^[^.].*\.jsonl$/.test(name)),
            SOON,
        )
        .then(() => undefined);

const waitingIn = (cwd: string): number =>
    readdirSync(join(cwd, 'temp_results')).filter((name) => name.endsWith('.json')).length;

describe.skipIf(reason !== null)('a collector', { timeout: patience(30_000) }, () => {
    it.each(SIGNALS)(
        'ends by itself at %s in the middle of a commit, and loses nothing',
        async (signal, code) => {
            const { cwd, through } = await slowCommit();
            const collector = startCli(['collect', '--watch'], { cwd, through });
            await untilItCommits(cwd);
            expect(existsSync(join(cwd, 'database/master_database.json'))).toBe(false);
            collector.child.kill(signal);
            expect((await collector.result).code).toBe(code);
            expect([await countRecords(cwd), waitingIn(cwd)]).toEqual([4, 0]);
            // The lock is no longer held.
            expect((await callCli(['database', 'compact'], { cwd })).code).toBe(0);
            expect(await auditDatabase(join(cwd, 'database'))).toEqual([]);
        },
    );

    it('ends at once at the second signal, and the next one brings in what it had read', async () => {
        const { cwd, through } = await slowCommit();
        const collector = startCli(['collect', '--watch'], { cwd, through });
        await untilItCommits(cwd);
        collector.child.kill('SIGTERM');
        await wait(100);
        collector.child.kill('SIGTERM');
        expect(await collector.result).toMatchObject({ code: null, signal: 'SIGTERM' });
        expect(waitingIn(cwd)).toBe(4);
        expect(await callCli(['collect'], { cwd })).toMatchObject({
            code: 0,
            stdout: expect.stringContaining('4 records added'),
        });
        expect([await countRecords(cwd), waitingIn(cwd)]).toEqual([4, 0]);
        expect(await auditDatabase(join(cwd, 'database'))).toEqual([]);
    });

    it('of result files stops reading at a signal, and the same command brings in the rest', async () => {
        const cwd = tempDir();
        const results = join(cwd, 'results');
        const names = Array.from({ length: 1000 }, (_, at) => `s${at + 1000}`);
        for (const name of names) writeResultFile(results, name, [{ fingerprint: 'f' }]);
        const through = slowed('openat', 3000, [join(results, 's1600.json')]);
        const collector = startCli(['collect', '--from', 'results'], { cwd, through });
        await vi.waitUntil(() => existsSync(join(cwd, 'database/manifest.json')), SOON);
        await wait(500);
        collector.child.kill('SIGTERM');
        const { code, stderr } = await collector.result;
        expect(code, stderr).toBe(143);
        expect(stderr).toContain(
            'stopped before everything was read: run the same command again to collect the rest',
        );
        expect(await countRecords(cwd)).toBeLessThan(1000);
        expect((await callCli(['collect', '--from', 'results'], { cwd })).code).toBe(0);
        expect(await countRecords(cwd)).toBe(1000);
        expect(await auditDatabase(join(cwd, 'database'))).toEqual([]);
    });
});
