import { chmod, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { readTextFile } from './open-file.js';
import { type HolderIdentity, judgeLife, ownIdentity } from './lock-identity.js';
import { getMessage } from '../util/message.js';
import { UserError } from '../util/user-error.js';

/** A folder for scratch files of this run, ours alone. */
export interface Scratch {
    readonly path: string;
    remove(): Promise<void>;
}

const PREFIX = `resume-run-${process.geteuid?.() ?? 0}-`;
const OWNER_FILE = 'owner.json';

/**
 * Makes a scratch folder under the system's temporary folder (`TMPDIR`), and removes those left behind by runs that were killed:
 * only of our own user, and only if /proc says that their process is gone.
 * @throws UserError exit 4 if none can be made
 */
export async function openScratch(): Promise<Scratch> {
    try {
        await sweepScratch();
        const path = await mkdtemp(join(tmpdir(), PREFIX));
        // Other users may pass through to files that they are handed (boxes of programs that run as another user), but list
        // nothing.
        await chmod(path, 0o711);
        await writeFile(join(path, OWNER_FILE), JSON.stringify(ownIdentity()), { mode: 0o600 });
        // The next start sweeps what cannot be removed now: a finished run must not fail because of it.
        return { path, remove: () => rm(path, { recursive: true, force: true }).catch(() => undefined) };
    } catch (error) {
        throw new UserError(
            `cannot make a scratch folder in ${tmpdir()}: ${getMessage(error)}; TMPDIR names another place`,
            4,
            { cause: error },
        );
    }
}

async function sweepScratch(): Promise<void> {
    const own = ownIdentity();
    for (const name of await readdir(tmpdir())) {
        if (!name.startsWith(PREFIX)) continue;
        const path = join(tmpdir(), name);
        try {
            const owner = JSON.parse(await readTextFile(join(path, OWNER_FILE))) as HolderIdentity;
            if (judgeLife(owner, own) === 'dead') await rm(path, { recursive: true, force: true });
        } catch {
            // Being created or removed by another process, or not ours to read: leave it.
        }
    }
}
