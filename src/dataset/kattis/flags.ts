import type { Field } from '../field.js';

/** Flags given as one string are split at white space; quotes keep words together, as in a shell. */
export function splitFlags(text: string): string[] {
    const words = text.match(/(?:[^\s"']+|"[^"]*"|'[^']*')+/g) ?? [];
    return words.map((word) =>
        word.replace(/"([^"]*)"|'([^']*)'/g, (_, double, single) => String(double ?? single)),
    );
}

/** Flags as a string, as a list, or as a map with `flags`; null if they are missing. Numbers are read as text. */
export function readFlags(field: Field): string[] | null {
    if (!field.present) return null;
    if (Array.isArray(field.value)) return field.list().map(formatFlag);
    if (typeof field.value === 'object') return readFlags(field.get('flags')) ?? [];
    return splitFlags(formatFlag(field));
}

const formatFlag = (field: Field): string =>
    typeof field.value === 'number' ? String(field.value) : field.string();
