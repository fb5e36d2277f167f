import type { ExecutorDescriptor } from '../model/executor-descriptor.js';
import type { KnownDescriptor } from './descriptor.js';
import type { Executor } from './executor.js';

/** Builds the executor that a descriptor describes; loads only what that kind needs. */
export async function createExecutor(described: ExecutorDescriptor): Promise<Executor> {
    // Made by this process or its parent, of the same version.
    const descriptor = described as KnownDescriptor;
    switch (descriptor.kind) {
        case 'judge':
            return (await import('./judge/judge.js')).createJudge(descriptor);
        case 'exec':
            return (await import('./exec.js')).createExec(descriptor);
        case 'module':
            return (await import('./module.js')).createModule(descriptor);
        case 'sandbox-fusion':
            return (await import('./servers/sandbox-fusion.js')).createSandboxFusion(descriptor);
        case 'go-judge':
            return (await import('./servers/go-judge.js')).createGoJudge(descriptor);
    }
}
