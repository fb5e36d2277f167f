import { readdir, rename, rm, stat } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { makeDirectory } from '../../host/durable-write.js';
import { parseStagingHolder } from '../../host/staging-name.js';
import { type Manifest, PARTS, REPLACED } from './manifest.js';

/** How long a replaced part stays readable, in milliseconds. */
const KEPT_FOR = 10 * 60 * 1000;

/**
 * Moves everything that the manifest does not name out of `parts/`: replaced parts, and those of a writer that was killed before
 * it wrote its manifest. The caller must hold the lock. Never throws: leftover files do no harm, and the next call moves them.
 */
export async function moveReplacedParts(dir: string, manifest: Manifest): Promise<void> {
    const live = new Set(manifest.parts.map((part) => basename(part.path)));
    for (const name of await readdir(join(dir, PARTS)).catch(() => [])) {
        if (live.has(name) || parseStagingHolder(name) !== null) continue;
        try {
            await makeDirectory(join(dir, REPLACED));
            await rename(join(dir, PARTS, name), join(dir, REPLACED, name));
            // Renaming a file to another hard link of itself does nothing; after a rollback both names may exist.
            await rm(join(dir, PARTS, name), { force: true });
        } catch {
            // The next call tries again.
        }
    }
}

/** Removes replaced parts that no reader needs any more. Never throws. */
export async function removeExpiredParts(dir: string, keptFor = KEPT_FOR): Promise<void> {
    const folder = join(dir, REPLACED);
    for (const name of await readdir(folder).catch(() => [])) {
        try {
            // The change time is the time of the move: nothing else touches the file.
            const { ctimeMs } = await stat(join(folder, name));
            if (Date.now() - ctimeMs > keptFor) await rm(join(folder, name), { force: true });
        } catch {
            // The next call tries again.
        }
    }
}
