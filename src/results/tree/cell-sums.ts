import type { ResultRecord } from '../record/record.js';

/*
 * What is kept for a cell (model, prompt, rate, difficulty, task type) and for every node above it: counts and sums, never rates.
 * A parent is the sum of its children; leaf-formulas.ts computes rates and means from the sums at the end.
 */

/** Means: the record's field, and the name of the mean in the tree. Records without the value are left out of the mean. */
export const MEANS = {
    wall_time: 'avg_execution_time',
    turns: 'avg_turns',
    tool_calls: 'avg_tool_calls',
    coverage: 'tool_coverage_rate',
    workflow_score: 'avg_workflow_score',
    phase2_score: 'avg_phase2_score',
    quality_score: 'avg_quality_score',
    final_score: 'avg_final_score',
} as const;

export type MeanField = keyof typeof MEANS;
export const MEAN_FIELDS = Object.keys(MEANS) as readonly MeanField[];

/** Error counters, with the name that their share of all errors has in the tree. */
export const ERRORS = {
    tool_call_format_errors: 'format_error_rate',
    timeout_errors: 'timeout_error_rate',
    dependency_errors: 'dependency_error_rate',
    parameter_config_errors: 'parameter_error_rate',
    tool_selection_errors: 'tool_selection_error_rate',
    sequence_order_errors: 'sequence_error_rate',
    max_turns_errors: 'max_turns_error_rate',
    other_errors: 'other_error_rate',
} as const;

export type ErrorField = keyof typeof ERRORS;
export const ERROR_FIELDS = Object.keys(ERRORS) as readonly ErrorField[];

const COUNTERS = [
    'success',
    'partial',
    'failed',
    'infrastructure',
    'assistedFailure',
    'assistedSuccess',
    'assistedTurns',
    'assistedTests',
] as const;

type Counter = (typeof COUNTERS)[number];

/** Counts and sums as they are stored in a file. */
export type CellSumsJson = Readonly<Record<Counter, number>> & {
    /** Sum and count of each mean, in the order of `MEAN_FIELDS`. */
    readonly sums: readonly (readonly [sum: number, count: number])[];
    /** In the order of `ERROR_FIELDS`. */
    readonly errors: readonly number[];
    /** First and last, ISO 8601; empty if unknown. */
    readonly times: readonly [first: string, last: string];
};

function requireNumber(value: unknown): number {
    if (typeof value === 'number') return value;
    throw new TypeError('expected a number');
}

/** The counts and sums of a set of records. */
export class CellSums {
    success = 0;
    partial = 0;
    failed = 0;
    /** Tasks that failed because of the infrastructure; not in any total, rate or mean. */
    infrastructure = 0;
    assistedFailure = 0;
    assistedSuccess = 0;
    assistedTurns = 0;
    assistedTests = 0;
    /** ISO 8601; empty if unknown. */
    firstTime = '';
    lastTime = '';
    readonly sums: Record<MeanField, { sum: number; count: number }>;
    readonly errors: Record<ErrorField, number>;

    constructor() {
        this.sums = Object.fromEntries(MEAN_FIELDS.map((field) => [field, { sum: 0, count: 0 }])) as Record<
            MeanField,
            { sum: number; count: number }
        >;
        this.errors = Object.fromEntries(ERROR_FIELDS.map((field) => [field, 0])) as Record<
            ErrorField,
            number
        >;
    }

    get total(): number {
        return this.success + this.partial + this.failed;
    }

    /** Number of records added, including those without a success level. */
    get records(): number {
        return this.total + this.infrastructure;
    }

    add(record: ResultRecord): void {
        const { success_level: level } = record;
        if (level === null) {
            this.infrastructure += 1;
            return;
        }
        if (level === 'full') this.success += 1;
        else if (level === 'partial') this.partial += 1;
        else this.failed += 1;
        for (const field of MEAN_FIELDS) {
            const value = record[field];
            if (value === null) continue;
            this.sums[field].sum += value;
            this.sums[field].count += 1;
        }
        for (const field of ERROR_FIELDS) this.errors[field] += record[field] ?? 0;
        this.#addAssistance(record);
        this.#addTime(record.finished_at ?? '', record.finished_at ?? '');
    }

    #addAssistance(record: ResultRecord): void {
        const { assisted_failure: failure, assisted_success: success, assisted_turns: turns } = record;
        this.assistedFailure += failure ?? 0;
        this.assistedSuccess += success ?? 0;
        this.assistedTurns += turns ?? 0;
        if ((failure ?? 0) > 0 || (success ?? 0) > 0 || (turns ?? 0) > 0) this.assistedTests += 1;
    }

    #addTime(first: string, last: string): void {
        if (first !== '' && (this.firstTime === '' || first < this.firstTime)) this.firstTime = first;
        if (last > this.lastTime) this.lastTime = last;
    }

    /** Adds the output of `toJson`. @throws TypeError for anything else */
    addJson(json: CellSumsJson): void {
        const other = new CellSums();
        for (const name of COUNTERS) other[name] = requireNumber(json[name]);
        for (const [at, field] of MEAN_FIELDS.entries()) {
            const [sum, count] = json.sums[at] ?? [];
            other.sums[field] = { sum: requireNumber(sum), count: requireNumber(count) };
        }
        for (const [at, field] of ERROR_FIELDS.entries())
            other.errors[field] = requireNumber(json.errors[at]);
        [other.firstTime, other.lastTime] = json.times;
        this.addSums(other);
    }

    /** Counts and sums as plain JSON. */
    toJson(): CellSumsJson {
        const counters = Object.fromEntries(COUNTERS.map((name) => [name, this[name]])) as Record<
            Counter,
            number
        >;
        return {
            ...counters,
            sums: MEAN_FIELDS.map((field) => [this.sums[field].sum, this.sums[field].count] as const),
            errors: ERROR_FIELDS.map((field) => this.errors[field]),
            times: [this.firstTime, this.lastTime],
        };
    }

    addSums(other: CellSums): void {
        for (const name of COUNTERS) this[name] += other[name];
        for (const field of MEAN_FIELDS) {
            this.sums[field].sum += other.sums[field].sum;
            this.sums[field].count += other.sums[field].count;
        }
        for (const field of ERROR_FIELDS) this.errors[field] += other.errors[field];
        this.#addTime(other.firstTime, other.lastTime);
    }
}
