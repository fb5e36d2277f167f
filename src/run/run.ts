import { Loop } from './loop.js';
import type { RunHandle, RunParts } from './parts.js';

/** Starts a run over what `survey` found. */
export function startLoop(parts: RunParts): RunHandle {
    const run = new Loop(parts);
    return {
        done: run.start(),
        stop: (reason) => run.stop(reason),
        setConcurrency: (concurrency) => run.setConcurrency(concurrency),
    };
}
