import { chooseCheckpointsFolder } from '../config.js';
import { UserError } from '../util/user-error.js';
import { defineCommand } from './command.js';
import { DIRECTORY_OPTIONS, JSON_OPTION } from './shared-options.js';

export const command = defineCommand({
    usage: 'show <id> <group> <index> [--dir <dir>] [--json]',
    about: 'Shows one task: verdict, attempts, the failing test with its first difference, what it printed, its source',
    arguments: { min: 3, max: 3, what: 'the id of a sample, a group and an index' },
    options: { ...DIRECTORY_OPTIONS, ...JSON_OPTION },
    examples: [{ line: 'resume-run show hello solution 0', about: 'Why a solution got its verdict' }],
    run: async ({ values: { dir, checkpoints, json }, positionals }) => {
        const [id = '', group = '', text = ''] = positionals;
        if (!/^\d{1,9}$/.test(text))
            throw new UserError(`show: expected an index from 0 as the third argument, got '${text}'`);
        const [{ findTask }, { print, printRaw, describeStdout: stdoutPage }, { renderTask }] =
            await Promise.all([
                import('../compose/directory/find-task.js'),
                import('../compose/output.js'),
                import('../report/show.js'),
            ]);
        const task = await findTask(
            { dir, checkpoints: chooseCheckpointsFolder(dir, checkpoints) },
            id,
            group,
            Number(text),
        );
        if (json) printRaw(JSON.stringify(task, null, 4));
        else print(renderTask(task, stdoutPage()));
        return 0;
    },
});
