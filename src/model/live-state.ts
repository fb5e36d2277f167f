import type { EndpointState } from './event.js';
import type { Verdict } from './verdict.js';

/**
 * What a run in progress publishes in `checkpoints/<dir>/live.json`, at most once a second. It is only for observers: nothing
 * resumes from it, and a file that is missing, old or torn does no harm.
 */
export interface LiveState {
    readonly format: 1;
    /** Milliseconds since the epoch, as all times here: when this was written. */
    readonly at: number;
    readonly pid: number;
    readonly host: string;
    /** `0/4`; null: the run covers everything. */
    readonly shard: string | null;
    readonly phase: 'starting' | 'running' | 'paused' | 'stopping' | 'finished';
    /** Why it is paused; absent otherwise. */
    readonly message?: string;
    readonly startedAt: number;
    readonly samples: { readonly total: number; readonly complete: number };
    /** Tasks of the chosen part. `done` need no more work; `committed` were finished by this start. */
    readonly tasks: {
        readonly total: number;
        readonly done: number;
        readonly remaining: number;
        readonly committed: number;
        readonly failed: number;
        readonly retried: number;
        readonly running: number;
        readonly skipped: number;
    };
    readonly verdicts: Readonly<Partial<Record<Verdict, number>>>;
    readonly unexpected: number;
    /** The longest-running ones; at most 100. */
    readonly running: readonly {
        readonly sample: string;
        readonly group: string;
        readonly index: number;
        readonly since: number;
    }[];
    readonly concurrency: number;
    /** Attempts that gave no verdict, by reason. */
    readonly failures: Readonly<Record<string, number>>;
    /** At most 200. */
    readonly endpoints: readonly EndpointState[];
    /** Recent tasks per second. */
    readonly rate: number;
    /** Tasks that had ended by then, over the whole start: at most 240 points. */
    readonly history: readonly (readonly [at: number, ended: number])[];
    /** Bytes that can still be written to the results directory; null: unknown. */
    readonly diskFree: number | null;
}
