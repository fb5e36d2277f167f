import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { listFiles } from './listing.js';
import { parseStagingHolder } from './staging-name.js';

interface ListedFolder {
    readonly dir: string;
    readonly names: Iterable<string>;
}

/**
 * Removes temporary files left behind by killed runs. Hold the lock when calling it.
 * @param dirs the results directory, the checkpoints directory and its `earlier`; one that was listed already comes with its
 * names
 * @param living ids of runs that are still writing here: this one, and other shards. Called after the files have been listed:
 *   the writer of a listed file holds a lock by then, or is gone
 * @returns how many files were removed
 * @throws UserError (exit 2) if a directory cannot be listed
 */
export async function sweep(
    dirs: readonly (string | ListedFolder)[],
    living: () => Promise<ReadonlySet<string>>,
): Promise<number> {
    const found: { readonly path: string; readonly holder: string }[] = [];
    for (const each of dirs) {
        const { dir, names } = typeof each === 'string' ? { dir: each, names: await listFiles(each) } : each;
        for (const name of names) {
            const holder = parseStagingHolder(name);
            if (holder !== null) found.push({ path: join(dir, name), holder });
        }
    }
    if (found.length === 0) return 0;
    const holders = await living();
    let removed = 0;
    for (const { path, holder } of found) {
        if (holders.has(holder)) continue;
        try {
            await rm(path, { force: true });
            removed += 1;
        } catch {
            // It does no harm; the next start tries again.
        }
    }
    return removed;
}
