import type { EntryDetail, TaskOutcome } from '../../model/page-data.js';

/** One task as the page shows it in lists: what its columns are made of. Texts are empty and numbers 0 where nothing is known. */
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
    /** From 0 to 1; null: none. */
    readonly score: number | null;
    readonly endpoint: string;
    /** Milliseconds since the epoch; 0: not known. */
    readonly startedAt: number;
    readonly model: string;
    readonly promptType: string;
    readonly difficulty: string;
    readonly taskType: string;
    readonly promptTokens: number;
    readonly completionTokens: number;
    readonly cost: number;
    readonly task: number;
    /** Which row of the dataset an instance of a matrix asked, as a 32-bit hash. */
    readonly row: number;
}

/** A sample's tasks. The page's builder empties the list when it has taken them over: together they may be very many. */
export interface PageRows {
    readonly rows: { readonly row: PageRow; readonly detail: EntryDetail | null }[];
}
