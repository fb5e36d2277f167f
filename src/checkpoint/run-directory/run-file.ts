import { statSync } from 'node:fs';
import { chmod, link, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { DurableWriter, makeDirectory, syncDirectory } from '../../host/durable-write.js';
import { readTextFile } from '../../host/open-file.js';
import { makeStagingName } from '../../host/staging-name.js';
import { getIoCode, describeIoError, readReason } from '../../util/io-error.js';
import { UserError } from '../../util/user-error.js';
import { describeProblem, type RunFile, parseRunFile } from './run-file-shape.js';

/*
 * checkpoints/<dir>/run.json: what a bare restart needs to know. Results do not depend on it: without it, the user has to name
 * datasets and options again.
 */

export type { RunFile } from './run-file-shape.js';

const NAME = 'run.json';
const MODE = 0o600;

/**
 * @param dir `checkpoints/<dir name>`
 * @returns null if there is none
 * @throws UserError (exit 2) if it cannot be understood
 */
export async function readRunFile(dir: string): Promise<RunFile | null> {
    const path = join(dir, NAME);
    let text: string;
    try {
        text = await readTextFile(path);
    } catch (error) {
        if (getIoCode(error) === 'ENOENT') return null;
        throw new UserError(`cannot read ${path}: ${readReason(error)}`, 2, { cause: error });
    }
    // A power cut may leave an empty file, or zero bytes: treat it as missing, and write it again.
    if (/^[\s\0]*$/.test(text)) return null;
    const json = parse(text);
    const run = parseRunFile(json);
    if (run !== null) return run;
    throw new UserError(
        `${path} is damaged (${describeProblem(json)}): move it away and name the dataset again; no result depends on it`,
    );
}

/** Owner and permissions of a run.json; null if there is none. @param dir `checkpoints/<dir name>` */
export function statRunFile(dir: string): { readonly uid: number; readonly mode: number } | null {
    return statSync(join(dir, NAME), { throwIfNoEntry: false }) ?? null;
}

/**
 * Restricts run.json to its owner: commands may hold secrets, and are stored unchanged because a resuming start needs them.
 * Version 0.1 left the file readable. Does nothing if permissions cannot be changed (another owner, a file system without
 * permissions).
 */
export async function restrictRunFile(dir: string): Promise<void> {
    const stats = statRunFile(dir);
    if (stats === null || (stats.mode & 0o077) === 0) return;
    await chmod(join(dir, NAME), MODE).catch(() => undefined);
}

function parse(text: string): unknown {
    try {
        return JSON.parse(text);
    } catch {
        return undefined;
    }
}

/**
 * Creates run.json if there is none; if several shards start together, one wins.
 * @returns what stands there now, ours or the other's
 * @throws UserError, WriteError
 */
export async function createRunFile(
    dir: string,
    holder: string,
    run: RunFile,
): Promise<{ readonly created: boolean; readonly run: RunFile }> {
    const staging = join(dir, makeStagingName(NAME, holder));
    try {
        await makeDirectory(dir);
        await writeFile(staging, formatRunFile(run), { flag: 'wx', flush: true, mode: MODE });
        // Appears whole or not at all, and only if there was none.
        await link(staging, join(dir, NAME));
        await syncDirectory(dir);
        return { created: true, run };
    } catch (error) {
        const code = getIoCode(error);
        const there = code === null ? null : await readRunFile(dir);
        if (there !== null) return { created: false, run: there };
        // An empty file stands there, or the file system has no hard links: the lock alone keeps others away.
        if (
            code === 'EEXIST' ||
            code === 'EPERM' ||
            code === 'ENOTSUP' ||
            code === 'EOPNOTSUPP' ||
            code === 'ENOSYS'
        ) {
            await writeRunFile(dir, holder, run);
            return { created: true, run };
        }
        throw new UserError(`cannot create ${join(dir, NAME)}: ${describeIoError(error)}`, 4, {
            cause: error,
        });
    } finally {
        await rm(staging, { force: true }).catch(() => undefined);
    }
}

/** Replaces run.json, durably. Call it holding the lock. @throws WriteError */
export async function writeRunFile(dir: string, holder: string, run: RunFile): Promise<void> {
    await new DurableWriter(dir, holder).write(NAME, [Buffer.from(formatRunFile(run))], MODE);
}

function formatRunFile(run: RunFile): string {
    return `${JSON.stringify(run, null, 4)}\n`;
}
