/**
 * An executor described by plain data: the same descriptor crosses a thread, a fork or a queue, and the worker builds the
 * executor from it. `kind` names the executor that made the descriptor; only that one reads the rest.
 */
export interface ExecutorDescriptor {
    readonly kind: string;
}
