import { hostname } from 'node:os';
import { fileURLToPath } from 'node:url';
import { type Backend, KEEPS_NO_STEPS } from '../backend/backend.js';
import type { OutputPlace } from '../backend/queue/output-files.js';
import type { Mode, RedisConfig } from '../config.js';
import type { WorkerDesk } from '../executor/servers/places.js';
import type { ServerExecutor } from '../executor/servers/server-executor.js';
import { readPackageVersion } from '../host/package-version.js';
import type { ExecutorDescriptor } from '../model/executor-descriptor.js';
import type { ProblemProgram } from '../model/problem-programs.js';
import type { TaskLog } from '../model/task.js';

/** Additional settings for `--mode queue`. */
export interface QueueSettings {
    readonly redis: RedisConfig;
    /** Id of the run. */
    readonly run: string;
    /** Versions of this machine's toolchains by language, and the sandbox, if programs are judged. */
    readonly toolchains?: Readonly<Record<string, string>> | undefined;
    readonly sandbox?: string | undefined;
    /** Where output files go; null: the executor writes none. */
    readonly outputs: OutputPlace | null;
    /** See `QueueBackendOptions`. */
    readonly runsPrograms: boolean;
    readonly languageOf: (program: ProblemProgram['program']) => string | null;
    /** Converts the descriptor to the one that is sent to workers on other machines. */
    readonly describe: (descriptor: ExecutorDescriptor) => Promise<ExecutorDescriptor>;
    readonly onNotice: (message: string) => void;
    readonly onPaused: (message: string) => void;
    readonly onResumed: (message: string) => void;
}

/**
 * Creates the backend of a mode, loading only what it needs. `inMain`: an executor that runs in this process, whatever the mode.
 */
export async function createBackend(
    mode: Mode,
    descriptor: ExecutorDescriptor,
    concurrency: number,
    inMain: ServerExecutor | null,
    onLog: (line: TaskLog) => void,
    queue: QueueSettings | null = null,
): Promise<Backend> {
    const desk = inMain?.desk;
    if (inMain !== null && desk !== undefined && mode !== 'async') {
        const told = inMain.workerDescriptor ?? descriptor;
        const workers = await createBackend(mode, told, concurrency, null, onLog, queue);
        return withDesk(workers, inMain, desk, mode === 'queue' ? LATE_MS : 0);
    }
    switch (inMain === null ? mode : 'async') {
        case 'thread': {
            const { createThreadBackend } = await import('../backend/thread.js');
            const entry = new URL('../backend/worker/thread.js', import.meta.url).href;
            return createThreadBackend({ entry, descriptor, concurrency, onLog });
        }
        case 'process':
            return createProcesses(descriptor, concurrency, onLog);
        case 'async': {
            const [{ createAsyncBackend }, { TaskServer }, { createExecutor }] = await Promise.all([
                import('../backend/async.js'),
                import('../backend/worker/serve.js'),
                import('../executor/kinds.js'),
            ]);
            return createAsyncBackend(new TaskServer(inMain ?? createExecutor(descriptor), onLog));
        }
        case 'queue': {
            if (queue === null) throw new Error('bug in resume-run: a queue without its settings');
            return createQueueBackend(descriptor, queue, onLog);
        }
    }
}

/** Creates a backend of processes on this machine. */
export async function createProcesses(
    descriptor: ExecutorDescriptor,
    concurrency: number,
    onLog: (line: TaskLog) => void,
    tasksInProcess = 1,
): Promise<Backend> {
    const { createProcessBackend } = await import('../backend/process.js');
    const entry = fileURLToPath(new URL('../backend/worker/process.js', import.meta.url));
    return createProcessBackend({ entry, descriptor, concurrency, tasksInProcess, onLog });
}

async function createQueueBackend(
    descriptor: ExecutorDescriptor,
    { redis, run, toolchains, sandbox, describe, ...settings }: QueueSettings,
    onLog: (line: TaskLog) => void,
): Promise<Backend> {
    const [{ openQueueBackend }, { PROTOCOL }, { nameRun }, { readRedisAccess }] = await Promise.all([
        import('../backend/queue.js'),
        import('../backend/queue/messages.js'),
        import('../backend/queue/flight.js'),
        import('./queue/redis-access.js'),
    ]);
    const made = { version: readPackageVersion(), descriptor: await describe(descriptor) };
    return openQueueBackend({
        redis: await readRedisAccess(redis),
        run: {
            protocol: PROTOCOL,
            run: nameRun(run, made),
            id: run,
            host: hostname(),
            ...made,
            ...(toolchains === undefined ? {} : { toolchains }),
            ...(sandbox === undefined ? {} : { sandbox }),
        },
        ...settings,
        onLog,
    });
}

/** Milliseconds by which a task's last messages may arrive after its result: over a queue they take different routes. */
const LATE_MS = 5000;

/**
 * Adds to workers the executor's part in this process, which serves their tasks and is closed after them.
 * @param lateMs see `LATE_MS`
 */
function withDesk(workers: Backend, inMain: ServerExecutor, desk: WorkerDesk, lateMs: number): Backend {
    let next = 0;
    return {
        start(task, host = KEEPS_NO_STEPS) {
            const job = next++;
            const forget = (): void => desk.forget(job);
            const running = workers.start(task, {
                saveStep: (step) => host.saveStep(step),
                ask: (request) => desk.serve(job, request, () => running.abort()),
                hearLate: (request) => desk.hear(job, request),
                takeBack: forget,
            });
            const completion = running.completion.finally(() => {
                if (lateMs > 0 && desk.holds(job)) setTimeout(forget, lateMs).unref();
                else forget();
            });
            return { ...running, completion };
        },
        resize: (concurrency) => workers.resize(concurrency),
        async close() {
            await workers.close();
            await inMain.close();
        },
    };
}
