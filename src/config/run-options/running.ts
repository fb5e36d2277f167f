import type { OptionTable } from '../option.js';

/** Options that say how this run goes; none is restored. */
export const RUNNING_OPTIONS = {
    concurrency: {
        kind: 'integer',
        aliases: ['c', 'j'],
        default: null,
        defaultText: "cores; servers': their sum",
        min: 1,
        max: 100_000,
        placeholder: '<n>',
        group: 'Running',
        about: 'Tasks at once (change it while running: resume-run set -j)',
        decides: 'run',
    },
    mode: {
        kind: 'choice',
        aliases: ['m'],
        choices: ['thread', 'process', 'async'],
        default: null,
        defaultText: "thread; servers': async",
        placeholder: '<mode>',
        group: 'Running',
        about: 'Where tasks run: thread, process (survives a native crash too) or async',
        decides: 'run',
    },
    grace: {
        kind: 'seconds',
        default: 10,
        min: 0,
        max: 86_400,
        placeholder: '<seconds>',
        group: 'Running',
        about: 'Time that running tasks get after Ctrl-C or SIGTERM',
        decides: 'run',
    },
    trust: {
        kind: 'flag',
        default: false,
        group: 'Running',
        about: 'Run what a run.json says that others own or may write',
        decides: 'run',
        only: 'command line',
    },
    'take-over': {
        kind: 'flag',
        default: false,
        group: 'Running',
        about: 'Take the directory from a run on another host that seems dead',
        decides: 'run',
        only: 'command line',
    },
} as const satisfies OptionTable;
