import { readdir, rename, rm, stat } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { makeDirectory } from '../../host/durable-write.js';
import { parseStagingHolder } from '../../host/staging-name.js';
import { type Manifest, PARTS, REPLACED } from './manifest.js';

/** How long a replaced part can still be read, in milliseconds. */
const KEPT_FOR = 10 * 60 * 1000;

/**
 * Moves everything out of `parts/` that the manifest does not name: parts that were replaced, and those of a writer that was
 * killed before its manifest. Call it holding the lock. Never throws: what stays is in nobody's way, and the next call moves it.
 */
export async function moveReplacedParts(dir: string, manifest: Manifest): Promise<void> {
    const live = new Set(manifest.parts.map((part) => basename(part.path)));
    for (const name of await readdir(join(dir, PARTS)).catch(() => [])) {
        if (live.has(name) || parseStagingHolder(name) !== null) continue;
        try {
            await makeDirectory(join(dir, REPLACED));
            await rename(join(dir, PARTS, name), join(dir, REPLACED, name));
            // Renaming a file to another name of its own does nothing: after a rollback both names may be there.
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
            // The change time is that of the move: nothing else touches the file.
            const { ctimeMs } = await stat(join(folder, name));
            if (Date.now() - ctimeMs > keptFor) await rm(join(folder, name), { force: true });
        } catch {
            // The next call tries again.
        }
    }
}
