import { randomBytes } from 'node:crypto';
import { rename, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import { readTextFile } from '../../host/open-file.js';
import { isJsonObject, type Json } from '../../model/json.js';

/** Changes that the user requests of a running run: `control.json` in its checkpoints folder, written by `resume-run set`. */
export interface Control {
    /** Tasks at once. */
    readonly concurrency: number;
    /** Time of the request: ISO 8601, UTC. */
    readonly at: string;
}

export const CONTROL_FILE = 'control.json';

/**
 * Requests a change of the run of a checkpoints folder. The file is replaced as a whole, so that no reader sees half of it; it
 * need not survive a power cut.
 * @throws the file system's error, ENOENT if the folder does not exist
 */
export async function writeControl(folder: string, control: Control): Promise<void> {
    const file = join(folder, CONTROL_FILE);
    const temporary = join(folder, `.${CONTROL_FILE}.${randomBytes(6).toString('hex')}.tmp`);
    try {
        await writeFile(temporary, `${JSON.stringify(control, null, 4)}\n`, { flag: 'wx' });
        await rename(temporary, file);
    } catch (error) {
        await rm(temporary, { force: true });
        throw error;
    }
}

/** The latest request; null if there is none, or if the file holds something else. */
export async function readControl(folder: string): Promise<Control | null> {
    let data: Json;
    try {
        data = JSON.parse(await readTextFile(join(folder, CONTROL_FILE))) as Json;
    } catch {
        // Never written, being replaced, or edited by hand: none of these may end a run.
        return null;
    }
    if (!isJsonObject(data)) return null;
    const { concurrency, at } = data;
    if (typeof concurrency !== 'number' || !Number.isSafeInteger(concurrency) || concurrency < 1) return null;
    return { concurrency, at: typeof at === 'string' ? at : '' };
}

/**
 * Reports each change requested from now on; requests made to an earlier run are ignored. The file is polled, not watched:
 * polling works on every file system and over the network.
 * @param interval milliseconds between polls
 * @returns a function that stops polling. The timer does not keep the process alive
 */
export async function watchControl(
    folder: string,
    onChange: (control: Control) => void,
    interval = 1000,
): Promise<() => void> {
    let seen = await readStamp(folder);
    let told: Control | null = null;
    let looking = false;
    let stopped = false;
    const look = async (): Promise<void> => {
        const stamp = await readStamp(folder);
        if (stamp === seen) return;
        seen = stamp;
        const control = await readControl(folder);
        // A file that is replaced between two polls is seen twice.
        if (control === null || stopped || isDeepStrictEqual(control, told)) return;
        told = control;
        onChange(control);
    };
    const timer = setInterval(() => {
        if (looking) return;
        looking = true;
        void look().finally(() => {
            looking = false;
        });
    }, interval).unref();
    return () => {
        stopped = true;
        clearInterval(timer);
    };
}

/** Which file it is and when it was written; empty if there is none. */
async function readStamp(folder: string): Promise<string> {
    try {
        const { ino, mtimeNs, size } = await stat(join(folder, CONTROL_FILE), { bigint: true });
        return `${ino} ${mtimeNs} ${size}`;
    } catch {
        return '';
    }
}
