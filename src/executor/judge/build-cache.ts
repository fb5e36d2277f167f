import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdir, mkdtemp, rename, rm, stat, utimes, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { isReachable } from '../sandbox/reachable.js';
import { getIoCode } from '../../util/io-error.js';
import type { StandardLibrary } from './language.js';
import type { UsableLanguage } from './toolchains.js';

const FOLDER = 'standard-libraries';

/**
 * Milliseconds between checks of a waiting process, between signs of life of the filling process, and without a sign of life
 * until that counts as dead.
 */
const LOOK_MS = 250;
const BEAT_MS = 10_000;
const DEAD_MS = 60_000;

/** Milliseconds that filling may take, even on a heavily loaded machine. */
const FILL_MS = 900_000;

/**
 * A compiler's build cache of its standard library, filled once and available read-only to every compilation: without it, `go
 * build` compiles everything that a program imports, which takes half a minute of CPU time for a hello-world. Only our own
 * programs fill it, so submissions cannot plant anything there for others.
 */
export class BuildCache {
    readonly #beside: string;
    readonly #made = new Map<string, Promise<string | null>>();

    /** @param compileCache the folder of compiled submissions; this cache is created beside it */
    constructor(compileCache: string) {
        this.#beside = join(dirname(compileCache), FOLDER);
    }

    /** The filled folder of a language; null: the language needs none, or it could not be filled (compilations are slow then). */
    async get(usable: UsableLanguage): Promise<string | null> {
        const { compiler, language } = usable;
        if (language.standardLibrary === undefined || compiler === null) return null;
        const key = createHash('sha256').update(`${compiler.path}\0${compiler.version}`).digest('hex');
        const folder = join(await this.#place(), `${language.tag.toLowerCase()}-${key.slice(0, 16)}`);
        const making = this.#made.get(folder) ?? this.#make(folder, compiler.path, language.standardLibrary);
        this.#made.set(folder, making);
        return making;
    }

    /** As root, compilers run as another user, who must be able to reach the folder. */
    async #place(): Promise<string> {
        if (process.getuid?.() !== 0 || (await isReachable(dirname(this.#beside)))) return this.#beside;
        return join('/var/cache/resume-run', FOLDER);
    }

    /** One of several workers and runs fills the folder; the others wait. */
    async #make(folder: string, compiler: string, library: StandardLibrary): Promise<string | null> {
        const claim = `${folder}.filling`;
        try {
            await mkdir(dirname(folder), { recursive: true, mode: 0o755 });
            for (;;) {
                if (await isThere(folder)) return folder;
                if (await isClaimed(claim)) break;
                if (await isDead(claim)) await rm(claim, { recursive: true, force: true });
                await new Promise((resolve) => setTimeout(resolve, LOOK_MS));
            }
        } catch {
            // The folder cannot be written: each program is compiled slowly together with the library.
            return null;
        }
        const beat = setInterval(
            () => void utimes(claim, new Date(), new Date()).catch(() => undefined),
            BEAT_MS,
        );
        try {
            await fill(folder, compiler, library);
            return folder;
        } catch {
            return (await isThere(folder)) ? folder : null;
        } finally {
            clearInterval(beat);
            await rm(claim, { recursive: true, force: true }).catch(() => undefined);
        }
    }
}

async function fill(folder: string, compiler: string, library: StandardLibrary): Promise<void> {
    const staging = await mkdtemp(`${folder}.`);
    try {
        const [cache, file, out] = ['cache', library.file, 'out'].map((name) => join(staging, name)) as [
            string,
            string,
            string,
        ];
        await writeFile(file, library.source);
        const args = library.command.map((word) => word.replace('{file}', file).replace('{out}', out));
        await promisify(execFile)(compiler, args, {
            cwd: staging,
            timeout: FILL_MS,
            env: {
                PATH: `${dirname(compiler)}:/usr/local/bin:/usr/bin:/bin`,
                HOME: staging,
                [library.cacheVariable]: cache,
            },
        });
        await rename(cache, folder);
    } finally {
        await rm(staging, { recursive: true, force: true });
    }
}

const isThere = async (folder: string): Promise<boolean> =>
    (await stat(folder).catch(() => null))?.isDirectory() === true;

/** Tries to take the claim; true if it is ours now. */
async function isClaimed(claim: string): Promise<boolean> {
    try {
        await mkdir(claim);
        return true;
    } catch (error) {
        if (getIoCode(error) === 'EEXIST') return false;
        throw error;
    }
}

async function isDead(claim: string): Promise<boolean> {
    const stats = await stat(claim).catch(() => null);
    return stats !== null && Date.now() - stats.mtimeMs > DEAD_MS;
}
