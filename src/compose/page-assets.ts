import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import type { PageAssets } from '../report/html/html-file.js';

/** The front end as built by `npm run build`. */
export async function readPageAssets(): Promise<PageAssets> {
    const read = (name: string): Promise<string> =>
        readFile(fileURLToPath(new URL(`../../dist/page/${name}`, import.meta.url)), 'utf8');
    const [script, style] = await Promise.all([read('page.js'), read('page.css')]);
    return { script, style };
}
