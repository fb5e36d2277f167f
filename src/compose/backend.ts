import { fileURLToPath } from 'node:url';
import { type Backend, KEEPS_NO_STEPS } from '../backend/backend.js';
import type { Mode } from '../config.js';
import type { ServerExecutor, WorkerDesk } from '../executor/servers/server-executor.js';
import type { ExecutorDescriptor } from '../model/executor-descriptor.js';
import type { TaskLog } from '../model/task.js';

/** Builds the backend of a mode; loads only what it needs. `inMain`: an executor that lives in this process, whatever the mode. */
export async function createBackend(
    mode: Mode,
    descriptor: ExecutorDescriptor,
    concurrency: number,
    inMain: ServerExecutor | null,
    onLog: (line: TaskLog) => void,
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
        case 'process': {
            const { createProcessBackend } = await import('../backend/process.js');
            const entry = fileURLToPath(new URL('../backend/worker/process.js', import.meta.url));
            return createProcessBackend({ entry, descriptor, concurrency, onLog });
        }
        case 'async': {
            const [{ createAsyncBackend }, { TaskServer }, { createExecutor }] = await Promise.all([
                import('../backend/async.js'),
                import('../backend/worker/serve.js'),
                import('../executor/kinds.js'),
            ]);
            return createAsyncBackend(new TaskServer(inMain ?? createExecutor(descriptor), onLog));
        }
    }
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
