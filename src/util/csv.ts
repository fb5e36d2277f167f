import { escapeText } from './printable.js';

/** A cell: numbers and booleans are our own, texts may come from anywhere; null is an empty cell. */
export type CsvCell = string | number | boolean | null;

/** Starts a formula in spreadsheets. */
const FORMULA = /^[=+\-@\t\r\uff0b\uff0d\uff1d\uff20]/;

/**
 * The only writer of CSV (RFC 4180: lines end in CRLF, quotes are doubled); every cell passes through it, including the header's.
 * Control characters other than tabs and line breaks are written as escapes. A text that a spreadsheet would take for a formula
 * gets an apostrophe in front, which spreadsheets do not show (OWASP, "CSV Injection").
 */
export function renderCsv(rows: readonly (readonly CsvCell[])[]): string {
    return rows.map((row) => `${row.map(formatCell).join(',')}\r\n`).join('');
}

function formatCell(cell: CsvCell): string {
    if (cell === null) return '';
    if (typeof cell !== 'string') return String(cell);
    const text = escapeText(FORMULA.test(cell) ? `'${cell}` : cell);
    return /[",\r\n\t]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}
