import { type ExactJson, isExactArray, isExactObject, NumberText, printExactJson } from './exact-json.js';

/** What `{...}` in a command stands for, whatever the dataset is. */
export const PLACEHOLDERS = ['id', 'group', 'index', 'input'] as const;
export type Placeholder = (typeof PLACEHOLDERS)[number];

/**
 * `{{name}}`, or `{name}` and `{name.path}` not preceded by `$`: braces of shells, awk and JSON are left alone (`${HOME}`,
 * `{print $1}`, `{"a": 1}`).
 */
const FIELD = /\{\{([\p{L}\p{N}_.-]+)\}\}|(?<!\$)\{([\p{L}_][\p{L}\p{N}_-]*(?:\.[\p{L}\p{N}_-]+)*)\}/gu;

/** Before a field with the name of a placeholder: `{row.id}`. */
const ROW = 'row.';

/** A filled template for a task, or the field that its row lacks. */
export type FilledArgument =
    | { readonly kind: 'filled'; readonly text: string }
    | { readonly kind: 'missing'; readonly field: string };

/** Rows of the general form: placeholders by name; other braces are left unchanged. */
export function fillPlaceholders(argument: string, values: Readonly<Record<Placeholder, string>>): string {
    return argument.replace(/\{(\w+)\}/g, (whole, name: string) =>
        isPlaceholder(name) ? values[name] : whole,
    );
}

/** Rows of a list: placeholders by name, fields of the row by theirs. @param row its value, numbers as they are written */
export function fillFields(
    argument: string,
    values: Readonly<Record<Placeholder, string>>,
    row: ExactJson,
): FilledArgument {
    let missing: string | null = null;
    const text = argument.replace(FIELD, (_, literal: string | undefined, name: string | undefined) => {
        if (literal !== undefined) return `{${literal}}`;
        if (name === undefined) return '';
        if (isPlaceholder(name)) return values[name];
        const value = valueAt(row, nameInRow(name));
        if (value === undefined) missing ??= name;
        return value === undefined ? '' : formatValue(value);
    });
    return missing === null ? { kind: 'filled', text } : { kind: 'missing', field: missing };
}

/**
 * Placeholders of a command for which no row of a list has a value, as written.
 * @param fields every field that a row has
 */
export function findUnknownFields(argv: readonly string[], fields: ReadonlySet<string>): readonly string[] {
    const named = argv.flatMap((argument) =>
        Array.from(argument.matchAll(FIELD), ([, , name]) => name ?? ''),
    );
    const unknown = named.filter((name) => {
        if (name === '' || isPlaceholder(name)) return false;
        const path = nameInRow(name);
        return !fields.has(path) && !fields.has(path.split('.')[0] ?? path);
    });
    return [...new Set(unknown)].map((name) => `{${name}}`);
}

export const isPlaceholder = (name: string): name is Placeholder =>
    (PLACEHOLDERS as readonly string[]).includes(name);

const nameInRow = (name: string): string => (name.startsWith(ROW) ? name.slice(ROW.length) : name);

/** Undefined if there is no such field; items of lists are addressed by number. A field may have dots in its own name. */
function valueAt(row: ExactJson, path: string): ExactJson | undefined {
    if (isExactObject(row) && Object.hasOwn(row, path)) return row[path];
    let value: ExactJson | undefined = row;
    for (const key of path.split('.')) {
        if (value === undefined) return undefined;
        if (isExactArray(value)) value = value[Number(key)];
        else if (isExactObject(value) && Object.hasOwn(value, key)) value = value[key];
        else return undefined;
    }
    return value;
}

/** Text unchanged, null as nothing, numbers as they are written, lists and objects as JSON. */
function formatValue(value: ExactJson): string {
    if (typeof value === 'string') return value;
    if (value === null) return '';
    return value instanceof NumberText ? value.text : printExactJson(value);
}

/** The first few fields of a list, for messages. */
export function listFields(fields: Iterable<string>): string {
    const names = [...fields];
    const shown = names.slice(0, 8).map((name) => `{${name}}`);
    return names.length > shown.length ? `${shown.join(', ')}, ...` : shown.join(', ');
}
