import { constants } from 'node:fs';
import { access, chmod, lstat, mkdir, rm, writeFile } from 'node:fs/promises';
import { randomBytes } from 'node:crypto';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { getMessage } from '../../util/message.js';

/**
 * `resume-run` in the cache folder of the user, else `resume-run-<uid>` in the folder for temporary files; mode 0700.
 * @throws Error if somebody else owns what is there
 */
export async function cacheFolder(): Promise<string> {
    return firstPlace(async () => null);
}

/**
 * The same, for programs of ours: passes over places on file systems that run none (`noexec`).
 * @throws Error if there is no such place
 */
export async function programCacheFolder(): Promise<string> {
    return firstPlace(whyNoneRuns);
}

/** @param whyNot what is wrong with a place that is ours; null: nothing */
async function firstPlace(whyNot: (place: string) => Promise<string | null>): Promise<string> {
    let problem = 'no place for it';
    for (const place of cachePlaces()) {
        try {
            const wrong = (await makeOurs(place)) ?? (await whyNot(place));
            if (wrong === null) return place;
            problem = `${place} ${wrong}`;
        } catch (error) {
            problem = getMessage(error);
        }
    }
    throw new Error(`no cache folder: ${problem}`);
}

const userId = (): number => process.getuid?.() ?? 0;

function cachePlaces(): readonly string[] {
    const { XDG_CACHE_HOME, HOME } = process.env;
    const home = XDG_CACHE_HOME || (HOME && join(HOME, '.cache'));
    const inTemporary = [tmpdir(), '/var/tmp', '/tmp'].map((folder) =>
        join(folder, `resume-run-${userId()}`),
    );
    return [...new Set([...(home ? [join(home, 'resume-run')] : []), ...inTemporary])];
}

/** Makes a folder that only we may enter. @returns what is wrong with one that is there */
async function makeOurs(place: string): Promise<string | null> {
    await mkdir(place, { recursive: true, mode: 0o700 });
    const info = await lstat(place);
    if (!info.isDirectory() || info.uid !== userId()) return 'is not ours';
    await chmod(place, 0o700);
    return null;
}

/** The kernel says of a file on a `noexec` file system that it may not be executed, whatever its mode. */
async function whyNoneRuns(place: string): Promise<string | null> {
    const file = join(place, `try-${randomBytes(8).toString('hex')}`);
    try {
        await writeFile(file, '', { mode: 0o700 });
        await access(file, constants.X_OK);
        return null;
    } catch {
        return 'runs no programs (mounted noexec?)';
    } finally {
        await rm(file, { force: true });
    }
}
