import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { request } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { BrowserContext, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { readPageAssets } from '../../src/compose/page-assets.js';
import { ViewedRun } from '../../src/compose/view/viewed-run.js';
import { ViewServer } from '../../src/compose/view/view-server.js';
import type { EndpointState } from '../../src/model/event.js';
import type { LiveState } from '../../src/model/live-state.js';
import { type Cli, killGroup, startCli } from '../rig/cli.js';
import { patience } from '../rig/slowness.js';
import { accessibilityFaults, findChromium, openBrowser, watchPage } from './browser.js';
import { writeJudgedRun } from './result-files.js';

const executable = findChromium();
if (executable === null)
    console.warn(
        'skipped: the tests of view in a browser, because no Chromium is installed (CHROMIUM can name one)',
    );

/** Status of a request with these headers, including ones that `fetch` does not allow. */
function statusOf(
    port: number,
    path: string,
    headers: Readonly<Record<string, string>> = {},
    method = 'GET',
) {
    return new Promise<{ readonly status: number; readonly headers: NodeJS.Dict<string | string[]> }>(
        (resolve, reject) => {
            request({ host: '127.0.0.1', port, path, method, headers }, (response) => {
                response.resume();
                response.once('end', () =>
                    resolve({ status: response.statusCode ?? 0, headers: response.headers }),
                );
            })
                .once('error', reject)
                .end();
        },
    );
}

describe('resume-run view', { timeout: patience(60_000) }, () => {
    const dir = mkdtempSync(join(tmpdir(), 'resume-run-view-'));
    const [first, second] = [join(dir, 'first'), join(dir, 'second')];
    let server: ViewServer;
    let port = 0;

    beforeAll(async () => {
        writeJudgedRun(first);
        writeJudgedRun(second);
        // A sample that the second run judges differently.
        const file = join(second, 'sum_weak.json');
        const text = readFileSync(file, 'utf8').replaceAll(
            '"verdict": "WrongAnswer"',
            '"verdict": "Accepted"',
        );
        writeFileSync(file, text.replaceAll('"accepted": false', '"accepted": true'));
        const runs = [first, second].map(
            (one) => new ViewedRun({ dir: one, checkpoints: join(dir, 'checkpoints') }, () => undefined),
        );
        server = new ViewServer(runs, await readPageAssets());
        port = await server.listen('127.0.0.1', 0, null);
    });

    afterAll(async () => {
        await server.close();
        rmSync(dir, { recursive: true, force: true });
    });

    it('answers only those who call it by its name, and only reads', async () => {
        expect(await statusOf(port, '/')).toMatchObject({ status: 200 });
        expect((await statusOf(port, '/')).headers['content-security-policy']).toContain(
            "default-src 'none'",
        );
        expect(await statusOf(port, '/', { host: `evil.example:${port}` })).toMatchObject({ status: 403 });
        expect(await statusOf(port, '/api/runs', { origin: 'http://evil.example' })).toMatchObject({
            status: 403,
        });
        expect(await statusOf(port, '/api/runs', { origin: `http://localhost:${port}` })).toMatchObject({
            status: 200,
        });
        expect(await statusOf(port, '/', {}, 'POST')).toMatchObject({ status: 405 });
        expect(await statusOf(port, '/api/runs/7/page')).toMatchObject({ status: 404 });
        expect(await statusOf(port, '/../../etc/passwd')).toMatchObject({ status: 404 });
        expect(await statusOf(port, '/api/runs/0/task?sample=..%2F..&group=solution&index=0')).toMatchObject({
            status: 404,
        });
    });

    it('wants the token where others can reach it, once in the address and then in a cookie', async () => {
        const open = new ViewServer([], await readPageAssets());
        const at = await open.listen('127.0.0.1', 0, 'secret');
        expect(await statusOf(at, '/')).toMatchObject({ status: 403 });
        expect(await statusOf(at, '/?token=wrong')).toMatchObject({ status: 403 });
        const greeted = await statusOf(at, '/?token=secret');
        expect(greeted).toMatchObject({ status: 303, headers: { location: '/' } });
        const cookie = String(greeted.headers['set-cookie']);
        expect(cookie).toContain('HttpOnly; SameSite=Strict');
        expect(await statusOf(at, '/', { cookie: cookie.split(';')[0] ?? '' })).toMatchObject({
            status: 200,
        });
        await open.close();
    });

    describe.skipIf(executable === null)('in a browser', () => {
        let context: BrowserContext;
        let close = async (): Promise<void> => {};

        beforeAll(async () => {
            ({ context, close } = await openBrowser(executable ?? ''));
        });
        afterAll(() => close());

        async function openView(address: string): Promise<Page & { problems: string[] }> {
            const page = await context.newPage();
            const { problems } = watchPage(page);
            await page.goto(address);
            await page.locator('main').waitFor();
            return Object.assign(page, { problems });
        }

        it('compares two runs: regressions, fixes and whether that could be chance', async () => {
            const page = await openView(`http://127.0.0.1:${port}/#/compare`);
            await page.locator('.table-body a').first().waitFor();
            const text = await page.locator('main').innerText();
            expect(text.replace(/\s+/g, ' ')).toContain('Regressions 1 Fixes 0');
            expect(text).toContain('p = 1');
            expect(await accessibilityFaults(page)).toEqual([]);
            await page.locator('.table-body a').first().click();
            await page.getByRole('dialog').locator('.difference').waitFor();
            expect(await page.getByRole('dialog').innerText()).toContain(
                'Input and expected output are not shown',
            );
            expect(page.problems).toEqual([]);
            await page.close();
        });

        it('shows a run while it goes on, and never disturbs it', async () => {
            const cwd = join(dir, 'live');
            writeJudgedRun(cwd);
            writeFileSync(
                join(dir, 'rows.txt'),
                Array.from({ length: 500 }, (_, row) => `row ${row}\n`).join(''),
            );
            const args = [
                'rows.txt',
                '--dir',
                'going',
                '--executor',
                'exec',
                '-j',
                '2',
                '--',
                'sleep',
                '0.3',
            ];
            const run: Cli = startCli(args, { cwd: dir });
            const state = await untilLive(join(dir, 'checkpoints/going/live.json'));
            expect(state).toMatchObject({ format: 1, phase: 'running', tasks: { total: 500 } });
            const place = { dir: join(dir, 'going'), checkpoints: join(dir, 'checkpoints/going') };
            const watched = new ViewServer([new ViewedRun(place, () => undefined)], await readPageAssets());
            const at = await watched.listen('127.0.0.1', 0, null);
            const page = await openView(`http://127.0.0.1:${at}/#/live`);
            await page.getByText('/ 500').waitFor();
            await page.locator('.small-table a').first().waitFor();
            writeFileSync(
                join(place.checkpoints, 'live.7.json'),
                JSON.stringify({ ...state, shard: '7/8', endpoints: [CALIBRATED] }),
            );
            await page.getByText('6.7 at 1, 12.5 at 2').waitFor();
            expect(await page.locator('table').count()).toBe(
                await page.getByRole('button', { name: 'CSV' }).count(),
            );
            const [saved] = await Promise.all([
                page.waitForEvent('download'),
                page.locator('.wide').getByRole('button', { name: 'CSV' }).click(),
            ]);
            const csv = readFileSync(await saved.path(), 'utf8').split('\r\n');
            expect(csv[1]).toBe('http://10.0.0.1:8080/,healthy,2 / 2,40,0,1.3 s,0,"6.7 at 1, 12.5 at 2"');
            expect(await accessibilityFaults(page)).toEqual([]);
            expect(page.problems).toEqual([]);
            await page.close();
            await watched.close();
            process.kill(run.child.pid ?? 0, 'SIGTERM');
            expect(await run.result).toMatchObject({ code: 143 });
            killGroup(run.child);
            expect(await untilLive(join(dir, 'checkpoints/going/live.json'))).toMatchObject({
                phase: 'finished',
            });
        });
    });
});

/** A server whose width was found by calibration. */
const CALIBRATED: EndpointState = {
    endpoint: 'http://10.0.0.1:8080/',
    state: 'healthy',
    inFlight: 2,
    done: 40,
    failures: 0,
    meanTime: 1.25,
    coolDowns: 0,
    concurrency: 2,
    calibration: [
        { width: 1, perSecond: 6.7 },
        { width: 2, perSecond: 12.5 },
    ],
};

/** The live state of a run, as soon as it has written one. */
async function untilLive(path: string): Promise<LiveState> {
    for (let tries = 0; tries < 600; tries += 1) {
        try {
            return JSON.parse(readFileSync(path, 'utf8')) as LiveState;
        } catch {
            await new Promise((resolve) => setTimeout(resolve, 50));
        }
    }
    throw new Error(`${path} was not written`);
}
