import { randomBytes } from 'node:crypto';
import { mkdir, readdir, rename, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { getIoCode } from '../../util/io-error.js';
import { UserError } from '../../util/user-error.js';
import type { MakingOptions } from '../executor-kind.js';
import { SandboxError } from '../sandbox/sandbox-error.js';
import { FinishedTests } from './finished-tests.js';
import { CheckerError } from './judge-programs.js';

const UNFINISHED = '.unfinished-';
/** After so long no start is still at it. */
const DAY_MS = 24 * 3600 * 1000;

/** Nobody records it: the samples of a run that stops are left as they are. */
const STOPPED = 'the run was stopped';

/** Tests that are to be in a folder of their own. */
export interface Making<T> {
    /** Hash of everything that decides what they are. */
    readonly digest: string;
    /** Whose they are, for messages. */
    readonly what: string;
    /** `making 3 tests of add by its generators` */
    notice(unfinished: FinishedTests): Promise<string>;
    /** What a finished folder holds; null where it is not one. */
    read(folder: string): Promise<T | null>;
    /**
     * @param unfinished what it may keep for a start after one that is killed
     * @throws CheckerError where the package is at fault, SandboxError
     */
    make(folder: string, unfinished: FinishedTests): Promise<void>;
}

/**
 * The tests that programs of packages made, by the content of what made them: a generator that gives something else each time
 * does so once for each results directory.
 */
export class KeptTests {
    #last: Promise<unknown> = Promise.resolve();

    constructor(private readonly options: MakingOptions) {}

    /** @returns a text that says why they cannot be made @throws UserError where the machine failed */
    find<T>(making: Making<T>): Promise<T | string> {
        // One package at a time: they have the machine to themselves, and generators hold much memory.
        const found = this.#last.then(() => this.#findOrMake(making));
        this.#last = found.catch(() => undefined);
        return found;
    }

    async #findOrMake<T>(making: Making<T>): Promise<T | string> {
        const { signal, notify } = this.options;
        const folder = join(this.options.folder, making.digest);
        const known = await making.read(folder);
        if (known !== null) return known;
        if (signal.aborted) return STOPPED;
        await removeUnfinished(this.options.folder);
        const finished = new FinishedTests(join(this.options.folder, `${UNFINISHED}${making.digest}`));
        notify(await making.notice(finished));
        const unfinished = join(this.options.folder, `${UNFINISHED}${randomBytes(8).toString('hex')}`);
        try {
            const make = (): Promise<void> => makeIn(unfinished, making, finished);
            await make().catch(async (error: unknown) => {
                // A sandbox may break once, and another shard take away what it has used; a generator that is at fault would be so again.
                if (!(error instanceof SandboxError || getIoCode(error) === 'ENOENT') || signal.aborted)
                    throw error;
                if ((await making.read(folder)) === null) await make();
            });
            await rename(unfinished, folder).catch(async (error: unknown) => {
                // Another shard was quicker.
                if ((await making.read(folder)) === null) throw error;
            });
            await finished.remove();
            return (await making.read(folder)) ?? 'what was made could not be read';
        } catch (error) {
            if (signal.aborted) return STOPPED;
            if (error instanceof CheckerError && error.failure.reason === 'judge-error') {
                await finished.remove();
                return error.message;
            }
            if (error instanceof CheckerError || error instanceof SandboxError)
                throw new UserError(`${making.what}: its tests could not be made: ${error.message}`, 2, {
                    cause: error,
                });
            throw error;
        } finally {
            await rm(unfinished, { recursive: true, force: true });
        }
    }
}

async function makeIn<T>(folder: string, making: Making<T>, finished: FinishedTests): Promise<void> {
    await rm(folder, { recursive: true, force: true });
    await mkdir(folder, { recursive: true, mode: 0o700 });
    await making.make(folder, finished);
}

/** What a killed start left behind. */
async function removeUnfinished(folder: string): Promise<void> {
    const names = await readdir(folder).catch((): string[] => []);
    for (const name of names.filter((each) => each.startsWith(UNFINISHED))) {
        const made = await stat(join(folder, name)).catch(() => null);
        if (made !== null && Date.now() - made.mtimeMs > DAY_MS)
            await rm(join(folder, name), { recursive: true, force: true });
    }
}
