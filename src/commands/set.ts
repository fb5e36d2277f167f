import type { Control } from '../checkpoint/run-directory/control.js';
import { chooseCheckpointsFolder } from '../config.js';
import { RUN_OPTIONS } from '../config/run-options.js';
import { getIoCode, describeIoError } from '../util/io-error.js';
import { print, printRaw } from '../compose/output.js';
import { escapeLine } from '../util/printable.js';
import { UserError } from '../util/user-error.js';
import { defineCommand } from './command.js';
import { DIRECTORY_OPTIONS, JSON_OPTION } from './shared-options.js';

export const command = defineCommand({
    usage: 'set -j <n> [--dir <dir>]',
    about: 'Changes how many tasks a run works on at once, while it goes on; running tasks are not stopped',
    options: {
        ...DIRECTORY_OPTIONS,
        concurrency: {
            ...RUN_OPTIONS.concurrency,
            about: 'Tasks at once from now on',
            only: 'command line',
        },
        ...JSON_OPTION,
    },
    examples: [
        { line: 'resume-run set -j 2 --dir results', about: 'Leave the machine to others for a while' },
    ],
    run: async ({ values: { dir, checkpoints, concurrency, json } }) => {
        if (concurrency === null) {
            throw new UserError('set needs what to change: -j <n>, such as resume-run set -j 8');
        }
        const folder = chooseCheckpointsFolder(dir, checkpoints);
        const control: Control = { concurrency, at: new Date().toISOString() };
        try {
            await refuseWithoutRun(dir, folder);
            const { writeControl } = await import('../checkpoint/run-directory/control.js');
            await writeControl(folder, control);
        } catch (error) {
            if (error instanceof UserError) throw error;
            if (getIoCode(error) === 'ENOENT') {
                throw new UserError(`no run was started into ${dir} (${folder} is missing)`);
            }
            throw new UserError(`cannot write into ${folder}: ${describeIoError(error)}`, 2, {
                cause: error,
            });
        }
        const tasks = `${concurrency} ${concurrency === 1 ? 'task' : 'tasks'}`;
        if (json) printRaw(JSON.stringify(control));
        else print(escapeLine(`asked the run in ${dir} to work on ${tasks} at once`));
        return 0;
    },
});

/** Refuses a change that no run would take up: concurrency is not stored, so it would be lost silently. */
async function refuseWithoutRun(dir: string, checkpoints: string): Promise<void> {
    const [{ listLocks }, { judgeLife, ownIdentity }] = await Promise.all([
        import('../host/lock-file.js'),
        import('../host/lock-identity.js'),
    ]);
    const own = ownIdentity();
    const isHeld = (await listLocks(checkpoints)).some(
        ({ released, content }) =>
            !released && (content === null || judgeLife(content.identity, own) !== 'dead'),
    );
    if (!isHeld) throw new UserError(`no run is using ${dir}: pass -j to the next start`);
}
