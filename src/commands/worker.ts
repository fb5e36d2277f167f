import { availableParallelism } from 'node:os';
import { RUN_OPTIONS } from '../config/run-options.js';
import { exitCodeOfStop } from '../model/stop.js';
import { UserError } from '../util/user-error.js';
import { defineCommand } from './command.js';

/** Executors that a worker can have; their kinds define `adopt`. */
const EXECUTORS = ['judge', 'exec', 'module', 'chat', 'go-judge', 'piston', 'sandbox-fusion'] as const;

/** Executors that run any program that a run names. */
const RUN_ANYTHING: readonly (typeof EXECUTORS)[number][] = ['exec', 'module'];

export const command = defineCommand({
    usage: 'worker --redis <url> [-j <n>] [--executor <executor>] [--allow exec]',
    about:
        'Runs tasks of `resume-run --mode queue` on this machine until SIGTERM: it then accepts no more tasks, gives running ' +
        'ones --grace seconds to end, and hands back the rest',
    options: {
        redis: RUN_OPTIONS.redis,
        'redis-password-file': RUN_OPTIONS['redis-password-file'],
        'redis-ca': RUN_OPTIONS['redis-ca'],
        concurrency: RUN_OPTIONS.concurrency,
        executor: {
            kind: 'choice',
            choices: EXECUTORS,
            repeatable: true,
            default: ['judge'],
            placeholder: '<executor>',
            group: 'What runs',
            about: 'Executors that this worker has; runs that need another are left to others. Those of servers and models ask only what --endpoint and --provider of this worker name',
            decides: 'run',
            only: 'command line',
        },
        allow: {
            kind: 'choice',
            choices: ['exec'],
            repeatable: true,
            default: [],
            placeholder: '<what>',
            group: 'What runs',
            about: 'exec: run the commands and modules that runs name. Whoever may write to that Redis then decides what this machine runs',
            decides: 'run',
            only: 'command line',
        },
        run: {
            kind: 'text',
            repeatable: true,
            default: [],
            placeholder: '<id>',
            group: 'What runs',
            about: 'Serve this run only',
            decides: 'run',
            only: 'command line',
        },
        endpoint: RUN_OPTIONS.endpoint,
        provider: RUN_OPTIONS.provider,
        'api-key-env': RUN_OPTIONS['api-key-env'],
        sandbox: RUN_OPTIONS.sandbox,
        'include-dir': RUN_OPTIONS['include-dir'],
        languages: RUN_OPTIONS.languages,
        'shared-path': {
            kind: 'path',
            repeatable: true,
            default: [],
            placeholder: '<dir>',
            group: 'Where things are',
            about: 'Folder that this machine shares with the coordinator: tests in it are read there, not sent',
            decides: 'run',
        },
        'sample-cache': {
            kind: 'mebibytes',
            default: 4096,
            min: 1,
            placeholder: '<MiB>',
            group: 'Running',
            about: 'Disk space for caching tests of samples',
            decides: 'run',
        },
        grace: RUN_OPTIONS.grace,
        config: RUN_OPTIONS.config,
    },
    examples: [
        {
            line: 'REDIS_URL=redis://10.0.0.1:6379 resume-run worker -j 8',
            about: 'Judge on this machine, eight programs at once',
        },
        {
            line: 'resume-run worker --redis redis://10.0.0.1:6379 --executor exec --allow exec',
            about: 'Run commands that runs name',
        },
        {
            line: 'resume-run worker --redis redis://10.0.0.1 --executor chat --provider openai',
            about: 'Ask models with the key in OPENAI_API_KEY of this machine',
        },
    ],
    run: async ({ values, env }) => {
        if (values.redis === null)
            throw new UserError('worker needs --redis <url>, such as redis://10.0.0.1:6379');
        for (const [name, value] of Object.entries(env)) process.env[name] ??= value;
        const needsLeave = values.executor.some((name) => RUN_ANYTHING.includes(name));
        const mayRunCommands = values.allow.includes('exec');
        if (needsLeave && !mayRunCommands) {
            throw new UserError(
                `--executor ${values.executor.join(', ')} runs commands that a run specifies: add --allow exec if everybody with write access to that Redis may run programs on this machine`,
            );
        }
        const [{ runWorker }, { tell }, { realpath }] = await Promise.all([
            import('../compose/queue/run-worker.js'),
            import('../compose/output.js'),
            import('node:fs/promises'),
        ]);
        const sharedPaths = await Promise.all(
            values['shared-path'].map((path) =>
                realpath(path).catch(() => {
                    throw new UserError(
                        `--shared-path ${path} does not exist: name a folder of this machine`,
                    );
                }),
            ),
        );
        const signal = await runWorker({
            redis: {
                address: values.redis,
                passwordFile: values['redis-password-file'],
                caFile: values['redis-ca'],
            },
            concurrency: values.concurrency ?? availableParallelism(),
            executors: [...new Set(values.executor)],
            mayRunCommands,
            runs: values.run,
            judging: {
                sandbox: values.sandbox,
                includeDirs: values['include-dir'],
                languages: values.languages,
                python2As3: false,
                adaptWindows: false,
                allTests: false,
                keepOutput: 'failed',
                outputLimit: 1024,
            },
            endpoints: {
                given: values.endpoint,
                providers: values.provider,
                apiKeyEnv: values['api-key-env'],
            },
            sharedPaths,
            cacheBytes: values['sample-cache'] * 1024 * 1024,
            grace: values.grace,
            onNotice: tell,
        });
        // Drained: the worker did what it was asked to do.
        return signal === 'SIGTERM' ? 0 : exitCodeOfStop({ reason: 'signal', signal });
    },
});
