/**
 * Levels of lists and objects that a value from outside may have: a row, what a module returns, a result file. Ours go through such
 * values by recursion, and a hostile one must not end the run. Ample for people: their data has fewer than ten.
 */
export const MAX_NESTING = 1000;

/** Whether a JSON value has more than `most` levels. Recurses no deeper than that: the value may be as deep as a hostile file likes. */
export function isNestedDeeper(value: unknown, most: number): boolean {
    if (typeof value !== 'object' || value === null) return false;
    if (most === 0) return true;
    const items: readonly unknown[] = Array.isArray(value) ? value : Object.values(value);
    return items.some((item) => isNestedDeeper(item, most - 1));
}
