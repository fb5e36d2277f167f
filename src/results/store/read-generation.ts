import { stat } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { ioCode } from '../../util/io-error.js';
import { UserError } from '../../util/user-error.js';
import type { ResultRecord } from '../record/record.js';
import { type Manifest, type PartInfo, REPLACED, readManifest } from './manifest.js';
import { loadCodec } from './part-codec.js';

/** One generation of a database, whole, whatever its writer does meanwhile. Needs no lock. */
export interface Generation {
    readonly manifest: Manifest;
    /** Paths of the parts as they can be opened now; a writer may move them later, see `locatePart`. */
    paths(): Promise<readonly { readonly path: string; readonly part: PartInfo }[]>;
    /** Every record once, some thousands at a time. */
    records(): AsyncIterable<readonly ResultRecord[]>;
}

/**
 * @param dir the database's folder
 * @throws UserError (exit 2) if there is no database, or its manifest is damaged
 */
export async function readGeneration(dir: string): Promise<Generation> {
    const manifest = await readManifest(dir);
    if (manifest === null)
        throw new UserError(
            `there is no database in ${dir}: make one with \`resume-run collect --from results\``,
        );
    return {
        manifest,
        paths: () =>
            Promise.all(manifest.parts.map(async (part) => ({ part, path: await locatePart(dir, part) }))),
        records: async function* () {
            for (const part of manifest.parts) yield* readPart(dir, part);
        },
    };
}

async function* readPart(dir: string, part: PartInfo): AsyncGenerator<readonly ResultRecord[]> {
    const codec = await loadCodec(part.codec);
    const path = await locatePart(dir, part);
    let hasStarted = false;
    try {
        for await (const records of codec.readRecords(path)) {
            hasStarted = true;
            yield records;
        }
    } catch (error) {
        // Moved between the look and the open: it is in the other folder now.
        const now = await locatePart(dir, part);
        if (hasStarted || now === path) throw error;
        yield* codec.readRecords(now);
    }
}

/** Where a part is now: in `parts/`, or for ten minutes after it was replaced in `replaced/`. */
export async function locatePart(dir: string, part: PartInfo): Promise<string> {
    const live = join(dir, part.path);
    if (await isThere(live)) return live;
    const replaced = join(dir, REPLACED, basename(part.path));
    if (await isThere(replaced)) return replaced;
    throw new UserError(
        `${live} is missing: it was replaced more than ten minutes ago, or was removed; run this again`,
    );
}

async function isThere(path: string): Promise<boolean> {
    try {
        await stat(path);
        return true;
    } catch (error) {
        if (ioCode(error) === 'ENOENT') return false;
        throw error;
    }
}
