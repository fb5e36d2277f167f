import type { ProgramInput, StagedSample } from '../../model/sample.js';
import type { Outcome, Task } from '../../model/task.js';
import type { Limits } from '../../model/limits.js';
import { unreachable } from '../../util/unreachable.js';
import type { ExecutorContext } from '../executor.js';
import { checkFailure } from '../judge/judge-programs.js';
import { StagedSamples } from '../judge/staged-samples.js';
import { adaptFiles } from '../judge/windows-programs.js';
import { withAdaptations } from '../judged-result.js';
import type { Fleet } from './fleet.js';
import type { LocalCheck } from './local-check.js';
import { createDoubtedEndpoints, type DoubtedEndpoints } from './doubted-endpoints.js';
import { type AcquirePlace, PlaceDesk, reservePlaces } from './places.js';
import type { ServerExecutor, ServerParts } from './server-executor.js';
import { Session } from './session.js';
import type { Judged } from '../judge-tests.js';

/** A task that is a program, with everything that an attempt needs. */
export interface Submission {
    readonly task: Task;
    readonly input: ProgramInput;
    readonly limits: Limits;
    readonly sample: StagedSample;
    readonly session: Session;
    readonly context: ExecutorContext;
    /**
     * Whether every run was subject to the task's memory limit: some endpoints accept none, or report it as exceeded when the
     * program is innocent.
     */
    readonly held: { memory: boolean };
}

/** Tasks per endpoint from which a calibration of a few seconds is worthwhile. */
const TASKS_WORTH_CALIBRATING = 30;

/** Runs attempts over one fleet. */
export class Attempts {
    private readonly samples = new StagedSamples();
    private readonly doubted: DoubtedEndpoints;
    private readonly acquire: AcquirePlace;

    /** @param adaptWindows see `LocalOptions` */
    constructor(
        private readonly fleet: Fleet,
        private readonly adaptWindows: boolean,
        { places }: Pick<ServerParts, 'places'>,
    ) {
        this.doubted = places?.doubted ?? createDoubtedEndpoints();
        this.acquire = places?.acquire ?? reservePlaces(fleet.pool);
    }

    /** The executor whose tasks are judged by `judge`; closing it closes the fleet and the local output checks. */
    executor(judge: (submission: Submission) => Promise<Judged>, local: LocalCheck): ServerExecutor {
        return {
            run: (task, context) => this.run(task, context, judge),
            endpoints: () => this.fleet.pool.states(),
            concurrency: () => this.fleet.pool.concurrency,
            prepare: (work) => {
                this.fleet.prepare(work);
                const { tasks, concurrency } = work;
                const count = this.fleet.pool.states().length;
                const hasMany = tasks >= TASKS_WORTH_CALIBRATING * count;
                if (hasMany && (concurrency ?? Number.POSITIVE_INFINITY) > count) {
                    this.fleet.pool.calibrateUpTo(concurrency);
                }
            },
            desk: new PlaceDesk({ pool: this.fleet.pool, doubted: this.doubted }),
            close: async () => {
                await this.fleet.close();
                await local.close();
            },
        };
    }

    /** One attempt: `judge` does the work; this method gives it a session with the pool and converts its result to an outcome. */
    private async run(
        task: Task,
        context: ExecutorContext,
        judge: (submission: Submission) => Promise<Judged>,
    ): Promise<Outcome> {
        const { input, limits, stage } = task;
        if (input.kind !== 'program' || limits === null || stage === null) {
            throw new Error('bug in resume-run: a server was asked to judge what is not a program');
        }
        if (context.signal.aborted) return { kind: 'abort' };
        const key = JSON.stringify([task.sample, task.group, task.index, task.fingerprint]);
        const doubted = task.confirming === null ? null : await this.doubted.recall(key, context);
        const avoid = doubted === null ? undefined : new Set([doubted]);
        const prefer = task.confirming === null ? undefined : 'reserve';
        const session = new Session(this.fleet, this.acquire, context, { avoid, prefer }, key);
        try {
            const sample = await this.samples.get(stage);
            const { files, adapted } = this.adaptWindows
                ? await adaptFiles(input.files, input.language)
                : { files: input.files, adapted: [] };
            const held = { memory: true };
            const submission = { task, input: { ...input, files }, limits, sample, session, context, held };
            const judged = await judge(submission).catch(
                (error: unknown): Judged => ({ kind: 'failed', failure: checkFailure(error) }),
            );
            if (judged.kind === 'judged' && judged.suspect !== null && session.endpoint !== null) {
                await this.doubted.remember(key, session.endpoint, context);
            }
            const outcome = toOutcome(judged, adapted, session);
            return outcome.kind === 'verdict' && limits.memory !== null && !held.memory
                ? { ...outcome, limits: { ...limits, memory: null } }
                : outcome;
        } finally {
            session.release();
        }
    }
}

function toOutcome(judged: Judged, adapted: readonly string[], session: Session): Outcome {
    const by = session.endpoint === null ? null : { api_used: session.endpoint };
    switch (judged.kind) {
        case 'abort':
            return { kind: 'abort' };
        case 'failed':
            return { kind: 'failure', failure: judged.failure, by };
        case 'judged': {
            const { result, suspect, isPartial = false } = judged;
            // A sample without tests needs no server.
            return {
                kind: 'verdict',
                verdict: result.verdict,
                result: withAdaptations(result, adapted),
                suspect,
                isPartial,
                by: by ?? { api_used: 'none' },
            };
        }
        default:
            return unreachable(judged, 'outcome');
    }
}
