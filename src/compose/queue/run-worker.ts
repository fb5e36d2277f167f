import { QueueWorker } from '../../backend/queue/worker-host.js';
import type { RunInfo, WorkerInfo } from '../../backend/queue/messages.js';
import type { WorkerLock } from '../../backend/queue/job-feed.js';
import type { TaskPool } from '../../backend/queue/task-pools.js';
import type { RedisConfig } from '../../config.js';
import type {
    AdoptContext,
    ExecutorKind,
    JudgingSettings,
    OwnEndpoints,
} from '../../executor/executor-kind.js';
import { EXECUTOR_KINDS } from '../../executor/kinds.js';
import { readPackageVersion } from '../../host/package-version.js';
import { openScratch } from '../../host/scratch.js';
import { makeHolderId } from '../../host/staging-name.js';
import type { StopSignal } from '../../model/stop.js';
import type { TaskLog } from '../../model/task.js';
import { onInterrupt } from '../../run/interrupt.js';
import { UserError } from '../../util/user-error.js';
import { createProcesses } from '../backend.js';
import { readRedisAccess } from './redis-access.js';

export interface WorkerSettings {
    readonly redis: RedisConfig;
    readonly concurrency: number;
    /** The only executors that this worker runs. */
    readonly executors: readonly string[];
    /** Whether the worker may run commands and modules that runs name. */
    readonly mayRunCommands: boolean;
    /** Ids of the only runs that the worker serves; empty: every run. */
    readonly runs: readonly string[];
    readonly judging: JudgingSettings;
    readonly endpoints: OwnEndpoints;
    /** Absolute. */
    readonly sharedPaths: readonly string[];
    /** Maximum size in bytes of the samples cached on disk. */
    readonly cacheBytes: number;
    /** Seconds that running tasks are given after the first signal. */
    readonly grace: number;
    readonly onNotice: (message: string) => void;
    /** For tests; see `RunServiceOptions`. */
    readonly lock?: WorkerLock;
}

/**
 * Serves runs until a signal arrives: the first lets running tasks end for `grace` seconds, the second gives them back at once.
 */
export async function runWorker(settings: WorkerSettings): Promise<StopSignal> {
    const { redis, executors, onNotice } = settings;
    const scratch = await openScratch();
    try {
        const adopted: AdoptContext = {
            judging: settings.judging,
            scratch: scratch.path,
            holder: makeHolderId(),
            mayRunCommands: settings.mayRunCommands,
            endpoints: settings.endpoints,
        };
        for (const kind of listKinds(executors))
            if (kind.runsIn === 'main') await kind.checkWorker?.(adopted);
        const about = executors.includes('judge')
            ? await describeMachine(adopted)
            : { toolchains: {}, sandbox: null };
        const worker = await QueueWorker.open({
            ...settings,
            redis: await readRedisAccess(redis),
            version: readPackageVersion(),
            about: { executors: [...executors], ...about },
            scratch: scratch.path,
            createPool: async (run, onLog) => ({
                ...(await createPool(run, onLog, settings, adopted)),
                ...(run.descriptor.kind === 'judge' ? { toolchains: about.toolchains } : {}),
            }),
        });
        onNotice(`worker ${worker.id} waits for tasks (${settings.concurrency} at once)`);
        return await untilDrained(worker, settings);
    } finally {
        await scratch.remove();
    }
}

async function untilDrained(worker: QueueWorker, { grace, onNotice }: WorkerSettings): Promise<StopSignal> {
    let first: StopSignal | null = null;
    let drain: (signal: StopSignal) => void = () => {};
    const asked = new Promise<StopSignal>((resolve) => {
        drain = resolve;
    });
    const interrupt = onInterrupt((signal) => {
        if (first === null) drain(signal);
        else worker.giveBack();
        first ??= signal;
    }, process.stdout.isTTY);
    try {
        const signal = await asked;
        onNotice(
            `${signal}: accepting no more tasks; running tasks have ${grace} s before they are handed back`,
        );
        await worker.drain(grace * 1000);
        return signal;
    } finally {
        interrupt.dispose();
    }
}

/** What the judge supports on this machine, for `resume-run workers`. */
async function describeMachine(own: AdoptContext): Promise<Pick<WorkerInfo, 'toolchains' | 'sandbox'>> {
    const [{ readLocalOptions }, { describeToolchains, findAvailableLanguages }] = await Promise.all([
        import('../../executor/local-options.js'),
        import('../../executor/judge/available.js'),
    ]);
    const { options } = await readLocalOptions(own);
    const found = await findAvailableLanguages(options.languages, options.python2As3, options.sandbox);
    return { toolchains: describeToolchains(found), sandbox: options.sandbox };
}

const listKinds = (names: readonly string[]): readonly ExecutorKind[] =>
    EXECUTOR_KINDS.filter(({ name }) => names.includes(name));

/** @throws UserError if this worker must not or cannot run the tasks */
async function createPool(
    run: RunInfo,
    onLog: (line: TaskLog) => void,
    { executors, concurrency }: WorkerSettings,
    own: AdoptContext,
): Promise<TaskPool> {
    const name = run.descriptor.kind;
    const kind: ExecutorKind | undefined = EXECUTOR_KINDS.find((one) => one.name === name);
    if (kind === undefined || !executors.includes(name)) {
        throw new UserError(`it needs the executor ${name}, but this worker has ${executors.join(', ')}`);
    }
    if (kind.adopt === undefined) throw new UserError(`the executor ${name} cannot be used by workers`);
    const { descriptor, languages, sandbox, outputs, tasksInProcess } = await kind.adopt(run.descriptor, own);
    if (run.sandbox !== undefined && run.sandbox !== sandbox) {
        throw new UserError(
            `it judges in the sandbox ${run.sandbox}, but this machine has ${sandbox ?? 'none'}`,
        );
    }
    return {
        backend: await createProcesses(descriptor, concurrency, onLog, tasksInProcess),
        patience: (task) => kind.patience(descriptor, task),
        outputs: outputs ?? null,
        ...(languages === undefined ? {} : { languages }),
    };
}
