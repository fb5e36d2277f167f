import type { Field } from '../field.js';

/** Numbers written as text are accepted. */
export function readNumber(field: Field): number {
    const value = typeof field.value === 'string' ? Number(field.value.trim() || 'x') : field.value;
    return typeof value === 'number' && Number.isFinite(value) ? value : field.fail('a number');
}

/** `range: 0 100`: the least and the greatest score; an unbounded end is null. Null if no range is given. */
export function readRange(field: Field | undefined): readonly [number | null, number | null] | null {
    if (field === undefined || !field.present) return null;
    const ends = Array.isArray(field.value)
        ? field.value.map(Number)
        : field.string().trim().split(/\s+/).map(Number);
    const bound = (end: number | undefined): number | null =>
        end !== undefined && Number.isFinite(end) ? end : null;
    return [bound(ends[0]), bound(ends[1])];
}
