import type { JsonObject } from '../../model/json.js';
import { CellSums, ERROR_FIELDS, MEANS } from '../tree/cell-sums.js';
import { LEAF_FORMULAS } from '../tree/leaf-formulas.js';

/** A mistake in a tree of counts, and where it is. */
export interface AuditFinding {
    /** Keys from the root, joined by `/`. */
    readonly where: string;
    readonly what: string;
}

/** Rounding changes rates slightly, 32-bit rates more so. */
const TOLERANCE = 1e-6;

const isClose = (a: number, b: number): boolean =>
    Math.abs(a - b) <= TOLERANCE * Math.max(1, Math.abs(a), Math.abs(b));

const MEAN_KEYS: readonly string[] = Object.values(MEANS);

/** Counts that a parent sums over its leaves and that cannot be derived from other counts of the same node. */
const COUNTS = [
    'total',
    'success',
    'partial',
    'failed',
    'infrastructure',
    ...ERROR_FIELDS,
    'assisted_failure',
    'assisted_success',
    'total_assisted_turns',
    'tests_with_assistance',
] as const;

/** Checks that the numbers of one node follow from its counts, by the table in docs/database.md. */
export function auditLeaf(where: string, leaf: JsonObject): AuditFinding[] {
    const findings: AuditFinding[] = [];
    const say = (what: string): void => void findings.push({ where, what });
    const total = countIn(leaf, 'total');
    const sums = readSums(leaf);
    if (sums.total !== total) say(`success + partial + failed is ${sums.total}, total is ${total}`);
    for (const [key, value] of Object.entries(leaf)) {
        if (typeof value === 'string' && /^-?(NaN|Infinity)$/.test(value)) say(`${key} is ${value}`);
        if (value === null && key.endsWith('_rate')) say(`${key} is not a number`);
        if (typeof value !== 'number') continue;
        if (value < 0) say(`${key} is negative: ${value}`);
        if (key.endsWith('_rate') && value > 1 + TOLERANCE) say(`${key} is above 1: ${value}`);
    }
    if (sums.total !== total) {
        const expected = total === 0 ? 0 : sums.success / total;
        if (typeof leaf.success_rate === 'number' && !isClose(leaf.success_rate, expected))
            say(`success_rate is ${leaf.success_rate}, ${sums.success} of ${total} is ${expected}`);
        return findings;
    }
    for (const { key, formula, value } of LEAF_FORMULAS) {
        const stated = leaf[key];
        if (typeof stated !== 'number' || MEAN_KEYS.includes(key)) continue;
        if (key === 'total_errors' && !ERROR_FIELDS.some((field) => field in leaf)) continue;
        const expected = value(sums) ?? 0;
        if (isClose(stated, expected)) continue;
        say(
            key === 'success_rate'
                ? `success_rate is ${stated}, ${sums.success} of ${total} is ${expected}`
                : `${key} is ${stated}, ${formula.replace(/;.*/, '')} is ${expected}`,
        );
    }
    return findings;
}

/**
 * Checks that a node is the sum of the leaves below it: counts add up, and each mean lies between the smallest and the largest of
 * the leaves, where both have it. The node's own numbers must follow the same rules as those of a leaf.
 */
export function auditParent(
    where: string,
    node: JsonObject,
    leaves: readonly JsonObject[],
): readonly AuditFinding[] {
    if (typeof node.total !== 'number') return [];
    const findings = auditLeaf(where, node);
    for (const key of COUNTS) {
        if (key === 'success' ? !hasSuccess(node) : typeof node[key] !== 'number') continue;
        const count = (leaf: JsonObject): number =>
            key === 'success' ? countSuccess(leaf) : countIn(leaf, key);
        const sum = leaves.reduce((before, leaf) => before + count(leaf), 0);
        if (count(node) !== sum)
            findings.push({ where, what: `${key} is ${count(node)}, its leaves sum to ${sum}` });
    }
    for (const key of MEAN_KEYS) {
        const mean = node[key];
        const means = leaves.map((leaf) => leaf[key]).filter((value) => typeof value === 'number');
        if (typeof mean !== 'number' || means.length === 0) continue;
        const [least, most] = [Math.min(...means), Math.max(...means)];
        if ((mean < least && !isClose(mean, least)) || (mean > most && !isClose(mean, most)))
            findings.push({
                where,
                what: `${key} is ${mean}, outside of its leaves' range of ${least} to ${most}`,
            });
    }
    return findings;
}

/** Checks that two trees agree: every key of `expected` has an equal value in `written`, except for rounding of numbers. */
export function compareTrees(where: string, written: unknown, expected: unknown): readonly AuditFinding[] {
    if (typeof expected === 'object' && expected !== null && !Array.isArray(expected)) {
        if (typeof written !== 'object' || written === null) return [{ where, what: 'it is missing' }];
        const nodes: Readonly<Record<string, unknown>> = { ...written };
        return Object.entries(expected).flatMap(([key, value]) =>
            compareTrees(`${where}/${key}`, nodes[key], value),
        );
    }
    const areEqual =
        typeof written === 'number' && typeof expected === 'number'
            ? isClose(written, expected)
            : JSON.stringify(written) === JSON.stringify(expected);
    if (areEqual) return [];
    const stated = written === undefined ? 'missing' : JSON.stringify(written);
    return [{ where, what: `it is ${stated}, but the records give ${JSON.stringify(expected)}` }];
}

/** The counts of a node, from which everything except its means follows. */
function readSums(leaf: JsonObject): CellSums {
    const sums = new CellSums();
    sums.success = countSuccess(leaf);
    sums.partial = countIn(leaf, 'partial');
    sums.failed = countIn(leaf, 'failed');
    sums.infrastructure = countIn(leaf, 'infrastructure');
    sums.assistedFailure = countIn(leaf, 'assisted_failure');
    sums.assistedSuccess = countIn(leaf, 'assisted_success');
    sums.assistedTurns = countIn(leaf, 'total_assisted_turns');
    sums.assistedTests = countIn(leaf, 'tests_with_assistance');
    for (const field of ERROR_FIELDS) sums.errors[field] = countIn(leaf, field);
    return sums;
}

const hasSuccess = (leaf: JsonObject): boolean =>
    typeof leaf.success === 'number' || typeof leaf.successful === 'number';

/** Some earlier files call it `successful`. */
export const countSuccess = (leaf: JsonObject): number =>
    countIn(leaf, leaf.success === undefined ? 'successful' : 'success');

export const countIn = (leaf: JsonObject, name: string): number => {
    const value = leaf[name];
    return typeof value === 'number' ? value : 0;
};
