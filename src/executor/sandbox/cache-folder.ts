import { constants } from 'node:fs';
import { access, chmod, lstat, mkdir, rm, writeFile } from 'node:fs/promises';
import { randomBytes } from 'node:crypto';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { getMessage } from '../../util/message.js';

/**
 * `resume-run` in the user's cache folder, or else `resume-run-<uid>` in a folder for temporary files; mode 0700.
 * @throws Error if another user owns it
 */
export async function cacheFolder(): Promise<string> {
    return firstPlace(async () => null);
}

/**
 * The same for executables of ours: skips file systems that do not allow execution (`noexec`).
 * @throws Error if there is no suitable folder
 */
export async function programCacheFolder(): Promise<string> {
    return firstPlace(explainNoExecution);
}

/** @param whyNot describes what is wrong with a folder that is ours; null: nothing */
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

/** Creates a folder that only our user may enter. @returns what is wrong with an existing one */
async function makeOurs(place: string): Promise<string | null> {
    await mkdir(place, { recursive: true, mode: 0o700 });
    const info = await lstat(place);
    if (!info.isDirectory() || info.uid !== userId()) return 'is not ours';
    await chmod(place, 0o700);
    return null;
}

/** For a file on a `noexec` file system, the kernel reports that it may not be executed, whatever its mode. */
async function explainNoExecution(place: string): Promise<string | null> {
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
