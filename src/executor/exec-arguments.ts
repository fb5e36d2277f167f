import type { ExactJson } from '../model/exact-json.js';
import { ENV_REFERENCE, readReference } from '../util/secrets.js';
import { fillFields, fillPlaceholders, type Placeholder } from '../model/field-template.js';

/** The words of a command for one task, or the problem that prevents it: what is wrong, and what to do. */
export type FilledCommand =
    | { readonly kind: 'filled'; readonly argv: readonly [string, ...string[]] }
    | { readonly kind: 'problem'; readonly message: string };

/**
 * Fills in a command for one task. Replacement texts are not expanded again.
 * @param row the task's row if it comes from a list; otherwise null
 * @throws UserError if a variable named by `{env:NAME}` is not set
 */
export function fillCommand(
    template: readonly [string, ...string[]],
    values: Readonly<Record<Placeholder, string>>,
    row: ExactJson | null,
): FilledCommand {
    const words: string[] = [];
    let isAfterDashes = false;
    for (const word of template) {
        const filled = fillWord(word, values, row);
        const problem =
            typeof filled === 'string'
                ? findProblem(word, values, { filled, isAfterDashes })
                : filled.problem;
        if (problem !== null) return { kind: 'problem', message: problem };
        if (typeof filled === 'string') words.push(filled);
        if (word === '--') isAfterDashes = true;
    }
    const [first = '', ...rest] = words;
    return { kind: 'filled', argv: [first, ...rest] };
}

function fillWord(
    word: string,
    values: Readonly<Record<Placeholder, string>>,
    row: ExactJson | null,
): string | { readonly problem: string } {
    let text = '';
    let end = 0;
    let missing: string | null = null;
    const fill = (part: string): string => {
        if (row === null) return fillPlaceholders(part, values);
        const filled = fillFields(part, values, row);
        if (filled.kind === 'filled') return filled.text;
        missing ??= filled.field;
        return '';
    };
    for (const match of word.matchAll(ENV_REFERENCE)) {
        text += fill(word.slice(end, match.index)) + readReference(match[1] ?? '', '--executor exec');
        end = match.index + match[0].length;
    }
    text += fill(word.slice(end));
    return missing === null ? text : { problem: `the row has no field for {${String(missing)}}` };
}

/** Ids and groups come from the dataset, and a command must not mistake them for options. Fields may be negative numbers. */
function findProblem(
    word: string,
    values: Readonly<Record<Placeholder, string>>,
    { filled, isAfterDashes }: { readonly filled: string; readonly isAfterDashes: boolean },
): string | null {
    if (filled.includes('\0'))
        return `${word} holds a NUL character for this task, which no argument can hold`;
    const placeholder = /^\{(id|group)\}/.exec(word)?.[0];
    if (placeholder === undefined || isAfterDashes || !filled.startsWith('-')) return null;
    const value = placeholder === '{id}' ? values.id : values.group;
    return (
        `${placeholder} is ${JSON.stringify(value)}, which the command would take for an option: ` +
        `put -- before ${placeholder}, or write --name=${placeholder}`
    );
}
