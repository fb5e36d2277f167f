import { availableParallelism } from 'node:os';
import { startDemoQueue } from '../compose/demo-queue.js';
import type { GivenOptions, Resolved } from '../config.js';
import { type ExitCode, UserError } from '../util/user-error.js';
import { startRun } from './start-run.js';

/** The two workers share the cores. */
const SLOTS = Math.max(1, Math.floor(availableParallelism() / 2));

/**
 * Runs over a queue on this machine only: `--mode queue --demo`.
 * @param given options as they were typed
 * @param resolve reads every option; those that are passed to it count as typed
 * @throws UserError if options contradict `--demo`, or a requirement is not installed
 */
export async function runQueueDemo(
    given: GivenOptions,
    resolve: (instead: GivenOptions) => Promise<Resolved>,
): Promise<ExitCode> {
    if (given['redis'] !== undefined)
        throw new UserError('--demo brings its own Redis: leave --redis out, or leave --demo out');
    if (given['mode'] !== undefined && given['mode'] !== 'queue')
        throw new UserError('--demo shows --mode queue: leave out the other --mode, or leave --demo out');
    // The folder counts as typed, so that the run.json of `results`, where other runs may have been, is not read.
    const dir: GivenOptions = given['dir'] === undefined ? { dir: 'queue-demo' } : {};
    const first = await resolve({ mode: 'queue', ...dir });
    const { config } = first;
    if (config.dryRun) return startRun(first);
    const demo = await startDemoQueue(chooseWorkerArgs(config, given));
    try {
        const { redis, passwordFile } = demo;
        const resolved = await resolve({
            mode: 'queue',
            redis,
            'redis-password-file': passwordFile,
            ...dir,
        });
        const announcements = [
            ...resolved.announcements,
            `a redis-server (process ${demo.serverPid}) and two workers (${demo.workerPids.join(' and ')}) were started, and end with this run. ` +
                `While it runs: resume-run workers --redis ${redis} --redis-password-file ${passwordFile}`,
        ];
        return await startRun({ ...resolved, announcements });
    } finally {
        await demo.close();
    }
}

/** Options that the workers share with this run: they are on the same machine and serve this user only. */
function chooseWorkerArgs({ executor, judging }: Resolved['config'], given: GivenOptions): string[] {
    const { kind } = executor;
    const config = given['config'];
    return [
        '-j',
        String(SLOTS),
        '--grace',
        '1',
        '--executor',
        kind,
        ...(kind === 'judge' ? ['--sandbox', judging.sandbox] : ['--allow', 'exec']),
        ...judging.includeDirs.flatMap((folder) => ['--include-dir', folder]),
        ...(typeof config === 'string' ? ['--config', config] : []),
    ];
}
