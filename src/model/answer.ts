/** What a column of an answer holds, which decides how people see it. A `share` is from 0 to 1, `seconds` and `usd` are units. */
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
}

/** Null: not known, or not defined for this row. Times are ISO 8601 in UTC. */
export type AnswerValue = string | number | boolean | null;

/** The answer to a question about records: a table that may be long, and what one should know about it. */
export interface Answer {
    readonly question: string;
    readonly columns: readonly AnswerColumn[];
    /** Read once, in order; each has a value for every column. */
    readonly rows: Iterable<readonly AnswerValue[]> | AsyncIterable<readonly AnswerValue[]>;
    /** Figures that stand above the table; absent: none. */
    readonly summary?: Readonly<Record<string, AnswerValue>>;
    /** What people see in place of a table without rows; absent: that there are none. */
    readonly emptyText?: string;
    /** Whole sentences for people. */
    readonly notes: readonly string[];
}
