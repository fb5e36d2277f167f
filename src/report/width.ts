import { eastAsianWidth } from 'get-east-asian-width';

/*
 * Number of columns that text takes on a terminal, accurate enough for alignment. Our own escape sequences (style.ts) are not
 * counted.
 */

// Only our own colours: foreign escape sequences never get this far (see util/printable.ts).
// oxlint-disable-next-line no-control-regex
const COLOURS = /\u001b\[\d+m/g;
const NO_COLUMN = /^[\p{Mn}\p{Me}\p{Cf}]$/u;

/** Number of terminal columns that `text` takes. */
export function measureWidth(text: string): number {
    let width = 0;
    for (const character of text.replace(COLOURS, '')) width += measureCharacter(character);
    return width;
}

function measureCharacter(character: string): 0 | 1 | 2 {
    const code = character.codePointAt(0) ?? 0;
    if (code < 0x300) return 1;
    return NO_COLUMN.test(character) ? 0 : eastAsianWidth(code);
}

/**
 * The first lines that fit a terminal, leaving one row for the cursor; `…` stands for the rest. A line wider than the terminal
 * takes several rows.
 */
export function fitScreen(
    lines: readonly string[],
    { rows, columns }: { readonly rows: number; readonly columns: number },
): string[] {
    const splitRows = (line: string): number => Math.max(1, Math.ceil(measureWidth(line) / columns));
    const taken = (shown: readonly string[]): number => shown.reduce((sum, line) => sum + splitRows(line), 0);
    if (taken(lines) <= rows - 1) return [...lines];
    const shown: string[] = [];
    for (const line of lines) {
        if (taken(shown) + splitRows(line) > rows - 2) break;
        shown.push(line);
    }
    return [...shown, '…'];
}

/** Cuts uncoloured text to `columns` by leaving out its middle: both ends of an id distinguish it from its neighbours. */
export function cut(text: string, columns: number): string {
    if (measureWidth(text) <= columns) return text;
    if (columns < 2) return '…'.slice(0, columns);
    const characters = Array.from(text);
    const back = take(characters.toReversed(), Math.floor((columns - 1) / 2)).toReversed();
    const front = take(characters, columns - 1 - measureWidth(back.join('')));
    return `${front.join('')}…${back.join('')}`;
}

function take(characters: readonly string[], columns: number): string[] {
    const taken: string[] = [];
    let left = columns;
    for (const character of characters) {
        left -= measureCharacter(character);
        if (left < 0) break;
        taken.push(character);
    }
    return taken;
}

export function padEnd(text: string, columns: number): string {
    return text + ' '.repeat(Math.max(0, columns - measureWidth(text)));
}

export function padStart(text: string, columns: number): string {
    return ' '.repeat(Math.max(0, columns - measureWidth(text))) + text;
}
