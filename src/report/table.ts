import { escapeLine } from '../util/printable.js';
import type { Paint } from './style.js';
import { cut, padEnd, padStart, measureWidth } from './width.js';

export interface Column {
    readonly title: string;
    readonly align: 'left' | 'right';
    /** Columns that cells may be cut down to if the table is too wide; absent: never cut. */
    readonly atLeast?: number;
}

/** A cell's text, or text with a colour, which does not count towards its width. */
export type Cell = string | { readonly text: string; readonly paint: Paint };

export interface TableOptions {
    /** Columns of the terminal. */
    readonly width: number;
    readonly indent?: string;
    readonly paintTitle?: Paint;
}

const GAP = '  ';

/**
 * Aligned lines, starting with the titles (left out if all are empty). Titles and cells are made printable. If the table is too
 * wide, cells of columns with `atLeast` are cut; if that is not enough, it stays too wide.
 */
export const renderTable = (
    columns: readonly Column[],
    rows: Iterable<readonly Cell[]>,
    options: TableOptions,
): string[] => [...renderLongTable(columns, rows, options)];

/** The same line by line. @param rows iterated twice, so that none of them is held: the first time for the column widths */
export function* renderLongTable(
    given: readonly Column[],
    rows: Iterable<readonly Cell[]>,
    options: TableOptions,
): Generator<string> {
    const indent = options.indent ?? '';
    const columns = given.map((column) => ({ ...column, title: escapeLine(column.title) }));
    const wanted = columns.map((column) => measureWidth(column.title));
    for (const row of rows) {
        for (const i of columns.keys()) {
            const width = measureWidth(getText(makeSafe(row[i] ?? '')));
            if (width > (wanted[i] ?? 0)) wanted[i] = width;
        }
    }
    const room = options.width - measureWidth(indent) - GAP.length * (columns.length - 1);
    const widths = fit(columns, wanted, room);
    const paintTitle = options.paintTitle ?? ((text) => text);
    const join = (cells: readonly Cell[]): string =>
        (indent + cells.map((cell, i) => place(cell, columns[i], widths[i] ?? 0)).join(GAP)).trimEnd();
    if (columns.some((column) => column.title !== ''))
        yield join(columns.map(({ title }) => ({ text: title, paint: paintTitle })));
    for (const row of rows) yield join(columns.map((_, i) => makeSafe(row[i] ?? '')));
}

function makeSafe(cell: Cell): Cell {
    return typeof cell === 'string' ? escapeLine(cell) : { ...cell, text: escapeLine(cell.text) };
}

function getText(cell: Cell): string {
    return typeof cell === 'string' ? cell : cell.text;
}

function place(cell: Cell, column: Column | undefined, width: number): string {
    const text = cut(getText(cell), width);
    const padded = column?.align === 'right' ? padStart(text, width) : padEnd(text, width);
    // Paint without the padding, so that trailing spaces can be trimmed.
    return typeof cell === 'string' ? padded : padded.replace(text, () => cell.paint(text));
}

/** Cuts columns from the right until the table fits, none below its `atLeast`: the first columns identify a row. */
function fit(columns: readonly Column[], wanted: readonly number[], room: number): readonly number[] {
    const widths = [...wanted];
    let excess = widths.reduce((sum, width) => sum + width, 0) - room;
    for (let i = columns.length - 1; i >= 0 && excess > 0; i -= 1) {
        const width = widths[i] ?? 0;
        const spare = Math.max(0, width - (columns[i]?.atLeast ?? width));
        widths[i] = width - Math.min(spare, excess);
        excess -= Math.min(spare, excess);
    }
    return widths;
}
