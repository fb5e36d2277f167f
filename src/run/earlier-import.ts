import type { Checkpoint, NotImported } from '../model/checkpoint.js';
import { LIST_BOUND } from '../model/tally-sum.js';
import type { SamplePlan } from '../plan/sample-plan.js';

/** What a start imports from results of the earlier tools. */
export interface EarlierImport {
    readonly samples: number;
    /** Results that belong to a task of the dataset. */
    readonly taken: number;
    /** Samples whose `<id>_checker.json` was used. */
    readonly checkerFiles: number;
    /** Verdicts that those files changed. */
    readonly changedVerdicts: number;
    readonly notImportedCount: number;
    /** At most `LIST_BOUND` of them. */
    readonly notImported: readonly NotImported[];
}

/** Adds up what is imported, sample by sample. */
export class EarlierImportSum {
    #samples = 0;
    #taken = 0;
    #checkerFiles = 0;
    #changedVerdicts = 0;
    #notImportedCount = 0;
    readonly #notImported: NotImported[] = [];

    add(checkpoint: Checkpoint, { state }: SamplePlan): void {
        const { earlier, origin } = checkpoint;
        const changed = earlier?.changedVerdicts ?? 0;
        // One of our files needs no import once its imported entries have the checker's verdicts.
        if (origin !== 'earlier' && changed === 0) return;
        this.#samples += 1;
        if (earlier?.checkerFile !== undefined && earlier.checkerFile !== null) this.#checkerFiles += 1;
        this.#changedVerdicts += changed;
        if (origin !== 'earlier') return;
        this.#taken += state.kept.length;
        for (const one of earlier?.unusable ?? []) this.#leaveOut(one);
        for (const { group, reason, stored } of state.superseded) {
            this.#leaveOut({ file: stored.file ?? `${state.id}, ${group}`, reason });
        }
    }

    #leaveOut(one: NotImported): void {
        this.#notImportedCount += 1;
        if (this.#notImported.length < LIST_BOUND) this.#notImported.push(one);
    }

    /** Null if no results of the earlier tools were found. */
    value(): EarlierImport | null {
        if (this.#samples === 0) return null;
        return {
            samples: this.#samples,
            taken: this.#taken,
            checkerFiles: this.#checkerFiles,
            changedVerdicts: this.#changedVerdicts,
            notImportedCount: this.#notImportedCount,
            notImported: [...this.#notImported],
        };
    }
}
