import { fileURLToPath } from 'node:url';
import type { Backend } from '../backend/backend.js';
import type { Mode } from '../config.js';
import type { Executor } from '../executor/executor.js';
import type { ExecutorDescriptor } from '../model/executor-descriptor.js';
import type { TaskLog } from '../model/task.js';

/** Builds the backend of a mode; loads only what it needs. `inMain`: an executor that lives in this process, whatever the mode. */
export async function createBackend(
    mode: Mode,
    descriptor: ExecutorDescriptor,
    concurrency: number,
    inMain: Executor | null,
    onLog: (line: TaskLog) => void,
): Promise<Backend> {
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
