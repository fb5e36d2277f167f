import { copyFile, open, readdir, rename, rm } from 'node:fs/promises';
import { basename, dirname, join, resolve } from 'node:path';
import { makeDirectory, syncDirectory } from '../../host/durable-write.js';
import { hashFile } from '../../host/hash-file.js';
import { makeStagingName } from '../../host/staging-name.js';
import { isSameStamp, stampFile } from '../../host/stamp.js';
import { WriteError } from '../../host/write-error.js';
import type { FileStamp } from '../../model/checkpoint.js';
import { listOutputFiles } from '../../model/output-file.js';
import { describeIoError } from '../../util/io-error.js';
import { UserError } from '../../util/user-error.js';
import type { ArchivedFile, ArchiveList } from './archive-list.js';
import type { IndexFile } from '../index/index-file.js';
import { readCheckpointFileAtOnce } from '../result-file/read-file.js';
import { writeTar } from '../../host/write-tar.js';
import { readTarContents, type TarContent } from './tar-file.js';

export interface ArchiveOptions {
    /** The results directory. Hold its lock. */
    readonly dir: string;
    readonly list: ArchiveList;
    /** Id of this run, for temporary files. */
    readonly holder: string;
    /** A tar that does not exist yet, or a folder. */
    readonly target: { readonly kind: 'tar' | 'folder'; readonly path: string };
    /** Which finished samples; all if absent. */
    readonly select?: (id: string) => boolean;
    /** Keeps restarts quick: archived samples stay known without being opened. */
    readonly index?: IndexFile;
}

export interface Archived {
    readonly samples: number;
    readonly bytes: number;
    /** Output files that the archived entries name. They stay in place: other entries may name them too. */
    readonly outputs: number;
    /** Absolute path of the tar or folder. */
    readonly path: string;
}

/** A finished result file, without its content: hundreds of thousands may be archived at once. */
interface Candidate {
    readonly id: string;
    readonly stamp: FileStamp;
    readonly name: string;
    readonly path: string;
}

/**
 * Moves the files of finished samples into a tar or a folder: copied, read back and compared, listed in archive.json, all
 * durably, and only then removed. If it is killed at any point, every result is still in at least one known place.
 * @throws UserError (exit 2), WriteError
 */
export async function archiveResults(options: ArchiveOptions): Promise<Archived> {
    const path = resolve(options.target.path);
    if (path === resolve(options.dir)) throw new UserError(`${path} is the results directory itself`);
    const { files, outputs } = await listFinished(options);
    if (files.length === 0) return { samples: 0, bytes: 0, outputs: 0, path };
    try {
        const kept =
            options.target.kind === 'tar'
                ? await toTar(path, files, options)
                : await toFolder(path, files, options);
        await options.list.add({ kind: options.target.kind, path, files: kept }, options.holder);
        let samples = 0;
        for (const { id, stamp: before, path: source } of files) {
            const now = stampFile(source);
            if (now === null || !isSameStamp(now, before)) continue;
            await rm(source);
            samples += 1;
            const stamp = options.list.stamp(id);
            if (stamp !== null) options.index?.restamp(id, before, stamp);
        }
        await syncDirectory(options.dir);
        const bytes = files.reduce((sum, file) => sum + file.stamp.size, 0);
        return { samples, bytes, outputs, path };
    } catch (error) {
        if (error instanceof UserError || error instanceof WriteError) throw error;
        throw new WriteError(path, describeIoError(error), { cause: error });
    }
}

async function listFinished(
    options: ArchiveOptions,
): Promise<{ readonly files: readonly Candidate[]; readonly outputs: number }> {
    const files: Candidate[] = [];
    const outputs = new Set<string>();
    for (const name of (await readdir(options.dir)).sort()) {
        if (!name.endsWith('.json') || name.startsWith('.')) continue;
        const path = join(options.dir, name);
        const result = await readCheckpointFileAtOnce(path);
        if (result.kind !== 'checkpoint') continue;
        const { id, isComplete, stamp, origin } = result.checkpoint;
        if (!isComplete || origin !== 'resume-run' || options.select?.(id) === false) continue;
        files.push({ id, stamp, name, path });
        for (const list of result.checkpoint.entries.values()) {
            for (const { entry } of list)
                for (const { sha256 } of listOutputFiles(entry)) outputs.add(sha256);
        }
    }
    return { files, outputs: outputs.size };
}

async function toTar(
    path: string,
    files: readonly Candidate[],
    options: ArchiveOptions,
): Promise<ArchivedFile[]> {
    if (stampFile(path) !== null) throw new UserError(`${path} exists: name a tar that does not`);
    await makeDirectory(dirname(path));
    const staging = join(dirname(path), makeStagingName(basename(path), options.holder));
    try {
        await writeTar(
            staging,
            files.map(({ name, path: source, stamp }) => ({
                name: `${basename(options.dir)}/${name}`,
                path: source,
                size: stamp.size,
                modified: Number(BigInt(stamp.mtime) / 1_000_000n),
            })),
        );
        const contents = await readTarContents(staging);
        const archived: ArchivedFile[] = [];
        for (const [at, file] of files.entries()) archived.push(await compareFiles(file, contents[at], path));
        await rename(staging, path);
        await syncDirectory(dirname(path));
        return archived;
    } finally {
        await rm(staging, { force: true });
    }
}

async function compareFiles(
    file: Candidate,
    content: TarContent | undefined,
    path: string,
): Promise<ArchivedFile> {
    if (content === undefined || content.sha256 !== (await hashFile(file.path)).sha256) {
        throw new WriteError(path, `${file.name} did not arrive in it as it is`);
    }
    return { id: file.id, name: file.name, ...content };
}

async function toFolder(
    path: string,
    files: readonly Candidate[],
    options: ArchiveOptions,
): Promise<ArchivedFile[]> {
    await makeDirectory(path);
    const archived: ArchivedFile[] = [];
    for (const file of files) {
        const target = join(path, file.name);
        const staging = join(path, makeStagingName(file.name, options.holder));
        try {
            await copyFile(file.path, staging);
            const handle = await open(staging, 'r+');
            try {
                await handle.sync();
            } finally {
                await handle.close();
            }
            const { sha256 } = await hashFile(staging);
            const there = stampFile(target) === null ? null : await hashFile(target);
            if (there !== null && there.sha256 !== sha256)
                throw new UserError(`${target} exists, with other content`);
            archived.push(await compareFiles(file, { offset: 0, size: file.stamp.size, sha256 }, target));
            await rename(staging, target);
        } finally {
            await rm(staging, { force: true });
        }
    }
    await syncDirectory(path);
    return archived;
}
