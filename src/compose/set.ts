import { type Control, writeControl } from '../checkpoint/control.js';
import { listLocks } from '../host/lock-file.js';
import { lifeOf, ownIdentity } from '../host/lock-identity.js';
import { ioCode, ioReason } from '../util/io-error.js';
import { type ExitCode, UserError } from '../util/user-error.js';
import type { Place } from './place.js';

/** `resume-run set`: asks the run that holds a directory for a change. */
export async function changeRun(asked: Place & { concurrency: number; json: boolean }): Promise<ExitCode> {
    const control: Control = { concurrency: asked.concurrency, at: new Date().toISOString() };
    try {
        await refuseWithoutRun(asked);
        await writeControl(asked.checkpoints, control);
    } catch (error) {
        if (error instanceof UserError) throw error;
        if (ioCode(error) === 'ENOENT') {
            throw new UserError(`no run was started into ${asked.dir} (${asked.checkpoints} is missing)`);
        }
        throw new UserError(`cannot write into ${asked.checkpoints}: ${ioReason(error)}`, 2, {
            cause: error,
        });
    }
    process.stdout.write(
        asked.json
            ? `${JSON.stringify(control)}\n`
            : `asked the run on ${asked.dir} for ${asked.concurrency} ${asked.concurrency === 1 ? 'task' : 'tasks'} at once\n`,
    );
    return 0;
}

/** Concurrency is not remembered: to change it for nobody would be lost without a word. */
async function refuseWithoutRun({ dir, checkpoints }: Place): Promise<void> {
    const own = ownIdentity();
    const locks = await listLocks(checkpoints);
    const held = locks.some(
        ({ released, content }) =>
            !released && (content === null || lifeOf(content.identity, own) !== 'dead'),
    );
    if (!held) throw new UserError(`no run holds ${dir} now: give -j to the next start`);
}
