import type { Served, Task } from '../model/task.js';
import { type Backend, type Completion, KEEPS_NO_STEPS, type Running, type TaskHost } from './backend.js';

/** Runs tasks on the main process; `backend/worker/serve.ts` is one. */
export interface LocalServer {
    run(key: string, task: Task, saveStep: TaskHost['saveStep']): Promise<Served>;
    abort(key: string): void;
    close(): Promise<void>;
}

/** The main process itself: for executors that only wait for servers, and for debugging. A task that hangs in JS hangs the run. */
export function createAsyncBackend(server: LocalServer): Backend {
    let nextKey = 0;
    return {
        start(task, host = KEEPS_NO_STEPS): Running {
            const key = String(nextKey++);
            const completion = server
                .run(key, task, (step) => host.saveStep(step))
                .then((served): Completion => ({ ...served, workerId: 'async' }));
            return { completion, abort: () => server.abort(key) };
        },
        resize: () => {},
        close: () => server.close(),
    };
}
