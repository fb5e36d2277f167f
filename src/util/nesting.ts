/**
 * Most levels of lists and objects in a value from outside: a row, a module's return value, a result file. Our code walks such
 * values recursively, and a hostile one must not crash the run. Real data has fewer than ten.
 */
export const MAX_NESTING = 1000;

/** Whether a JSON value has more than `most` levels. Recurses no deeper than that: a hostile file may nest to any depth. */
export function isNestedDeeper(value: unknown, most: number): boolean {
    if (typeof value !== 'object' || value === null) return false;
    if (most === 0) return true;
    const items: readonly unknown[] = Array.isArray(value) ? value : Object.values(value);
    return items.some((item) => isNestedDeeper(item, most - 1));
}
