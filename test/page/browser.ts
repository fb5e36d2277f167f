import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import axe from 'axe-core';
import { type BrowserContext, chromium, type Page } from 'playwright-core';

const NAMES = ['chromium', 'chromium-browser', 'google-chrome', 'google-chrome-stable'];

/** The system's browser: the one that CHROMIUM names, or the first of the usual names on the path; null if there is none. */
export function findChromium(): string | null {
    const named = process.env['CHROMIUM'];
    if (named !== undefined && named !== '') return named;
    const folders = (process.env['PATH'] ?? '').split(delimiter);
    return folders.flatMap((folder) => NAMES.map((name) => join(folder, name))).find(existsSync) ?? null;
}

const QUIET = [
    '--headless',
    '--no-sandbox',
    '--disable-gpu',
    '--disable-quic',
    '--no-first-run',
    '--disable-background-networking',
    '--disable-component-update',
    '--disable-sync',
];

/** A browser with a profile of its own, in English unless a page needs another language. */
export async function openBrowser(executablePath: string): Promise<{
    readonly context: BrowserContext;
    readonly close: () => Promise<void>;
}> {
    const profile = mkdtempSync(join(tmpdir(), 'resume-run-chromium-'));
    const context = await chromium.launchPersistentContext(profile, {
        executablePath,
        args: QUIET,
        locale: 'en-US',
        viewport: { width: 1280, height: 800 },
        acceptDownloads: true,
    });
    // Injected by the debugger, so that the page's own policy stays in force.
    await context.addInitScript({ content: axe.source });
    return {
        context,
        close: async () => {
            await context.close();
            rmSync(profile, { recursive: true, force: true });
        },
    };
}

/** What a page must never cause: errors, dialogs, requests to other hosts. */
export function watchPage(page: Page): { readonly problems: string[] } {
    const problems: string[] = [];
    page.on('pageerror', (error) => problems.push(`error: ${error.message}`));
    page.on('console', (message) => {
        if (message.type() === 'error' || message.type() === 'warning')
            problems.push(`console: ${message.text()}`);
    });
    page.on('dialog', (dialog) => {
        problems.push(`dialog: ${dialog.message()}`);
        void dialog.dismiss();
    });
    page.on('request', (request) => {
        const url = request.url();
        if (!/^(?:file|blob|data):|^http:\/\/127\.0\.0\.1:/.test(url)) problems.push(`request: ${url}`);
    });
    return { problems };
}

/** Problems that axe finds in the current state of the page. */
export async function accessibilityFaults(page: Page): Promise<readonly string[]> {
    const { violations } = await page.evaluate(() => {
        const { axe: injected } = globalThis as typeof globalThis & { readonly axe: typeof axe };
        return injected.run({ resultTypes: ['violations'] });
    });
    return violations.map(
        ({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html.slice(0, 200)).join(' | ')}`,
    );
}

/** Pixels by which the page is wider than its window. */
export function overflowOf(page: Page): Promise<number> {
    return page.evaluate('document.documentElement.scrollWidth - document.documentElement.clientWidth');
}
