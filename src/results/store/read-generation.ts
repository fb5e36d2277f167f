import { type FileHandle, realpath } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { openFile } from '../../host/open-file.js';
import { getIoCode } from '../../util/io-error.js';
import { UserError } from '../../util/user-error.js';
import { AGGREGATES } from '../aggregate/aggregate-files.js';
import type { ResultRecord } from '../record/record.js';
import {
    type AggregateInfo,
    type Manifest,
    PARTS,
    type PartInfo,
    REPLACED,
    readManifest,
} from './manifest.js';
import { isThere } from './copy-files.js';
import { loadCodec } from './part-codec.js';

/** One complete generation of a database, whatever its writer does meanwhile. Needs no lock. */
export interface Generation {
    readonly manifest: Manifest;
    /** Current paths of the parts; a writer may move them later, see `locatePart`. */
    paths(): Promise<readonly { readonly path: string; readonly part: PartInfo }[]>;
    /**
     * Every record once, a few thousand at a time. Resolves once every part is known to exist and its codec is loaded, so that no
     * caller starts an output that cannot be finished.
     * @throws UserError (exit 2) that says what is missing
     */
    records(): Promise<AsyncIterable<readonly ResultRecord[]>>;
}

/**
 * @param dir the database's folder
 * @throws UserError (exit 2) if there is no database, or its manifest is damaged
 */
export async function readGeneration(dir: string): Promise<Generation> {
    const manifest = await readManifest(dir);
    if (manifest === null)
        throw new UserError(
            `there is no database in ${dir}: create one with \`resume-run collect --from results\``,
        );
    const paths: Generation['paths'] = () =>
        Promise.all(manifest.parts.map(async (part) => ({ part, path: await locatePart(dir, part) })));
    return {
        manifest,
        paths,
        records: async () => {
            await paths();
            for (const { codec } of manifest.parts) await loadCodec(codec);
            return readParts(dir, manifest.parts);
        },
    };
}

async function* readParts(dir: string, parts: readonly PartInfo[]): AsyncGenerator<readonly ResultRecord[]> {
    for (const part of parts) yield* readPart(dir, part);
}

/** A generation whose files are open, so that they stay readable for any length of time, whatever the writer does. */
export interface PinnedGeneration {
    readonly parts: readonly { readonly path: string; readonly part: PartInfo }[];
    /** Cells of earlier databases, as JSON lines. */
    readonly aggregates: readonly { readonly path: string; readonly info: AggregateInfo }[];
    /** All folders that the paths may resolve to. */
    readonly folders: readonly string[];
    close(): Promise<void>;
}

/** Number of attempts while the writer keeps moving files away. */
const MAX_TRIES = 5;

/**
 * Opens every file of the generation that readers see now. Starts again if a compaction moves one away meanwhile.
 * @param dir the database's folder
 * @throws UserError (exit 2) if there is no database, or a part is gone for good
 */
export async function pinGeneration(dir: string): Promise<PinnedGeneration> {
    for (let attempt = 1; ; attempt += 1) {
        const { manifest } = await readGeneration(dir);
        const handles: FileHandle[] = [];
        const close = async (): Promise<void> => {
            await Promise.all(handles.map((handle) => handle.close()));
        };
        const pin = async (path: string): Promise<string> => {
            const handle = await openFile(path);
            handles.push(handle);
            // A path to the open file itself, unaffected by moving or removing it.
            const pinned = `${PINNED_FOLDER}${handle.fd}`;
            return (await isThere(pinned)) ? pinned : path;
        };
        try {
            const parts: { path: string; part: PartInfo }[] = [];
            for (const part of manifest.parts)
                parts.push({ part, path: await pin(await locatePart(dir, part)) });
            const aggregates: { path: string; info: AggregateInfo }[] = [];
            for (const info of manifest.aggregates)
                aggregates.push({ info, path: await pin(join(dir, info.path)) });
            return { parts, aggregates, folders: await listFolders(dir), close };
        } catch (error) {
            await close();
            const isNewer = (await readManifest(dir))?.generation !== manifest.generation;
            const isMoved = getIoCode(error) === 'ENOENT' || isNewer;
            if (!isMoved || attempt === MAX_TRIES) throw error;
        }
    }
}

/** Where Linux lists the open files of a process. */
const PINNED_FOLDER = '/proc/self/fd/';

/** The folder of pinned paths, and the folders that they resolve to before and after a part is replaced. */
async function listFolders(dir: string): Promise<readonly string[]> {
    const real = await realpath(dir);
    return [PINNED_FOLDER, ...[PARTS, REPLACED, AGGREGATES].map((name) => join(real, name))];
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
        // Moved between lookup and open: it is in the other folder now.
        const now = await locatePart(dir, part);
        if (hasStarted || now === path) throw error;
        yield* codec.readRecords(now);
    }
}

/** Current path of a part: in `parts/`, or in `replaced/` for ten minutes after it was replaced. */
export async function locatePart(dir: string, part: PartInfo): Promise<string> {
    const live = join(dir, part.path);
    if (await isThere(live)) return live;
    const replaced = join(dir, REPLACED, basename(part.path));
    if (await isThere(replaced)) return replaced;
    throw new UserError(
        `${live} is missing: it was replaced more than ten minutes ago, or was removed; run this again`,
    );
}
