/**
 * An executor described by plain data: the same descriptor crosses a thread, a fork or a queue, and the worker's side builds
 * the executor from it. `kind` names the row of executor/kinds.ts that made the descriptor; only that row reads the rest.
 */
export interface ExecutorDescriptor {
    readonly kind: string;
}
