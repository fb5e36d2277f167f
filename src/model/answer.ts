/**
 * What a column of an answer holds, which decides how it is displayed. A `share` is from 0 to 1, `seconds` and `usd` are units.
 */
export type AnswerKind =
    | 'text'
    | 'integer'
    | 'number'
    | 'share'
    | 'seconds'
    | 'bytes'
    | 'usd'
    | 'boolean'
    | 'time';

export interface AnswerColumn {
    /** Also the key in JSON and the title in CSV. */
    readonly name: string;
    readonly kind: AnswerKind;
    /** False: it repeats what other columns say, for programs; tables for people leave it out. Absent: true. */
    readonly inTables?: false;
}

/** Null: unknown, or not defined for this row. Times are ISO 8601 in UTC. */
export type AnswerValue = string | number | boolean | null;

/** The answer to a question about records: a table that may be long, and notes on how to read it. */
export interface Answer {
    readonly question: string;
    readonly columns: readonly AnswerColumn[];
    /** Read once, in order; each has a value for every column. */
    readonly rows: Iterable<readonly AnswerValue[]> | AsyncIterable<readonly AnswerValue[]>;
    /** Figures shown above the table; absent: none. */
    readonly summary?: Readonly<Record<string, AnswerValue>>;
    /** Shown in place of a table without rows; absent: a default text. */
    readonly emptyText?: string;
    /** Whole sentences for the reader. */
    readonly notes: readonly string[];
}
