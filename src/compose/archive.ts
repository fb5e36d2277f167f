import { existsSync } from 'node:fs';
import { archiveResults as moveAway } from '../checkpoint/archive.js';
import { ArchiveList } from '../checkpoint/archive-list.js';
import { IndexFile } from '../checkpoint/index-file.js';
import { acquireLock } from '../host/lock.js';
import { sweep } from '../host/sweep.js';
import { type ExitCode, UserError } from '../util/user-error.js';
import type { Place } from './place.js';

/** `resume-run archive`. */
export async function archiveResults(
    asked: Place & { to: string; takeOver: boolean; json: boolean },
): Promise<ExitCode> {
    const { dir, checkpoints: checkpointsDir, to, takeOver } = asked;
    if (!existsSync(dir)) throw new UserError(`there is no results directory ${dir}: nothing to archive`);
    const onNotice = (message: string): void => void process.stderr.write(`${message}\n`);
    const lock = await acquireLock({ checkpointsDir, dir, shard: null, takeOver, onNotice });
    try {
        await sweep([dir, checkpointsDir], () => Promise.resolve(new Set([lock.id])));
        const [list, index] = await Promise.all([
            ArchiveList.load(checkpointsDir),
            IndexFile.load(checkpointsDir, null, lock.id),
        ]);
        const kind = to.endsWith('.tar') ? 'tar' : 'folder';
        const moved = await moveAway({ dir, list, index, holder: lock.id, target: { kind, path: to } });
        await index.save();
        process.stdout.write(
            asked.json
                ? `${JSON.stringify(moved)}\n`
                : `${moved.samples} finished samples (${moved.bytes} bytes) moved from ${dir} to ${moved.path}\n`,
        );
        return 0;
    } finally {
        await lock.release();
    }
}
