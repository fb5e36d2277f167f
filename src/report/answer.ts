import type { Answer, AnswerColumn, AnswerValue } from '../model/answer.js';
import { renderCsv } from '../util/csv.js';
import { type MarkdownPart, renderMarkdownLine, renderMarkdownTable } from '../util/markdown.js';
import { escapeLine } from '../util/printable.js';
import { unreachable } from '../util/unreachable.js';
import { formatBytes, count, formatDollars, formatDuration, formatPercent } from './format.js';
import type { Page } from './page.js';
import { renderTable } from './table.js';

export const ANSWER_FORMATS = ['table', 'json', 'csv', 'markdown', 'parquet'] as const;
export type AnswerFormat = (typeof ANSWER_FORMATS)[number];
/** Parquet is not text, and is written elsewhere. */
export type AnswerTextFormat = Exclude<AnswerFormat, 'parquet'>;

/** Most rows in a table: column widths depend on the widest cell, so all rows are held. */
const TABLE_BOUND = 1000;

/** Renders an answer as text, in pieces. */
export function renderAnswer(answer: Answer, format: AnswerTextFormat, page: Page): AsyncIterable<string> {
    switch (format) {
        case 'table':
            return renderAsTable(answer, page);
        case 'json':
            return renderAsJson(answer);
        case 'csv':
            return renderAsCsv(answer);
        case 'markdown':
            return renderAsMarkdown(answer);
        default:
            return unreachable(format, 'format of an answer');
    }
}

const isAlignedLeft = (kind: AnswerColumn['kind'] | undefined): boolean =>
    kind === 'text' || kind === 'time' || kind === 'boolean';

async function* renderAsTable(given: Answer, { width, style }: Page): AsyncGenerator<string> {
    const answer = forPeople(given);
    const { rows, rest } = await takeRows(answer);
    const columns = answer.columns.map(({ name, kind }) => ({
        title: name,
        align: isAlignedLeft(kind) ? ('left' as const) : ('right' as const),
        ...(kind === 'text' ? { atLeast: 12 } : {}),
    }));
    const cells = rows.map((row) => row.map((value, at) => formatValue(value, answer.columns[at])));
    const lines =
        rows.length === 0
            ? [answer.emptyText ?? 'No rows.']
            : renderTable(columns, cells, { width, paintTitle: style.dim });
    if (rest > 0) lines.push(`and ${count(rest)} more rows: --format csv writes them all`);
    const notes = answer.notes.map((note) => style.dim(escapeLine(note)));
    const head = formatSummaryLines(answer, width);
    yield [
        ...head,
        ...(head.length === 0 ? [] : ['']),
        ...lines,
        ...(notes.length === 0 ? [] : ['', ...notes]),
    ]
        .map((line) => `${line}\n`)
        .join('');
}

async function* renderAsJson(answer: Answer): AsyncGenerator<string> {
    const summary = answer.summary === undefined ? {} : { summary: answer.summary };
    const head = JSON.stringify({
        question: answer.question,
        ...summary,
        columns: answer.columns.map(({ name, kind }) => ({ name, kind })),
        notes: answer.notes,
    });
    yield `${head.slice(0, -1)},"rows":[`;
    let separator = '\n';
    for await (const row of answer.rows) {
        const object = Object.fromEntries(answer.columns.map(({ name }, at) => [name, row[at] ?? null]));
        yield `${separator}${JSON.stringify(object)}`;
        separator = ',\n';
    }
    yield '\n]}\n';
}

async function* renderAsCsv(answer: Answer): AsyncGenerator<string> {
    yield renderCsv([answer.columns.map(({ name }) => name)]);
    for await (const row of answer.rows) yield renderCsv([row]);
}

async function* renderAsMarkdown(given: Answer): AsyncGenerator<string> {
    const answer = forPeople(given);
    const { rows, rest } = await takeRows(answer);
    const cells = rows.map((row) =>
        row.map((value, at): MarkdownPart => {
            const column = answer.columns[at];
            const text = formatValue(value, column);
            return column?.kind === 'text' ? { outside: text } : text;
        }),
    );
    // Titles may contain the name of a dimension, which a dataset chose.
    const titles = answer.columns.map(
        ({ name }): MarkdownPart => (/^[a-z0-9_@]+$/.test(name) ? name : { outside: name }),
    );
    const lines = Object.entries(answer.summary ?? {}).map(([name, value]) =>
        renderMarkdownLine(
            `- ${name}: `,
            typeof value === 'string' ? { outside: value } : String(value ?? ''),
        ),
    );
    if (lines.length > 0) lines.push('');
    lines.push(...renderMarkdownTable(titles, cells, (at) => isAlignedLeft(answer.columns[at]?.kind)));
    if (rest > 0) lines.push('', `and ${count(rest)} more rows`);
    for (const note of answer.notes) lines.push('', note);
    yield lines.map((line) => `${line}\n`).join('');
}

/** Without the columns that only repeat others: a table is as wide as all of its columns. */
function forPeople(answer: Answer): Answer {
    const isShown = answer.columns.map(({ inTables }) => inTables !== false);
    if (!isShown.includes(false)) return answer;
    const pick = <T>(row: readonly T[]): readonly T[] => row.filter((_, at) => isShown[at]);
    async function* rows(): AsyncGenerator<readonly AnswerValue[]> {
        for await (const row of answer.rows) yield pick(row);
    }
    return { ...answer, columns: pick(answer.columns), rows: rows() };
}

function formatSummaryLines({ summary = {} }: Answer, width: number): string[] {
    const rows = Object.entries(summary).map(([name, value]) => [
        name,
        formatValue(value, { name, kind: Number.isInteger(value) ? 'integer' : 'number' }),
    ]);
    if (rows.length === 0) return [];
    const columns = [
        { title: '', align: 'left' },
        { title: '', align: 'right' },
    ] as const;
    return renderTable(columns, rows, { width });
}

/** Takes as many rows as are shown, and counts the rest. */
async function takeRows({
    rows,
}: Answer): Promise<{ readonly rows: readonly (readonly AnswerValue[])[]; readonly rest: number }> {
    const taken: (readonly AnswerValue[])[] = [];
    let rest = 0;
    for await (const row of rows) {
        if (taken.length < TABLE_BOUND) taken.push(row);
        else rest += 1;
    }
    return { rows: taken, rest };
}

/** A value formatted for people; files contain the raw value. */
function formatValue(value: AnswerValue, column: AnswerColumn | undefined): string {
    if (value === null) return '';
    if (typeof value !== 'number') return String(value);
    const kind = column?.kind ?? 'text';
    switch (kind) {
        case 'share':
            return formatPercent(value, 1);
        case 'seconds':
            return formatDuration(value);
        case 'bytes':
            return formatBytes(value);
        case 'usd':
            return formatDollars(value);
        case 'integer':
            return Number.isSafeInteger(value) ? count(value) : String(value);
        case 'number':
            return Math.abs(value) >= 1000 ? count(Math.round(value)) : String(Number(value.toPrecision(4)));
        case 'text':
        case 'boolean':
        case 'time':
            return String(value);
        default:
            return unreachable(kind, 'kind of a column');
    }
}
