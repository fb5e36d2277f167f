import { describe, expect, it } from 'vitest';
import type { CrashDataset } from './dataset.js';
import { type CallSite, runInjected, touchesOurs, traceCalls, whyNoInjection } from './inject.js';
import { type RunRecord, Scene } from './scene.js';
import { sampled, SEED } from '../rig/long.js';

/** Small, so that every call can be tried: two groups, two files, results that arrive one by one. */
const DATASET: CrashDataset = [
    {
        id: 'a/1',
        groups: { solution: [{ key: 'a-0' }, { key: 'a-1x', ms: 30 }], iteration: [{ key: 'a-2', ms: 60 }] },
    },
    {
        id: 'b',
        groups: {
            solution: [
                { key: 'b-0', ms: 40 },
                { key: 'b-1', ms: 20, size: 9000 },
            ],
        },
    },
];

const reason = whyNoInjection();
if (reason !== null) console.error(`kill at every call: skipped, ${reason}`);

/** Calls that change the disk: the states before each of them are all the states that occur. */
const CHANGING =
    /^(write|pwrite64|writev|pwritev|rename|renameat2?|link|linkat|unlink|unlinkat|mkdir|mkdirat|fsync|openat\(.*O_CREAT)/;

describe.skipIf(reason !== null)('at every call on our files', () => {
    let traced: Promise<readonly CallSite[]> | undefined;
    /** Traced once, by the first test that needs it. */
    const allCalls = (): Promise<readonly CallSite[]> => (traced ??= traceCalls(() => new Scene(DATASET)));

    it('there are calls of every kind', async () => {
        const sites = await allCalls();
        const texts = sites.map((site) => site.text).join('\n');
        expect(texts).toMatch(/rename.*a_1\.json\.\*\.tmp", .*"results\/a_1\.json"/);
        expect(texts).toMatch(/fsync\(\d+<results>/);
        expect(texts).toMatch(/link.*lock\.\*\.tmp.*lock\.1"/);
    });

    it('kill -9 loses nothing and repeats nothing', async () => {
        const changing = (await allCalls()).filter((site) => CHANGING.test(site.text));
        await forEachSite(sampled(changing, 4), async (scene, site) => {
            const { hit } = await runInjected(scene, site, 'KILL');
            await scene.finish();
            await scene.expectSameAsUninterrupted();
            return hit !== null;
        });
    });

    it.each([
        { error: 'ENOSPC', from: false },
        { error: 'EIO', from: false },
        { error: 'ENOSPC', from: true },
    ])('%j ends the run by one clear line, or is got over, and nothing is lost', async (injection) => {
        // A full disk can still be read.
        const may = injection.error === 'EIO' ? /./ : CHANGING;
        // Threads wake each other with write(2): if all writes fail from some point on, no Node program can continue.
        const not = injection.from ? 'write' : '';
        const sites = (await allCalls()).filter((site) => may.test(site.text) && site.call !== not);
        await forEachSite(sampled(sites, 2), async (scene, site) => {
            const { record, hit } = await runInjected(scene, site, injection);
            if (hit === null) expect(record.code, record.stderr).toBe(0);
            // Other files of ours, or a call of Node itself: the outcome is not guaranteed, but nothing may be lost.
            else if (touchesOurs(scene, hit)) expectClearEnd(record, CHANGING.test(hit) ? [4] : [2, 4]);
            await scene.finish();
            await scene.expectSameAsUninterrupted();
            return hit !== null;
        });
    });
});

/**
 * Tries every site and reports all that failed: the set of calls says more than the first one.
 * @param attempt says whether the run met the fault
 */
async function forEachSite(
    sites: readonly CallSite[],
    attempt: (scene: Scene, site: CallSite) => Promise<boolean>,
): Promise<void> {
    const failed: string[] = [];
    const missed: string[] = [];
    for (const site of sites) {
        const scene = new Scene(DATASET);
        try {
            if (!(await attempt(scene, site))) missed.push(`${site.n}: ${site.text}`);
            scene.forget();
        } catch (error) {
            failed.push(
                `${site.text}\n${error instanceof Error ? error.message : String(error)}\n${scene.story}`,
            );
        }
    }
    console.error(`${sites.length - failed.length} of ${sites.length} calls went well`);
    expect(failed.join('\n\n'), `${failed.length} of ${sites.length} calls, seed ${SEED}`).toBe('');
    // A program that takes a different path than when it was traced may never reach a call.
    expect(missed.length, missed.join('\n')).toBeLessThanOrEqual(sites.length / 2);
}

/** The run finishes in spite of the fault, or ends with one of these exit codes and one line that says why. */
function expectClearEnd({ code, stderr }: RunRecord, codes: readonly number[]): void {
    if (code === 0) return;
    expect(codes, stderr).toContain(code);
    const lines = stderr.trim().split('\n');
    expect(lines).toHaveLength(1);
    expect(JSON.parse(lines[0] ?? '')).toMatchObject({ type: 'error', exitCode: code });
}
