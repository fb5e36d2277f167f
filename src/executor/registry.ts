import type { ExecutorDescriptor } from '../model/executor-descriptor.js';
import type { Executor } from './executor.js';
import type { ExecutorKind } from './executor-kind.js';
import { executorKind } from './kinds.js';

/** Builds the executor that a descriptor describes; loads only what that kind needs. */
export function createExecutor(descriptor: ExecutorDescriptor): Promise<Executor> {
    const kind: ExecutorKind = executorKind(descriptor.kind);
    return kind.create(descriptor);
}
