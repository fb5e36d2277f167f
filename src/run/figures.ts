import type { RunEnd, Spending, WorkerFigures } from '../model/event.js';
import { type StopReason, toSignalOrAbort } from '../model/stop.js';

/** How a service says that an answer had to end before it was through; the second is BigModel's. */
const TRUNCATED: ReadonlySet<string> = new Set(['length', 'model_context_window_exceeded']);

/** What answers of models say of what they used; other results have none of it, or something else under these names. */
interface Spent {
    readonly prompt_tokens?: unknown;
    readonly completion_tokens?: unknown;
    readonly cost?: unknown;
    readonly finish_reason?: unknown;
}

/** What a run counted while it ran. */
export class Figures {
    committed = 0;
    failed = 0;
    aborted = 0;
    /** What the answers in committed results used. */
    readonly kept = { tokens: 0, cost: 0, truncated: 0 };
    readonly #started = performance.now();
    readonly #workers = new Map<string, { attempts: number; failures: number; busy: number }>();

    /** A result was committed. */
    commit(result: object): void {
        this.committed += 1;
        const {
            prompt_tokens: prompt,
            completion_tokens: completion,
            cost,
            finish_reason: finish,
        } = result as Spent;
        if (typeof prompt === 'number') this.kept.tokens += prompt;
        if (typeof completion === 'number') this.kept.tokens += completion;
        if (typeof cost === 'number') this.kept.cost += cost;
        if (typeof finish === 'string' && TRUNCATED.has(finish)) this.kept.truncated += 1;
    }

    /** An attempt ended on a worker; `busy` in seconds. */
    attempt(workerId: string, busy: number, isFailure: boolean): void {
        let worker = this.#workers.get(workerId);
        if (worker === undefined) {
            // Threads that die are replaced under new numbers: the table must not grow with them.
            if (this.#workers.size >= 10_000) return;
            worker = { attempts: 0, failures: 0, busy: 0 };
            this.#workers.set(workerId, worker);
        }
        worker.attempts += 1;
        worker.busy += busy;
        if (isFailure) worker.failures += 1;
    }

    end(
        stop: StopReason | null,
        { spent, ...rest }: Pick<RunEnd, 'totals' | 'endpoints'> & { readonly spent?: Spending | undefined },
    ): RunEnd {
        const workers = [...this.#workers].map(
            ([workerId, figures]): WorkerFigures => ({ workerId, ...figures }),
        );
        return {
            outcome: stop !== null ? 'stopped' : this.failed > 0 ? 'finished with failures' : 'finished',
            stop,
            signal: stop === null ? null : toSignalOrAbort(stop),
            committed: this.committed,
            failed: this.failed,
            aborted: this.aborted,
            duration: (performance.now() - this.#started) / 1000,
            workers,
            ...rest,
            ...(spent === undefined ? {} : { spent: { ...spent, kept: { ...this.kept } } }),
        };
    }
}
