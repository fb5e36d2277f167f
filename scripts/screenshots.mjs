/*
 * Takes the screenshots for README.md: `npm run build && node scripts/screenshots.mjs`. Judges the bundled examples into a
 * temporary folder, writes their page, and photographs it with the system's Chromium (or the one that CHROMIUM names).
 */
import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { chromium } from 'playwright-core';

const root = fileURLToPath(new URL('../', import.meta.url));
const images = join(root, 'docs/images');
const cwd = mkdtempSync(join(tmpdir(), 'resume-run-screenshots-'));
const run = (...args) =>
    execFileSync(process.execPath, [join(root, 'bin/resume-run.js'), ...args], { cwd, stdio: 'inherit' });

try {
    run('--dir', 'results', '--quiet');
    run('report', '--dir', 'results', '--html', 'report.html');
    mkdirSync(images, { recursive: true });
    const browser = await chromium.launchPersistentContext(join(cwd, 'profile'), {
        executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium',
        args: [
            '--headless',
            '--no-sandbox',
            '--disable-gpu',
            '--no-first-run',
            '--disable-background-networking',
        ],
        locale: 'en-US',
        viewport: { width: 1280, height: 640 },
        reducedMotion: 'reduce',
    });
    const page = await browser.newPage();
    const address = pathToFileURL(join(cwd, 'report.html')).href;
    await page.goto(`${address}#/tests`);
    await page.locator('.table-body [role=row]').first().waitFor();
    await page.screenshot({ path: join(images, 'test-sets.png') });
    await page.goto(`${address}#/tasks?verdict=WrongAnswer`);
    await page.locator('.table-body a').first().click();
    const difference = page.locator('.difference').first();
    await difference.waitFor();
    await difference.scrollIntoViewIfNeeded();
    await page.screenshot({ path: join(images, 'task.png') });
    await browser.close();
} finally {
    rmSync(cwd, { recursive: true, force: true });
}
