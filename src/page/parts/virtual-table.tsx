import type { ComponentChildren, JSX } from 'preact';
import { useEffect, useMemo, useRef, useState } from 'preact/hooks';
import { say } from '../language/text.js';
import { showCount } from '../language/figures.js';
import { changeFilters, type Route } from '../route.js';
import { downloadCsv } from './download.js';

/** Pixels; the style sheet has the same number. */
const ROW_HEIGHT = 32;
/** Rows drawn above and below what is seen. */
const MARGIN = 8;
/** Rows on paper: all half a million would be a book. */
const PRINTED_ROWS = 300;

export interface TableColumn<Row> {
    readonly key: string;
    readonly title: string;
    readonly about?: string;
    readonly align?: 'right';
    /** Of CSS grid: `minmax(8rem, 2fr)`. */
    readonly width: string;
    /** What it is sorted by and what CSV holds. NaN: nothing, sorted last. */
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
    /** `key` or `-key`; where the address names no order. Absent: as they come. */
    readonly order?: string;
    readonly empty?: string;
}

/** A table of any length: only the rows in sight are in the document. Sorted by the address. */
export function VirtualTable<Row>(props: VirtualTableProps<Row>): JSX.Element {
    const { name, label, route, columns, rows, order, empty } = props;
    const by = route.filters['sort'] ?? order ?? '';
    const sorted = useMemo(() => sortRows(rows, columns, by), [rows, columns, by]);
    const { frame, from, to } = useWindow(sorted.length, by, rows);
    const template = columns.map((column) => column.width).join(' ');
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
                    >
                        {sorted.slice(from, to).map((row, at) => (
                            <div
                                role="row"
                                key={from + at}
                                aria-rowindex={from + at + 2}
                                class="table-row"
                                style={{
                                    gridTemplateColumns: template,
                                    top: `${(from + at) * ROW_HEIGHT}px`,
                                }}
                            >
                                {columns.map((column) => (
                                    <div
                                        role="cell"
                                        key={column.key}
                                        class={column.align === 'right' ? 'right' : ''}
                                    >
                                        {column.cell(row)}
                                    </div>
                                ))}
                            </div>
                        ))}
                    </div>
                </div>
            </div>
            <div class="table-foot">
                <span>{showCount(sorted.length)}</span>
                <button type="button" class="quiet" onClick={saveCsv}>
                    {say('downloadCsv')}
                </button>
            </div>
        </div>
    );
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

/** Sorts stably; what has no value comes last either way. */
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

/** Which rows are in sight. A change of order or rows goes back to the top. */
function useWindow(
    count: number,
    by: string,
    rows: unknown,
): { readonly frame: { current: HTMLDivElement | null }; readonly from: number; readonly to: number } {
    const frame = useRef<HTMLDivElement>(null);
    const [seen, setSeen] = useState({ top: 0, height: 800 });
    const [isPrinting, setPrinting] = useState(false);
    useEffect(() => {
        const element = frame.current;
        if (element === null) return undefined;
        const look = (): void => setSeen({ top: element.scrollTop, height: element.clientHeight });
        look();
        const observer = new ResizeObserver(look);
        observer.observe(element);
        element.addEventListener('scroll', look, { passive: true });
        return () => {
            observer.disconnect();
            element.removeEventListener('scroll', look);
        };
    }, [count === 0]);
    useEffect(() => {
        if (frame.current !== null) frame.current.scrollTop = 0;
    }, [by, rows]);
    useEffect(() => {
        const query = matchMedia('print');
        const update = (): void => setPrinting(query.matches);
        update();
        query.addEventListener('change', update);
        return () => query.removeEventListener('change', update);
    }, []);
    if (isPrinting) return { frame, from: 0, to: PRINTED_ROWS };
    const from = Math.max(0, Math.floor(seen.top / ROW_HEIGHT) - MARGIN);
    return { frame, from, to: Math.min(count, Math.ceil((seen.top + seen.height) / ROW_HEIGHT) + MARGIN) };
}
