import type { EntryDetail, TaskOutcome } from '../../model/page-data.js';

/** One task as the page lists it: the source of its column values. Unknown texts are empty, unknown numbers 0. */
export interface PageRow {
    readonly group: string;
    readonly index: number;
    readonly outcome: TaskOutcome;
    readonly flags: number;
    readonly expected: string;
    readonly language: string;
    readonly name: string;
    readonly time: number;
    readonly duration: number;
    readonly memory: number;
    readonly limit: number;
    readonly failedTest: number;
    readonly cause: string;
    readonly attempts: number;
    /** From 0 to 1; null if there is none. */
    readonly score: number | null;
    readonly endpoint: string;
    /** Milliseconds since the epoch; 0 if unknown. */
    readonly startedAt: number;
    readonly model: string;
    readonly promptType: string;
    readonly difficulty: string;
    readonly taskType: string;
    readonly promptTokens: number;
    readonly completionTokens: number;
    readonly cost: number;
    readonly task: number;
    /** The dataset row that an instance of a matrix asked about, as a 32-bit hash. */
    readonly row: number;
}

/** A sample's tasks. The page builder empties the list after taking them over, since there may be very many in total. */
export interface PageRows {
    readonly rows: { readonly row: PageRow; readonly detail: EntryDetail | null }[];
}
