import type { OptionTable } from '../config/option.js';
import { RUN_OPTIONS } from '../config/run-options.js';
import { defineTaskCommand } from './command.js';

const OPTIONS = {
    demo: {
        kind: 'flag',
        default: false,
        group: 'Running',
        about: 'Show --mode queue on this machine: with a redis-server and two workers that end with the run, into queue-demo',
        decides: 'run',
        only: 'command line',
    },
} as const satisfies OptionTable;

export const command = defineTaskCommand({
    usage: '[datasets...] [options] [-- command...]',
    about:
        'Runs every task of the datasets that has no result in --dir yet; commits each before it counts, so after a kill ' +
        'the same command runs only what is left',
    options: { ...RUN_OPTIONS, ...OPTIONS },
    arguments: { min: 0, max: Number.POSITIVE_INFINITY, what: 'datasets' },
    takesCommand: true,
    common: ['dir', 'executor', 'concurrency', 'timeout', 'dry-run'],
    examples: [
        { line: 'resume-run', about: 'Judge the bundled examples' },
        {
            line: 'resume-run problems.jsonl --dir results -j 8',
            about: 'Judge a dataset; the same line resumes after any kill',
        },
        {
            line: 'resume-run --timeout 1000 --dir results',
            about: 'Resume the datasets recorded in results; only what timed out runs again',
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
            line: 'resume-run run --mode queue --demo',
            about: 'See a run over a queue, with a Redis and workers of its own',
        },
        {
            line: 'resume-run --dir results --rerun tle --dry-run',
            about: 'See what would run again, and why',
        },
    ],
    run: async ({ given, positionals, resolve }) => {
        if (given['demo'] === true) {
            const { runQueueDemo } = await import('./run-queue-demo.js');
            return runQueueDemo(given, (instead) => resolve(positionals, instead));
        }
        const [resolved, { startRun }] = await Promise.all([resolve(positionals), import('./start-run.js')]);
        return startRun(resolved);
    },
});
