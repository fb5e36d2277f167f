import { isHalted, type HaltRule, type StopReason } from '../model/stop.js';

export interface StopRules {
    /** The run stops after this number of new results; null: no such limit. */
    readonly stopAfter: number | null;
    /** Failures that stop the run; null: none do. */
    readonly halt: HaltRule | null;
}

/**
 * Why the run must stop under its own options.
 * @param isIdle whether nothing runs and nothing is being written
 * @returns null if it continues
 */
export function findReasonToStop(
    { stopAfter, halt }: StopRules,
    { committed, failed }: { readonly committed: number; readonly failed: number },
    isIdle: boolean,
): StopReason | null {
    // The limit counts results, not starts, so tasks in flight end first.
    if (stopAfter !== null && committed >= stopAfter && isIdle) {
        const message = `${committed} new results were written (--stop-after ${stopAfter})`;
        return { reason: 'budget', message };
    }
    if (halt === null || !isHalted(halt, failed, committed)) return null;
    const given = 'percent' in halt ? `${halt.percent}%` : halt.failures;
    return { reason: 'halt', message: `${failed} of ${failed + committed} tasks failed (--halt ${given})` };
}
