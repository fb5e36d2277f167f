import { randomBytes } from 'node:crypto';
import type { Served, Task } from '../../model/task.js';
import { getMessage } from '../../util/message.js';
import { openStage, type OpenStage } from './open-stage.js';
import { findOutputFiles, type OutputSender } from './output-files.js';
import type { StageCache } from './stage-cache.js';
import type { TaskPools } from './task-pools.js';
import type { WorkerCalls } from './worker-calls.js';
import { nameToolchain, type WorkerFlight, withPatience } from './worker-flight.js';

/** Runs the tasks that a worker has taken. */
export class TaskRunner {
    constructor(
        private readonly pools: TaskPools,
        private readonly stages: StageCache,
        private readonly calls: WorkerCalls,
        /** Null if tasks leave no output files. */
        private readonly outputs: OutputSender | null,
    ) {}

    async run(
        task: Task,
        flight: WorkerFlight,
    ): Promise<{ readonly served: Served; readonly workerId: string }> {
        const startedAt = Date.now();
        const { name } = flight;
        let stage: OpenStage | null = null;
        try {
            if (task.stage !== null) stage = await openStage(this.stages, task.stage, flight.ending.signal);
            const here = { ...task, stage: stage?.path ?? null };
            const { token } = flight.job.held;
            const pool = this.pools.enter();
            flight.pool = pool;
            const running = pool.backend.start(here, {
                saveStep: async (step) =>
                    void (await this.calls.ask(name, token, { do: 'save-step', ...step })),
                ask: (request) => this.calls.ask(name, token, { do: 'ask', request }),
            });
            flight.running = running;
            if (flight.ended !== null) running.abort();
            else if (flight.isWithdrawn) running.withdraw?.();
            const { workerId, ...served } = await withPatience(running, pool.patience(task));
            return { served: { ...served, outcome: nameToolchain(pool, task, served.outcome) }, workerId };
        } catch (error) {
            const aborted = { outcome: { kind: 'abort' }, startedAt, duration: 0 } as const;
            const served = flight.ended === null ? failHere(error, startedAt) : aborted;
            return { served, workerId: 'parent' };
        } finally {
            stage?.release();
        }
    }

    /** Sends output files, which must precede the answer that refers to them. */
    async sendOutputs(flight: WorkerFlight, { outcome }: Served): Promise<{ readonly outputs?: string }> {
        const files = this.outputs === null ? [] : findOutputFiles(outcome);
        if (this.outputs === null || files.length === 0) return {};
        const name = randomBytes(16).toString('hex');
        if (!(await this.outputs.send(name, files, () => flight.ended === null)))
            flight.ended ??= 'given back';
        return { outputs: name };
    }
}

/** Outcome of a task that this worker cannot run. */
export function failHere(error: unknown, startedAt: number): Served {
    const message = `this worker cannot run the task: ${getMessage(error).replace(/\s+/g, ' ').slice(0, 1000)}`;
    const failure = { reason: 'environment', message } as const;
    return { outcome: { kind: 'failure', failure, by: null }, startedAt, duration: 0 };
}
