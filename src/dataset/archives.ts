import { createWriteStream } from 'node:fs';
import { mkdir, utimes } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { Transform } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { crc32 } from 'node:zlib';
import type { Entry, ZipFile } from 'yauzl';
import { WriteError } from '../host/write-error.js';
import { getIoCode } from '../util/io-error.js';
import { getMessage } from '../util/message.js';
import { shortenPath } from '../util/shown-path.js';
import { UserError } from '../util/user-error.js';
import { isInside } from './file-content.js';

/*
 * Zip archives that hold problem packages, the form in which contest systems export them. They are unpacked into scratch files
 * and read like folders. Names that lead out of the folder, links, and archives beyond the bounds are refused. So are files that
 * share their bytes, which would let a few kilobytes hold any number of files.
 */

const MAX_ENTRIES = 200_000;
/** Most bytes of all files of an archive, once unpacked. */
const MAX_UNPACKED_BYTES = 16 * 1024 ** 3;
/** Archives larger than this once unpacked are refused if they also grow by more than `MAX_GROWTH` times. */
const SUSPICIOUS_BYTES = 1024 ** 3;
const MAX_GROWTH = 200;
/** The fixed part of a file's local header. */
const LOCAL_HEADER_BYTES = 30;

const MANIFEST = /(^|\/)(problem\.yaml|problem\.xml|domjudge-problem\.ini)$/;

/** Whether an archive holds a problem package; false if it is not a zip archive. */
export async function holdsPackages(path: string): Promise<boolean> {
    try {
        let count = 0;
        // An archive with too many files counts as one with packages: unpacking it reports the error.
        for await (const { fileName } of readEntries(await openArchive(path)))
            if (MANIFEST.test(fileName) || ++count > MAX_ENTRIES) return true;
        return false;
    } catch {
        return false;
    }
}

/**
 * Unpacks an archive into a folder, which it creates.
 * @throws UserError if the archive is damaged, too large, or has names that lead out of the folder; WriteError if the disk is
 * full
 */
export async function unpackArchive(path: string, folder: string): Promise<void> {
    const place = shortenPath(path);
    await mkdir(folder, { recursive: true, mode: 0o700 });
    try {
        await checkBounds(path, place);
        const archive = await openArchive(path);
        for await (const entry of readEntries(archive))
            if (isPlainFile(entry)) await unpackEntry(archive, entry, folder);
    } catch (error) {
        if (error instanceof UserError) throw error;
        if (getIoCode(error) === 'ENOSPC' || getIoCode(error) === 'EDQUOT')
            throw new WriteError(folder, getMessage(error), { cause: error });
        throw new UserError(`${place}: cannot be unpacked: ${getMessage(error)}`);
    }
}

/** Runs before anything is written. @throws UserError */
async function checkBounds(path: string, place: string): Promise<void> {
    const archive = await openArchive(path);
    const { fileSize } = archive;
    const places: (readonly [start: number, end: number])[] = [];
    let bytes = 0;
    for await (const entry of readEntries(archive)) {
        bytes += entry.uncompressedSize;
        if (places.length === MAX_ENTRIES)
            throw new UserError(`${place}: holds more than ${MAX_ENTRIES} files`);
        if (bytes > MAX_UNPACKED_BYTES) throw new UserError(`${place}: is larger than 16 GiB once unpacked`);
        if (bytes > SUSPICIOUS_BYTES && bytes > MAX_GROWTH * fileSize)
            throw new UserError(`${place}: expands to more than ${MAX_GROWTH} times its size`);
        const start = entry.relativeOffsetOfLocalHeader;
        places.push([start, start + LOCAL_HEADER_BYTES + entry.fileNameLength + entry.compressedSize]);
    }
    places.sort(([a], [b]) => a - b);
    if (places.some(([start], i) => i > 0 && start < (places[i - 1]?.[1] ?? 0)))
        throw new UserError(`${place}: contains overlapping files, as zip bombs do`);
}

/** yauzl refuses names that are absolute or contain `..`, and files larger than their header says. */
async function openArchive(path: string): Promise<ZipFile> {
    // Imported lazily: few datasets are archives, and every start would load it.
    const { openPromise } = await import('yauzl');
    return await openPromise(path);
}

async function* readEntries(archive: ZipFile): AsyncGenerator<Entry> {
    try {
        yield* archive.eachEntry();
    } finally {
        archive.close();
    }
}

/** Neither a folder nor a link: links could lead to files outside the archive. */
function isPlainFile({ fileName, externalFileAttributes }: Entry): boolean {
    const kind = (externalFileAttributes >>> 16) & 0o170000;
    return !fileName.endsWith('/') && (kind === 0 || kind === 0o100000);
}

async function unpackEntry(archive: ZipFile, entry: Entry, folder: string): Promise<void> {
    const target = join(folder, entry.fileName);
    if (!isInside(folder, target))
        throw new UserError(`the name ${JSON.stringify(entry.fileName)} leads outside the archive`);
    await mkdir(dirname(target), { recursive: true, mode: 0o700 });
    const stream = await archive.openReadStreamPromise(entry);
    const file = createWriteStream(target, { flags: 'wx', mode: 0o600 });
    await pipeline(stream, checkSum(entry), file).catch((error: unknown) => {
        if (getIoCode(error) !== 'EEXIST') throw error;
        throw new Error(`it contains ${JSON.stringify(entry.fileName)} twice`);
    });
    // Packages are recognised by the times of their files: unpacked again, it must be the same package.
    const time = entry.getLastModDate();
    await utimes(target, time, time);
}

/** yauzl does not verify checksums; without this, a file damaged in transfer would be judged. */
function checkSum({ fileName, crc32: expected }: Entry): Transform {
    let sum = 0;
    return new Transform({
        transform(chunk: Buffer, _encoding, done) {
            sum = crc32(chunk, sum);
            done(null, chunk);
        },
        flush(done) {
            done(sum === expected ? null : new Error(`the checksum of ${JSON.stringify(fileName)} is wrong`));
        },
    });
}
