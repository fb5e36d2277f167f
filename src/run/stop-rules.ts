import { isHalted, type HaltRule, type StopReason } from '../model/stop.js';

export interface StopRules {
    /** New results after which the run stops; null: when all is done. */
    readonly stopAfter: number | null;
    /** When failed tasks stop the run; null: never. */
    readonly halt: HaltRule | null;
}

/**
 * Why a run stops by its own options.
 * @param isIdle whether nothing runs and nothing is being written
 * @returns null where it goes on
 */
export function findReasonToStop(
    { stopAfter, halt }: StopRules,
    { committed, failed }: { readonly committed: number; readonly failed: number },
    isIdle: boolean,
): StopReason | null {
    // Results, not starts, are counted: those in flight come first.
    if (stopAfter !== null && committed >= stopAfter && isIdle) {
        const message = `${committed} new results are there (--stop-after ${stopAfter})`;
        return { reason: 'budget', message };
    }
    if (halt === null || !isHalted(halt, failed, committed)) return null;
    const given = 'percent' in halt ? `${halt.percent}%` : halt.failures;
    return { reason: 'halt', message: `${failed} of ${failed + committed} tasks failed (--halt ${given})` };
}
