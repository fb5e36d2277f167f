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

/** One generation of a database, whole, whatever its writer does meanwhile. Needs no lock. */
export interface Generation {
    readonly manifest: Manifest;
    /** Paths of the parts as they can be opened now; a writer may move them later, see `locatePart`. */
    paths(): Promise<readonly { readonly path: string; readonly part: PartInfo }[]>;
    /**
     * Every record once, some thousands at a time. Resolves when every part is there and its codec is loaded, so that nobody
     * begins an output that cannot be finished.
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
            `there is no database in ${dir}: make one with \`resume-run collect --from results\``,
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

/** A generation whose files are open: they can be read however long it takes, whatever the writer does meanwhile. */
export interface PinnedGeneration {
    readonly parts: readonly { readonly path: string; readonly part: PartInfo }[];
    /** Cells of earlier databases, as JSON lines. */
    readonly aggregates: readonly { readonly path: string; readonly info: AggregateInfo }[];
    /** Every folder that one of the paths may lead to. */
    readonly folders: readonly string[];
    close(): Promise<void>;
}

/** Times that a reader starts again because the writer was quicker. */
const MOST_TRIES = 5;

/**
 * Opens every file of the generation that readers see now. A compaction that moves one away meanwhile makes it start again.
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
            // Another name of the open file, which moving or removing it does not change.
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
            if (!isMoved || attempt === MOST_TRIES) throw error;
        }
    }
}

/** Where Linux names the open files of a process. */
const PINNED_FOLDER = '/proc/self/fd/';

/** The pinned names, and what they lead to before and after a part is replaced. */
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
