import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type { Archived } from '../checkpoint/upkeep/archive.js';
import { RUN_OPTIONS } from '../config/run-options.js';
import { print, printRaw, tell } from '../compose/output.js';
import { escapeLine } from '../util/printable.js';
import { chooseCheckpointsFolder } from '../config.js';
import { OUTPUTS_FOLDER } from '../model/output-file.js';
import { UserError } from '../util/user-error.js';
import { defineCommand } from './command.js';
import { DIRECTORY_OPTIONS, JSON_OPTION } from './shared-options.js';

export const command = defineCommand({
    usage: 'archive --to <file.tar | dir> [--dir <dir>]',
    about: 'Moves finished result files out of --dir; a later run still knows that they are finished',
    options: {
        ...DIRECTORY_OPTIONS,
        ...JSON_OPTION,
        to: {
            kind: 'path',
            default: null,
            placeholder: '<file.tar | dir>',
            group: 'Where things are',
            about: 'A new tar file (its name ends in .tar), or a folder',
            decides: 'run',
            only: 'command line',
        },
        'take-over': RUN_OPTIONS['take-over'],
    },
    examples: [
        { line: 'resume-run archive --dir results --to results-1.tar', about: 'Into one file' },
        { line: 'resume-run archive --dir results --to /mnt/big/results', about: 'Onto another disk' },
    ],
    run: async ({ values: { dir, checkpoints, to, 'take-over': takeOver, json } }) => {
        if (to === null)
            throw new UserError('archive needs --to <file.tar | dir>, such as --to results-1.tar');
        const checkpointsDir = chooseCheckpointsFolder(dir, checkpoints);
        if (!existsSync(dir)) throw new UserError(`there is no results directory ${dir}: nothing to archive`);
        const [{ archiveResults }, { ArchiveList }, { IndexFile }, { acquireLock }, { sweep }] =
            await Promise.all([
                import('../checkpoint/upkeep/archive.js'),
                import('../checkpoint/upkeep/archive-list.js'),
                import('../checkpoint/index/index-file.js'),
                import('../host/lock.js'),
                import('../host/sweep.js'),
            ]);
        const lock = await acquireLock({ checkpointsDir, dir, shard: null, takeOver, onNotice: tell });
        try {
            await sweep([dir, checkpointsDir, join(dir, OUTPUTS_FOLDER)], () =>
                Promise.resolve(new Set([lock.id])),
            );
            const [list, index] = await Promise.all([
                ArchiveList.load(checkpointsDir),
                IndexFile.load(checkpointsDir, null, lock.id),
            ]);
            const target = { kind: to.endsWith('.tar') ? 'tar' : 'folder', path: to } as const;
            const moved = await archiveResults({ dir, list, index, holder: lock.id, target });
            await index.save();
            if (json) printRaw(JSON.stringify(moved));
            else for (const line of describeMove(dir, moved)) print(escapeLine(line));
            return 0;
        } finally {
            await lock.release();
        }
    },
});

function describeMove(dir: string, { samples, bytes, outputs, path }: Archived): string[] {
    const moved = `${samples} finished samples (${bytes} bytes) moved from ${dir} to ${path}`;
    if (outputs === 0) return [moved];
    const folder = join(dir, OUTPUTS_FOLDER);
    return [moved, `${outputs} output files that these results refer to stay in ${folder}: keep that folder`];
}
