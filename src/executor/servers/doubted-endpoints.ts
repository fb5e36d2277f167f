import type { ExecutorContext } from '../executor.js';

/** Who gave a verdict that is in doubt, so that another endpoint confirms it. Whoever runs the attempts has one for all of them. */
export interface DoubtedEndpoints {
    /** @param task names the task, whichever attempt it is */
    remember(
        task: string,
        endpoint: string,
        context: Pick<ExecutorContext, 'ask' | 'signal'>,
    ): void | Promise<void>;
    /** The endpoint to avoid, once; null: none is known. */
    recall(
        task: string,
        context: Pick<ExecutorContext, 'ask' | 'signal'>,
    ): string | null | Promise<string | null>;
}

/** Keeps them in memory, each until it is asked for. */
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
