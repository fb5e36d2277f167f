import type { Answer, AnswerColumn, AnswerValue } from '../../model/answer.js';
import type { SampleGroup } from '../../model/success-counts.js';
import { findNearest } from '../../util/nearest.js';
import { UserError } from '../../util/user-error.js';
import { quoteName, quoteText } from '../record/columns.js';
import { KEY_FIELDS, RECORD_FIELDS } from '../record/fields.js';
import type { BriefRecord } from '../record/record.js';
import type { AskEngine } from './engine.js';
import { PROMPT_SQL } from './views.js';

export interface QuestionOptions {
    /** Dimensions to group by; null: the question's default. */
    readonly by: readonly string[] | null;
    /** SQL condition on records; null: all of them. */
    readonly where: string | null;
    /** Maximum number of rows; null: the question's default. */
    readonly limit: number | null;
    /** The values of k in pass@k. */
    readonly k: readonly number[];
}

/** A question that `resume-run analyze` answers by name. */
export interface Question {
    /** Record fields that the answer needs; absent: any field. A condition may need others. */
    fields?(options: QuestionOptions): readonly string[];
    /** @throws UserError (exit 2) for unknown dimensions or a condition that is not SQL */
    answer(engine: AskEngine, options: QuestionOptions): Promise<Answer>;
    /**
     * The same answer without the engine, which takes longer to load than reading thousands of result files. Null if the engine
     * is needed.
     */
    answerFromRecords?(options: QuestionOptions): AnswerFromRecords | null;
}

export interface AnswerFromRecords {
    /** Whether a sample's group may stand in for the records of its tasks. */
    readonly takesGroups: boolean;
    answer(records: BriefRecords<BriefRecord | SampleGroup>): Promise<Answer>;
}

/** Source of rates that are added up without the engine. */
export interface BriefRecords<T = BriefRecord> {
    readonly records: AsyncIterable<readonly T[]>;
    /** All records of a sample follow one another. */
    readonly isBySample: boolean;
}

export type Row = Readonly<Record<string, AnswerValue>>;

/** A row's value as a number; null is 0. */
export const numberIn = (row: Row, name: string): number => Number(row[name] ?? 0);

/** An answer whose rows are in memory. */
export function answerQuestion(
    question: string,
    columns: readonly AnswerColumn[],
    rows: readonly Row[],
    notes: readonly string[] = [],
): Answer {
    const values = rows.map((row) => columns.map(({ name }) => row[name] ?? null));
    // Do not pass on a dimension's SQL, which is internal.
    const shown = columns.map(({ name, kind }) => ({ name, kind }));
    return { question, columns: shown, rows: values, notes };
}

/** The records that a question is about, as a table expression. */
export function selectRecordsWhere(where: string | null): string {
    // The line break ends a comment that the condition may finish with.
    return where === null ? 'records' : `(SELECT * FROM records WHERE (${where}\n))`;
}

/** The attempts of those records. */
export function selectAttemptsWhere(where: string | null): string {
    const key = KEY_FIELDS.map(quoteName).join(', ');
    return where === null
        ? 'attempts'
        : `(SELECT * FROM attempts WHERE (${key}) IN (SELECT (${key}) FROM ${selectRecordsWhere(where)}))`;
}

const FIELD_NAMES: readonly string[] = RECORD_FIELDS.map(({ name }) => name);
const PREFIX = 'dimensions.';

export interface Dimension extends AnswerColumn {
    readonly sql: string;
}

/**
 * Fields of records, or `dimensions.<name>` for a dimension that has no field of its own.
 * @throws UserError (exit 2) for any other name
 */
export function parseDimensions(names: readonly string[]): readonly Dimension[] {
    return [...new Set(names)].map((name) => {
        if (name === 'prompt_type') return { name, kind: 'text', sql: PROMPT_SQL };
        if (name.startsWith(PREFIX) && name.length > PREFIX.length) {
            const key = name.slice(PREFIX.length).replaceAll('"', '\\"');
            return { name, kind: 'text', sql: `json_extract_string(dimensions, ${quoteText(`$."${key}"`)})` };
        }
        if (FIELD_NAMES.includes(name)) return { name, kind: 'text', sql: quoteName(name) };
        const meant = findNearest(name, FIELD_NAMES);
        const hint = meant === null ? '' : ` (did you mean ${meant}?)`;
        throw new UserError(
            `--by: expected a field of records or dimensions.<name>, got '${name}'${hint}; docs/database.md lists the fields`,
        );
    });
}

/** `"model" AS "model", ...,` for a SELECT; empty without dimensions. */
export const selectDimensions = (dimensions: readonly Dimension[]): string =>
    dimensions.map(({ name, sql }) => `${sql} AS ${quoteName(name)}, `).join('');

/** `"model", ...` for GROUP BY and ORDER BY; without dimensions, a constant that is not a literal. */
export const listDimensions = (dimensions: readonly Dimension[]): string =>
    dimensions.length === 0 ? "concat('')" : dimensions.map(({ name }) => quoteName(name)).join(', ');
