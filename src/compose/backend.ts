import { hostname } from 'node:os';
import { fileURLToPath } from 'node:url';
import { type Backend, KEEPS_NO_STEPS } from '../backend/backend.js';
import type { OutputPlace } from '../backend/queue/output-files.js';
import type { Mode, RedisConfig } from '../config.js';
import type { ServerExecutor, WorkerDesk } from '../executor/servers/server-executor.js';
import { readPackageVersion } from '../host/package-version.js';
import type { ExecutorDescriptor } from '../model/executor-descriptor.js';
import type { CheckerProgram } from '../model/sample.js';
import type { TaskLog } from '../model/task.js';

/** What `--mode queue` needs beside the rest. */
export interface QueueSettings {
    readonly redis: RedisConfig;
    /** Id of the run. */
    readonly run: string;
    /** Versions of this machine's toolchains by language, and the sandbox, where programs are judged. */
    readonly toolchains?: Readonly<Record<string, string>> | undefined;
    readonly sandbox?: string | undefined;
    /** Where files of output go; null: the executor leaves none. */
    readonly outputs: OutputPlace | null;
    readonly languageOf: (program: CheckerProgram) => string | null;
    readonly onNotice: (message: string) => void;
    readonly onPaused: (message: string) => void;
    readonly onResumed: (message: string) => void;
}

/** Builds the backend of a mode; loads only what it needs. `inMain`: an executor that lives in this process, whatever the mode. */
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
        return withDesk(await createBackend(mode, told, concurrency, null, onLog), inMain, desk);
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

/** Processes of this machine. */
export async function createProcesses(
    descriptor: ExecutorDescriptor,
    concurrency: number,
    onLog: (line: TaskLog) => void,
): Promise<Backend> {
    const { createProcessBackend } = await import('../backend/process.js');
    const entry = fileURLToPath(new URL('../backend/worker/process.js', import.meta.url));
    return createProcessBackend({ entry, descriptor, concurrency, onLog });
}

async function createQueueBackend(
    descriptor: ExecutorDescriptor,
    { redis, run, toolchains, sandbox, outputs, languageOf, onNotice, onPaused, onResumed }: QueueSettings,
    onLog: (line: TaskLog) => void,
): Promise<Backend> {
    const [{ openQueueBackend }, { PROTOCOL }, { readRedisAccess }] = await Promise.all([
        import('../backend/queue.js'),
        import('../backend/queue/messages.js'),
        import('./queue/redis-access.js'),
    ]);
    return openQueueBackend({
        redis: await readRedisAccess(redis),
        run: {
            protocol: PROTOCOL,
            version: readPackageVersion(),
            run,
            host: hostname(),
            descriptor,
            ...(toolchains === undefined ? {} : { toolchains }),
            ...(sandbox === undefined ? {} : { sandbox }),
        },
        outputs,
        languageOf,
        onLog,
        onNotice,
        onPaused,
        onResumed,
    });
}

/** Workers whose tasks are served by the executor's part in this process, which ends after them. */
function withDesk(workers: Backend, inMain: ServerExecutor, desk: WorkerDesk): Backend {
    let next = 0;
    return {
        start(task, host = KEEPS_NO_STEPS) {
            const job = next++;
            const running = workers.start(task, {
                saveStep: (step) => host.saveStep(step),
                ask: (request) => desk.serve(job, request),
            });
            const completion = running.completion.finally(() => desk.forget(job));
            return { ...running, completion };
        },
        resize: (concurrency) => workers.resize(concurrency),
        async close() {
            await workers.close();
            await inMain.close();
        },
    };
}
