import type { KeptSpending, RunEnd, Spending, WorkerFigures } from '../model/event.js';
import { type StopReason, toSignalOrAbort } from '../model/stop.js';

/** Finish reasons by which a service says that an answer was cut off; the second is BigModel's. */
const TRUNCATED: ReadonlySet<string> = new Set(['length', 'model_context_window_exceeded']);

/** Usage fields in answers of models. Other results lack them, or use these names for something else. */
interface Spent {
    readonly prompt_tokens?: unknown;
    readonly completion_tokens?: unknown;
    readonly cost?: unknown;
    readonly finish_reason?: unknown;
    /** The same fields for the model that judged the answer. */
    readonly judge?: unknown;
}

/** Counters of a run in progress. */
export class Figures {
    committed = 0;
    failed = 0;
    aborted = 0;
    /** Usage of the answers in committed results. */
    readonly #kept = { tokens: 0, cost: 0, truncated: 0 };
    /** Usage of the models that judged them; null if there were none. */
    #judge: { readonly tokens: number; readonly cost: number } | null = null;
    readonly #started = performance.now();
    readonly #workers = new Map<string, { attempts: number; failures: number; busy: number }>();

    /** Counts a committed result. */
    commit(result: object): void {
        this.committed += 1;
        const { finish_reason: finish, judge } = result as Spent;
        const { tokens, cost } = sumSpent(result);
        this.#kept.tokens += tokens;
        this.#kept.cost += cost;
        if (typeof finish === 'string' && TRUNCATED.has(finish)) this.#kept.truncated += 1;
        if (typeof judge !== 'object' || judge === null) return;
        const judged = sumSpent(judge);
        this.#judge = {
            tokens: (this.#judge?.tokens ?? 0) + judged.tokens,
            cost: (this.#judge?.cost ?? 0) + judged.cost,
        };
    }

    /** Counts an attempt that ended on a worker; `busy` in seconds. */
    attempt(workerId: string, busy: number, isFailure: boolean): void {
        let worker = this.#workers.get(workerId);
        if (worker === undefined) {
            // Threads that die are replaced under new numbers, so bound the table.
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
            ...(spent === undefined ? {} : { spent: { ...spent, kept: this.#sumKept() } }),
        };
    }

    #sumKept(): KeptSpending {
        return { ...this.#kept, ...(this.#judge === null ? {} : { judge: this.#judge }) };
    }
}

function sumSpent(used: Spent): { readonly tokens: number; readonly cost: number } {
    const { prompt_tokens: prompt, completion_tokens: completion, cost } = used;
    const known = (value: unknown): number => (typeof value === 'number' ? value : 0);
    return { tokens: known(prompt) + known(completion), cost: known(cost) };
}
