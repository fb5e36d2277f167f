import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { BrowserContext, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { writeTasks } from '../results/fixtures.js';
import { callCli } from '../rig/in-process.js';
import { patience } from '../rig/slowness.js';
import { accessibilityFaults, findChromium, openBrowser, overflowOf, watchPage } from './browser.js';
import { writeHostileRun, writeJudgedRun, writeModelRun } from './result-files.js';

const executable = findChromium();
if (executable === null)
    console.warn(
        'skipped: the tests of the HTML page, because no Chromium is installed (CHROMIUM can name one)',
    );

const VIEWS = ['tests', 'verdicts', 'heatMap', 'times', 'unexpected', 'tasks'];

/** One browser and three reports for all tests, because starting them is most of the tests' cost. */
describe.skipIf(executable === null)('the HTML page', { timeout: patience(60_000) }, () => {
    const dir = mkdtempSync(join(tmpdir(), 'resume-run-page-'));
    let context: BrowserContext;
    let close = async (): Promise<void> => {};
    const addressOf = (name: string): string => pathToFileURL(join(dir, `${name}.html`)).href;

    async function openPage(
        name: string,
        hash = '',
        language = 'en',
    ): Promise<Page & { problems: string[] }> {
        const page = await context.newPage();
        const { problems } = watchPage(page);
        if (language !== 'en')
            await page.addInitScript(
                `Object.defineProperty(navigator, 'language', { get: () => '${language}' })`,
            );
        await page.goto(`${addressOf(name)}${hash}`);
        await page.locator('main').waitFor();
        return Object.assign(page, { problems });
    }

    beforeAll(async () => {
        writeJudgedRun(join(dir, 'judged'));
        writeJudgedRun(join(dir, 'better'));
        // One program that crashed in the first run is accepted in this one.
        const crashed = join(dir, 'better', 'sum_strict.json');
        const text = readFileSync(crashed, 'utf8').replaceAll('"RuntimeError"', '"Accepted"');
        const file = JSON.parse(text) as { solution_result: { result: object }[] };
        for (const { result } of file.solution_result) Object.assign(result, { accepted: true });
        writeFileSync(crashed, JSON.stringify(file));
        writeHostileRun(join(dir, 'hostile'));
        writeModelRun(join(dir, 'models'));
        for (const name of ['judged', 'hostile', 'models']) {
            const result = await callCli(['report', '--dir', name, '--html', `${name}.html`], { cwd: dir });
            expect(result).toMatchObject({ code: 0, stderr: '' });
        }
        ({ context, close } = await openBrowser(executable ?? ''));
    }, patience(60_000));

    afterAll(async () => {
        await close();
        rmSync(dir, { recursive: true, force: true });
    });

    it('leads from the weakest test set to the difference that a program was refused for, and the address keeps it', async () => {
        const page = await openPage('judged');
        const rows = page.locator('.table-body [role=row]');
        expect(await rows.first().innerText()).toContain('sum/weak');
        expect(await rows.first().innerText()).toContain('33.3 %');
        await page.getByRole('link', { name: 'sum/strict' }).click();
        await page.getByRole('checkbox', { name: 'Only unexpected' }).check();
        await page.locator('.table-body a').first().click();
        const dialog = page.getByRole('dialog');
        await dialog.getByText('ZeroDivisionError: division by zero').waitFor();
        expect(await dialog.innerText()).toContain('test 2 of 2 that ran (secret/02)');
        expect(await dialog.locator('.hljs-built_in').count()).toBeGreaterThan(0);
        // The only task of this list: its neighbours in the run were not selected.
        for (const name of ['Previous', 'Next'])
            expect(await dialog.getByRole('button', { name }).isDisabled()).toBe(true);
        await page.reload();
        await dialog.getByText('ZeroDivisionError: division by zero').waitFor();
        await page.keyboard.press('Escape');
        await dialog.waitFor({ state: 'detached' });
        expect(page.url()).not.toContain('task=');
        await page.goto(
            `${addressOf('judged')}#/tasks?sample=sum%2Fweak&task=0~incorrect_solution~sum%2Fweak`,
        );
        await dialog.locator('.difference').waitFor();
        for (const key of ['ArrowLeft', 'ArrowRight']) await page.keyboard.press(key);
        expect(await dialog.locator('.difference .got').innerText()).toBe('41');
        expect(page.problems).toEqual([]);
        await page.close();
    });

    it('answers each question in one click, and every table and plot can be taken away', async () => {
        const page = await openPage('judged');
        const navigation = page.getByRole('navigation');
        await navigation.getByRole('link', { name: 'Verdicts' }).click();
        await page.locator('.bad-cell a').first().click();
        expect(await page.locator('.table-body [role=row]').first().innerText()).toContain('sum/');
        await navigation.getByRole('link', { name: 'Unexpected' }).click();
        const causes = await page.locator('.table-body').innerText();
        expect(causes).toContain('ZeroDivisionError');
        expect(causes).toContain('sandbox');
        await navigation.getByRole('link', { name: 'Heat map' }).click();
        await page.getByRole('application').focus();
        for (const key of ['ArrowRight', 'ArrowDown', 'Enter']) await page.keyboard.press(key);
        expect(await page.getByRole('dialog').innerText()).toContain('sum/strict');
        await page.keyboard.press('Escape');
        await navigation.getByRole('link', { name: 'Run times' }).click();
        const [picture] = await Promise.all([
            page.waitForEvent('download'),
            page.locator('figure').getByRole('button', { name: 'SVG' }).click(),
        ]);
        const svg = readFileSync(await picture.path(), 'utf8');
        expect(svg).toMatch(/^<svg /);
        expect(svg).not.toContain('var(--');
        await navigation.getByRole('link', { name: 'Test sets' }).click();
        const [table] = await Promise.all([
            page.waitForEvent('download'),
            page.getByRole('button', { name: 'CSV' }).click(),
        ]);
        const csv = readFileSync(await table.path(), 'utf8')
            .replace('\ufeff', '')
            .split('\r\n');
        expect(csv[0]).toBe(
            'Sample,TPR,TNR,Incorrect accepted,Correct rejected,Unexpected,Failed,Open,Of limit',
        );
        expect(csv[1]).toMatch(/^sum\/weak,1,0\.333/);
        expect(page.problems).toEqual([]);
        await page.close();
    });

    it('compares with another run in the same file', async () => {
        const written = await callCli(
            ['report', '--dir', 'judged', '--compare-with', 'better', '--html', 'compared.html'],
            { cwd: dir },
        );
        expect(written).toMatchObject({ code: 0, stderr: '' });
        const page = await openPage('compared');
        await page.getByRole('link', { name: 'Compare' }).click();
        await page.locator('.table-body a').first().waitFor();
        const text = (await page.locator('main').innerText()).replace(/\s+/g, ' ');
        expect(text).toContain('First: judged · Second: better');
        expect(text).toContain('Regressions 0 Fixes 1');
        expect(await accessibilityFaults(page)).toEqual([]);
        expect(page.problems).toEqual([]);
        await page.close();
        expect(await callCli(['report', '--compare-with', 'better'], { cwd: dir })).toMatchObject({
            code: 2,
            stderr: expect.stringContaining('--compare-with needs --html'),
        });
    });

    it('shows models with intervals, pass@k and cost, down to the prompt and the answer', async () => {
        const page = await openPage('models', '#/models?by=promptType');
        const text = await page.locator('.table-box').innerText();
        for (const part of ['alpha', 'beta', 'cot', 'pass@1']) expect(text).toContain(part);
        expect(await page.locator('figure svg').count()).toBe(2);
        expect(await accessibilityFaults(page)).toEqual([]);
        await page.locator('.table-body a').first().click();
        await page.locator('.table-body a').first().click();
        await page.getByRole('dialog').getByText('compared as text').first().waitFor();
        const dialog = await page.getByRole('dialog').innerText();
        for (const part of ['What is ', 'It is ', 'compared as text', '40 + 10', '$0.00'])
            expect(dialog).toContain(part);
        expect(page.problems).toEqual([]);
        await page.close();
    });

    it('never runs what stands in ids, sources, outputs and answers, and keeps its layout', async () => {
        const page = await openPage('hostile');
        await page.setViewportSize({ width: 360, height: 740 });
        for (const view of VIEWS) {
            await page.goto(`${addressOf('hostile')}#/${view}`);
            await page.locator('main').waitFor();
            expect([view, await overflowOf(page)]).toEqual([view, 0]);
        }
        for (const entry of [0, 1, 2, 3]) {
            await page.goto(`${addressOf('hostile')}#/tasks`);
            await page.locator('.table-body a').nth(entry).click();
            await page.getByRole('dialog').locator('pre').first().waitFor();
            expect(await overflowOf(page)).toBe(0);
            const shown = await page.getByRole('dialog').innerText();
            for (const hidden of ['\u001b', '\u202e']) expect(shown).not.toContain(hidden);
            expect(Math.max(...shown.split('\n').map((line) => line.length))).toBeLessThan(10_000);
            await page.keyboard.press('Escape');
        }
        expect(await page.evaluate('window.hacked')).toBeUndefined();
        expect(page.problems).toEqual([]);
        await page.close();
    });

    it('is accessible in light and dark, in every view and in a task', async () => {
        const page = await openPage('judged');
        for (const colorScheme of ['light', 'dark'] as const) {
            await page.emulateMedia({ colorScheme });
            for (const view of [...VIEWS, 'tasks?task=0~incorrect_solution~sum%2Fweak']) {
                await page.goto(`${addressOf('judged')}#/${view}`);
                await page.locator(view.includes('task=') ? '.difference' : 'main').waitFor();
                expect([colorScheme, view, await accessibilityFaults(page)]).toEqual([colorScheme, view, []]);
            }
        }
        await page.close();
    });

    it('keeps programs that sample tests alone judged out of both rates', async () => {
        const group = 'incorrect_solution_on_samples';
        const tasks = [
            { group: 'solution_on_samples' },
            { group },
            { group, verdict: 'WrongAnswer' } as const,
        ];
        writeTasks(join(dir, 'samples'), 'p', tasks);
        const made = await callCli(['report', '--dir', 'samples', '--html', 'samples.html'], { cwd: dir });
        expect(made.code).toBe(0);
        const page = await openPage('samples');
        const totals = (await page.locator('.totals').innerText()).replace(/\s+/g, ' ');
        expect(totals).toContain('On samples 66.7 % 2 of 3');
        expect(totals).not.toMatch(/TPR|TNR|Accepted/);
        expect(await page.locator('[role=columnheader]').allInnerTexts()).toContain('↑On samples');
        expect(page.problems).toEqual([]);
        await page.close();
    });

    it('speaks Chinese to those who read it, and prints every row without its controls', async () => {
        const page = await openPage('judged', '', 'zh-CN');
        expect(await page.getByRole('navigation').innerText()).toContain('测试集');
        expect(await page.locator('html').getAttribute('lang')).toBe('zh-CN');
        await page.emulateMedia({ media: 'print' });
        expect(await page.getByRole('navigation').isVisible()).toBe(false);
        expect(await page.locator('.table-body [role=row]').count()).toBe(3);
        await page.goto(`${addressOf('judged')}#/heatMap`);
        await page.locator('.printed-map rect').first().waitFor();
        await page.goto(`${addressOf('judged')}#/tasks?task=0~incorrect_solution~sum%2Fweak`);
        await page.getByRole('dialog').locator('.difference').waitFor();
        expect(await page.locator('main').isVisible()).toBe(false);
        expect(page.problems).toEqual([]);
        await page.close();
    });
});
