import type { ExecutorContext } from '../executor.js';

/**
 * Remembers which endpoint gave a doubtful verdict, so that another one confirms it. All attempts of a run share one instance.
 */
export interface DoubtedEndpoints {
    /** @param task identifies the task across its attempts */
    remember(
        task: string,
        endpoint: string,
        context: Pick<ExecutorContext, 'ask' | 'signal'>,
    ): void | Promise<void>;
    /** The endpoint to avoid, returned only once; null: none is known. */
    recall(
        task: string,
        context: Pick<ExecutorContext, 'ask' | 'signal'>,
    ): string | null | Promise<string | null>;
}

/** Keeps endpoints in memory, each until it is recalled. */
export function createDoubtedEndpoints(): DoubtedEndpoints {
    const known = new Map<string, string>();
    return {
        remember: (task, endpoint) => void known.set(task, endpoint),
        recall(task) {
            const endpoint = known.get(task) ?? null;
            known.delete(task);
            return endpoint;
        },
    };
}
