import type { JsonObject } from '../../model/json.js';
import { type CellSums, ERROR_FIELDS, ERRORS, MEAN_FIELDS, MEANS } from './cell-sums.js';

/** A number of a node of the tree. */
interface LeafFormula {
    readonly key: string;
    /** As shown in docs/database.md. */
    readonly formula: string;
    /** Null: the key is left out. */
    readonly value: (sums: CellSums) => number | null;
}

const formula = (key: string, text: string, value: LeafFormula['value']): LeafFormula => ({
    key,
    formula: text,
    value,
});

const ratio = (part: number, whole: number): number => (whole === 0 ? 0 : part / whole);

const totalErrors = (sums: CellSums): number =>
    ERROR_FIELDS.reduce((sum, field) => sum + sums.errors[field], 0);

/** Left out until an error occurs, as in the earlier databases. */
const onErrors =
    (value: (sums: CellSums) => number): LeafFormula['value'] =>
    (sums) =>
        totalErrors(sums) === 0 ? null : value(sums);

/**
 * The single table of the tree's numbers, in the order in which they are written. Names and meanings are those of the earlier
 * tools, except that a missing value is not 0: a mean covers only the records that have a value, and is absent if none has.
 */
export const LEAF_FORMULAS: readonly LeafFormula[] = [
    formula('total', 'success + partial + failed', (sums) => sums.total),
    formula('success', 'records with success_level full', (sums) => sums.success),
    formula('successful', 'success; its name in some earlier files', (sums) => sums.success),
    formula('partial', 'records with success_level partial', (sums) => sums.partial),
    formula('failed', 'records with success_level failure', (sums) => sums.failed),
    formula('infrastructure', 'records without a success_level; not in total', (sums) => sums.infrastructure),
    formula('success_rate', 'success / total', (sums) => ratio(sums.success, sums.total)),
    formula('partial_rate', 'partial / total', (sums) => ratio(sums.partial, sums.total)),
    formula('failure_rate', 'failed / total', (sums) => ratio(sums.failed, sums.total)),
    formula('weighted_success_score', '(success + 0.5 x partial) / total', (sums) =>
        ratio(sums.success + 0.5 * sums.partial, sums.total),
    ),
    formula('full_success', 'success', (sums) => sums.success),
    formula('partial_success', 'partial', (sums) => sums.partial),
    formula('full_success_rate', 'success / total', (sums) => ratio(sums.success, sums.total)),
    formula('partial_success_rate', 'partial / total', (sums) => ratio(sums.partial, sums.total)),
    ...MEAN_FIELDS.map((field) =>
        formula(MEANS[field], `sum of ${field} / records with a ${field}; absent without any`, ({ sums }) =>
            sums[field].count === 0 ? null : sums[field].sum / sums[field].count,
        ),
    ),
    formula('total_errors', 'sum of the eight counters; absent while 0', onErrors(totalErrors)),
    ...ERROR_FIELDS.map((field) =>
        formula(
            field,
            `sum of ${field}; absent while total_errors is 0`,
            onErrors((sums) => sums.errors[field]),
        ),
    ),
    ...ERROR_FIELDS.map((field) =>
        formula(
            ERRORS[field],
            `${field} / total_errors; absent while it is 0`,
            onErrors((sums) => sums.errors[field] / totalErrors(sums)),
        ),
    ),
    formula('assisted_failure', 'sum of assisted_failure', (sums) => sums.assistedFailure),
    formula('assisted_success', 'sum of assisted_success', (sums) => sums.assistedSuccess),
    formula('total_assisted_turns', 'sum of assisted_turns', (sums) => sums.assistedTurns),
    formula('tests_with_assistance', 'records with any of the three', (sums) => sums.assistedTests),
    formula('avg_assisted_turns', 'total_assisted_turns / tests_with_assistance', (sums) =>
        ratio(sums.assistedTurns, sums.assistedTests),
    ),
    formula('assisted_success_rate', 'assisted_success / tests_with_assistance', (sums) =>
        ratio(sums.assistedSuccess, sums.assistedTests),
    ),
    formula('assistance_rate', 'tests_with_assistance / total', (sums) =>
        ratio(sums.assistedTests, sums.total),
    ),
];

/** A leaf, or a higher node with the same numbers. */
export function buildLeaf(sums: CellSums): JsonObject {
    const leaf: Record<string, number> = {};
    for (const { key, value } of LEAF_FORMULAS) {
        const number = value(sums);
        if (number !== null) leaf[key] = number;
    }
    return leaf;
}

/** Renders the table of formulas for docs/database.md. */
export function renderFormulaTable(): string {
    const rows = LEAF_FORMULAS.map(({ key, formula: text }) => `| \`${key}\` | ${text} |`);
    return ['| key | formula |', '|---|---|', ...rows].join('\n');
}
