import type { Served, Task } from '../model/task.js';
import { type Backend, type Completion, KEEPS_NO_STEPS, type Running, type TaskHost } from './backend.js';

/** Runs tasks in the main process; implemented in `backend/worker/serve.ts`. */
export interface LocalServer {
    run(key: string, task: Task, main: Pick<TaskHost, 'saveStep'>): Promise<Served>;
    abort(key: string): void;
    close(): Promise<void>;
}

/** Gives each running task the lowest free number, so that numbers stay below the number of concurrent tasks. */
class Places {
    readonly #free: number[] = [];
    #most = 0;

    take(): number {
        const free = this.#free.pop();
        if (free !== undefined) return free;
        this.#most += 1;
        return this.#most;
    }

    give(place: number): void {
        // Keep descending order: the smallest number is last and is taken next.
        const at = this.#free.findLastIndex((free) => free > place) + 1;
        this.#free.splice(at, 0, place);
    }
}

/**
 * Runs tasks in the main process: for executors that only wait for servers, and for debugging. A task that hangs in JS hangs the
 * run.
 */
export function createAsyncBackend(server: LocalServer): Backend {
    let nextKey = 0;
    const places = new Places();
    return {
        start(task, host = KEEPS_NO_STEPS): Running {
            const key = String(nextKey++);
            const place = places.take();
            const serve = async (): Promise<Completion> => {
                try {
                    const served = await server.run(key, task, { saveStep: (step) => host.saveStep(step) });
                    return { ...served, workerId: `async-${place}` };
                } finally {
                    places.give(place);
                }
            };
            return { completion: serve(), abort: () => server.abort(key) };
        },
        resize: () => {},
        close: () => server.close(),
    };
}
