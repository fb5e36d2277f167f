import { readdir, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { DurableWriter, makeDirectory, syncDirectory } from '../../host/durable-write.js';
import { hashFile } from '../../host/hash-file.js';
import { makeHolderId } from '../../host/staging-name.js';
import { UserError } from '../../util/user-error.js';
import { copyDurably, explainWrite, isThere } from './copy-files.js';
import { MASTER, type Manifest, type PartInfo, readManifest, writeManifest } from './manifest.js';
import { locatePart } from './read-generation.js';

/**
 * Copies the generation that readers see now into a new folder, which is a complete database. Needs no lock. The manifest is
 * written last: a folder without one is not a backup.
 * @returns the manifest of the copied generation
 * @throws UserError (exit 2) if there is no database, or the target exists; WriteError
 */
export async function backUpDatabase(dir: string, target: string): Promise<Manifest> {
    if (await explainWrite(target, () => isThere(target)))
        throw new UserError(`${target} already exists: choose a folder that does not exist`);
    for (let attempt = 1; ; attempt += 1) {
        const manifest = await readManifest(dir);
        if (manifest === null) throw new UserError(`there is no database in ${dir}: nothing to back up`);
        try {
            await copyGeneration(dir, manifest, target);
            return manifest;
        } catch (error) {
            // A partial copy would only block the next attempt.
            await rm(target, { recursive: true, force: true }).catch(() => undefined);
            const now = await readManifest(dir);
            // If the generation has changed, the writer may have moved files away during the copy: try again.
            if (attempt === MAX_TRIES || now?.generation === manifest.generation) throw error;
        }
    }
}

/** Number of attempts at a copy while the writer keeps replacing the generation. */
const MAX_TRIES = 5;

async function copyGeneration(dir: string, manifest: Manifest, target: string): Promise<void> {
    await explainWrite(target, async () => {
        const parts: PartInfo[] = [];
        for (const part of manifest.parts) {
            const copy = join(target, part.path);
            await copyDurably(await locatePart(dir, part), copy);
            parts.push({ ...part, sha256: (await hashFile(copy)).sha256 });
        }
        for (const { path } of [...manifest.retirements, ...manifest.aggregates])
            await copyDurably(join(dir, path), join(target, path));
        const tree = join(dir, MASTER);
        if (await isThere(tree)) await copyDurably(tree, join(target, MASTER));
        await makeDirectory(target);
        for (const name of await readdir(target))
            if ((await stat(join(target, name))).isDirectory()) await syncDirectory(join(target, name));
        await writeManifest(new DurableWriter(target, makeHolderId()), { ...manifest, parts });
    });
}
