import type { ComponentChildren, JSX } from 'preact';
import { useEffect, useMemo, useRef } from 'preact/hooks';
import { say } from '../language/text.js';
import { showCount } from '../language/figures.js';
import { changeFilters, type Route } from '../route.js';
import { downloadCsv } from './download.js';
import { PRINTED_ROWS, ROW_HEIGHT, useRowWindow } from './row-window.js';

/**
 * Number of element slots for rows: a row that scrolls into view reuses the elements of one that left it. Larger than the number
 * of rows ever drawn.
 */
const PLACES = 512;

export interface TableColumn<Row> {
    readonly key: string;
    readonly title: string;
    readonly about?: string;
    readonly align?: 'right';
    /** Width in CSS grid syntax: `minmax(8rem, 2fr)`. */
    readonly width: string;
    /** Value for sorting and for CSV. NaN: none, sorted last. */
    readonly value: (row: Row) => string | number;
    readonly cell: (row: Row) => ComponentChildren;
    /** Direction of the first click; absent: ascending. */
    readonly first?: 'descending';
}

interface VirtualTableProps<Row> {
    /** Also the name of the CSV file. */
    readonly name: string;
    readonly label: string;
    readonly route: Route;
    readonly columns: readonly TableColumn<Row>[];
    readonly rows: readonly Row[];
    /** `key` or `-key`, used if the address names no order. Absent: unsorted. */
    readonly order?: string;
    readonly empty?: string;
    /** Called with the rows in the order shown. */
    readonly onOrder?: (rows: readonly Row[]) => void;
}

/** A table of any length: only the visible rows are in the document. The address determines the order. */
export function VirtualTable<Row>(props: VirtualTableProps<Row>): JSX.Element {
    const { name, label, route, columns, rows, order, empty, onOrder } = props;
    const by = route.filters['sort'] ?? order ?? '';
    const sorted = useMemo(() => sortRows(rows, columns, by), [rows, columns, by]);
    useEffect(() => onOrder?.(sorted), [sorted, onOrder]);
    const { frame, from, to } = useRowWindow(sorted.length, by, rows);
    const template = columns.map((column) => column.width).join(' ');
    const drawn = useDrawnRows(sorted, columns, template, from, to);
    const saveCsv = (): void =>
        downloadCsv(name, [
            columns.map((column) => column.title),
            ...sorted.map((row) =>
                columns.map((column) => {
                    const value = column.value(row);
                    return typeof value === 'number' && Number.isNaN(value) ? null : value;
                }),
            ),
        ]);
    if (rows.length === 0) return <p class="empty">{empty ?? say('nothing')}</p>;
    return (
        <div class="table-box">
            <div class="table-scroll" ref={frame} tabIndex={0} role="group" aria-label={label}>
                <div role="table" aria-label={label} aria-rowcount={sorted.length + 1} class="grid-table">
                    <div role="rowgroup" class="table-head">
                        <div
                            role="row"
                            aria-rowindex={1}
                            class="table-row"
                            style={{ gridTemplateColumns: template }}
                        >
                            {columns.map((column) => (
                                <HeadCell key={column.key} column={column} by={by} route={route} />
                            ))}
                        </div>
                    </div>
                    <div
                        role="rowgroup"
                        class="table-body"
                        style={{ height: `${sorted.length * ROW_HEIGHT}px` }}
                        onMouseOver={showWholeText}
                    >
                        {drawn}
                    </div>
                </div>
            </div>
            <div class="table-foot">
                <span>{showCount(sorted.length)}</span>
                {sorted.length > PRINTED_ROWS && (
                    <span class="only-print">{say('printedRows', { count: showCount(PRINTED_ROWS) })}</span>
                )}
                <button type="button" class="quiet" onClick={saveCsv}>
                    {say('downloadCsv')}
                </button>
            </div>
        </div>
    );
}

/** Shows the whole text as a tooltip if the edge of its cell cuts it off. */
function showWholeText({ target }: Event): void {
    const cell = target instanceof Element ? target.closest<HTMLElement>('[role=cell]') : null;
    if (cell === null) return;
    if (cell.scrollWidth > cell.clientWidth) cell.title = cell.textContent;
    else cell.removeAttribute('title');
}

function HeadCell<Row>({
    column,
    by,
    route,
}: {
    readonly column: TableColumn<Row>;
    readonly by: string;
    readonly route: Route;
}): JSX.Element {
    const isSorted = by === column.key || by === `-${column.key}`;
    const isDescending = by.startsWith('-');
    const next = isSorted
        ? isDescending
            ? column.key
            : `-${column.key}`
        : `${column.first === 'descending' ? '-' : ''}${column.key}`;
    const mark = isSorted && (
        <span aria-hidden="true" class="sort-mark">
            {isDescending ? '↓' : '↑'}
        </span>
    );
    return (
        <div
            role="columnheader"
            class={column.align === 'right' ? 'right' : ''}
            aria-sort={isSorted ? (isDescending ? 'descending' : 'ascending') : 'none'}
        >
            <button
                type="button"
                class="head-button"
                title={column.about ?? say('sortBy', { column: column.title })}
                onClick={() => changeFilters(route, { sort: next })}
            >
                {column.align === 'right' && mark}
                {column.title}
                {column.align !== 'right' && mark}
            </button>
        </div>
    );
}

/** Sorts stably; missing values come last in both directions. */
function sortRows<Row>(
    rows: readonly Row[],
    columns: readonly TableColumn<Row>[],
    by: string,
): readonly Row[] {
    const column = columns.find(({ key }) => by === key || by === `-${key}`);
    if (column === undefined) return rows;
    const sign = by.startsWith('-') ? -1 : 1;
    const values = rows.map((row) => column.value(row));
    const isMissing = (value: string | number | undefined): boolean => value === '' || Number.isNaN(value);
    const collator = new Intl.Collator(undefined, { numeric: true });
    const compare = (a: number, b: number): number => {
        const [x = '', y = ''] = [values[a], values[b]];
        const [noX, noY] = [isMissing(x), isMissing(y)];
        if (noX || noY) return Number(noX) - Number(noY);
        if (typeof x === 'number' && typeof y === 'number') return sign * (x - y);
        return sign * collator.compare(String(x), String(y));
    };
    return rows
        .map((_, at) => at)
        .sort((a, b) => compare(a, b) || a - b)
        .flatMap((at) => rows[at] ?? []);
}

/** The rows from `from` to `to` as elements. Rows drawn before are reused, so that scrolling by a few rows draws only those. */
function useDrawnRows<Row>(
    sorted: readonly Row[],
    columns: readonly TableColumn<Row>[],
    template: string,
    from: number,
    to: number,
): readonly JSX.Element[] {
    const known = useRef<{ readonly of: readonly unknown[]; rows: Map<number, JSX.Element> }>({
        of: [],
        rows: new Map(),
    });
    if (known.current.of[0] !== sorted || known.current.of[1] !== columns)
        known.current = { of: [sorted, columns], rows: new Map() };
    const rows = new Map<number, JSX.Element>();
    for (const [at, row] of sorted.slice(from, to).entries()) {
        const position = from + at;
        rows.set(position, known.current.rows.get(position) ?? drawRow(row, position, columns, template));
    }
    known.current.rows = rows;
    return [...rows.values()];
}

function drawRow<Row>(
    row: Row,
    position: number,
    columns: readonly TableColumn<Row>[],
    template: string,
): JSX.Element {
    return (
        <div
            role="row"
            key={position % PLACES}
            aria-rowindex={position + 2}
            class="table-row"
            style={{ gridTemplateColumns: template, top: `${position * ROW_HEIGHT}px` }}
        >
            {columns.map((column) => (
                <div role="cell" key={column.key} class={column.align === 'right' ? 'right' : ''}>
                    {column.cell(row)}
                </div>
            ))}
        </div>
    );
}
