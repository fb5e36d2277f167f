import { existsSync } from 'node:fs';
import { resolve } from 'node:path';
import { OPTIONS } from '../config/options.js';
import { nearest } from '../util/nearest.js';
import { UserError } from '../util/user-error.js';
import type { Command, CommandInput } from './command.js';
import { COMMAND_NAMES } from './commands.js';

export const command: Command<typeof OPTIONS> = {
    usage: '[datasets...] [options] [-- command...]',
    about:
        'Runs every task of the datasets that has no result in --dir yet, and commits each result before it is ' +
        'counted: kill it at any moment, start it again, and it does just what is left',
    options: OPTIONS,
    takes: { min: 0, max: Number.POSITIVE_INFINITY, what: 'datasets' },
    takesCommand: true,
    examples: [
        { line: 'resume-run', about: 'Judge the bundled examples' },
        {
            line: 'resume-run problems.jsonl --dir results -j 8',
            about: 'Judge a dataset; the same line goes on after any kill',
        },
        {
            line: 'resume-run --timeout 1000 --dir results',
            about: 'Go on with what results is of; only what timed out runs again',
        },
        {
            line: "resume-run packages/ --only 'hello*' --all-tests",
            about: 'Some problem packages of a folder, every test of them',
        },
        {
            line: 'resume-run rows.jsonl --executor exec -- ./task.sh {id} {input}',
            about: 'Run any command for each task',
        },
        {
            line: 'resume-run rows.jsonl --executor module --module ./my-task.mjs',
            about: 'Call a function for each task',
        },
        {
            line: "resume-run p.jsonl --executor go-judge --endpoint 'http://10.0.0.{1..4}:5050'",
            about: 'Judge on servers',
        },
        {
            line: 'resume-run --dir results --rerun tle --dry-run',
            about: 'See what would run again, and why',
        },
    ],
    run: runCommand,
};

async function runCommand(input: CommandInput) {
    refuseMistypedCommand(input);
    const { startRun } = await import('./start-run.js');
    return startRun(input);
}

/** `resume-run statsu` would otherwise look for a dataset of that name. */
function refuseMistypedCommand({ positionals, cwd }: CommandInput): void {
    const [only] = positionals;
    if (positionals.length !== 1 || only === undefined || existsSync(resolve(cwd, only))) return;
    const meant = nearest(only, COMMAND_NAMES);
    if (meant !== null && /^[a-z-]+$/i.test(only)) {
        throw new UserError(
            `there is no command and no dataset '${only}' (did you mean resume-run ${meant}?)`,
        );
    }
}
