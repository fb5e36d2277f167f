import type { JSX } from 'preact';
import { useCallback, useEffect, useLayoutEffect, useMemo, useRef, useState } from 'preact/hooks';
import { showCount } from '../language/figures.js';
import { say } from '../language/text.js';
import { downloadSvg } from '../parts/download.js';
import { FilterBar, SearchBox } from '../parts/filter-bar.js';
import { layOutHeatMap, type HeatMapLayout } from '../parts/heat-map-layout.js';
import { CELL_KINDS, drawHeatMap, renderHeatMapSvg } from '../parts/heat-map-drawing.js';
import { chooseCellKind, nameOutcome } from '../parts/outcome.js';
import { PRINTED_ROWS, useIsPrinting } from '../parts/row-window.js';
import { formatLabel } from '../parts/shown-text.js';
import { changeFilters, nameTask } from '../route.js';
import type { ViewProps } from './view-props.js';

/** Width of a printed page, in pixels. */
const PAPER_WIDTH = 1000;

interface Cursor {
    readonly row: number;
    readonly column: number;
}

/** Samples x tasks. Only the visible part is drawn, so a million cells scroll as smoothly as ten. */
export function HeatMapView({ data, route }: ViewProps): JSX.Element {
    const query = (route.filters['q'] ?? '').toLowerCase();
    const frame = useRef<HTMLDivElement>(null);
    const canvas = useRef<HTMLCanvasElement>(null);
    const [width, setWidth] = useState(900);
    const [cursor, setCursor] = useState<Cursor | null>(null);
    const layout = useMemo(() => layOutHeatMap(data, query, width), [data, query, width]);
    const isPrinting = useIsPrinting();
    const draw = useCallback(() => {
        if (canvas.current !== null && frame.current !== null)
            drawHeatMap(canvas.current, frame.current, data, layout, cursor);
    }, [data, layout, cursor]);
    useEffect(() => {
        draw();
        const element = frame.current;
        if (element === null) return undefined;
        const observer = new ResizeObserver(() => {
            // While hidden, as in print, the element has no width to lay out for.
            if (element.clientWidth > 0) setWidth(element.clientWidth);
            draw();
        });
        const colours = matchMedia('(prefers-color-scheme: dark)');
        observer.observe(element);
        element.addEventListener('scroll', draw, { passive: true });
        colours.addEventListener('change', draw);
        return () => {
            observer.disconnect();
            element.removeEventListener('scroll', draw);
            colours.removeEventListener('change', draw);
        };
    }, [draw]);
    const open = (at: Cursor | null): void => {
        const entry = at === null ? -1 : layout.entryAt(at.row, at.column);
        if (entry < 0) return;
        const task = nameTask(data.getSample(entry), data.getGroup(entry), data.value('index', entry));
        changeFilters(route, { task });
    };
    const onKey = (event: KeyboardEvent): void => {
        if (event.key === 'Enter') return open(cursor);
        const next = moveCursor(cursor, event.key, layout);
        if (next === null) return;
        event.preventDefault();
        setCursor(next);
        scrollTo(frame.current, next, layout);
    };
    const at = (event: MouseEvent): Cursor | null => layout.cellAt(event, frame.current);
    return (
        <>
            <FilterBar route={route}>
                <SearchBox route={route} label={say('searchSamples')} />
                <span class="faint">
                    {say('samplesShown', {
                        shown: showCount(layout.samples.length),
                        count: showCount(data.header.samples.length),
                    })}
                </span>
                <button
                    type="button"
                    class="quiet"
                    onClick={() => downloadSvg('heat-map', renderHeatMapSvg(data, layout))}
                >
                    {say('downloadSvg')}
                </button>
            </FilterBar>
            <Legend />
            <p class="status-line" role="status">
                {describeCell(data, layout, cursor)}
            </p>
            {isPrinting && <PrintedMap data={data} query={query} />}
            <div
                ref={frame}
                class="heat-frame"
                tabIndex={0}
                role="application"
                aria-label={`${say('heatMap')}. ${say('heatHelp')}`}
                onKeyDown={onKey}
                onMouseMove={(event) => {
                    const next = at(event);
                    if (next?.row !== cursor?.row || next?.column !== cursor?.column) setCursor(next);
                }}
                onClick={(event) => open(at(event))}
            >
                <canvas ref={canvas} aria-hidden="true" />
                <div style={{ width: `${layout.width}px`, height: `${layout.height}px` }} />
            </div>
        </>
    );
}

/** Paper does not scroll: prints the map as a separate drawing, with as many rows as a printed table. */
function PrintedMap({
    data,
    query,
}: {
    readonly data: ViewProps['data'];
    readonly query: string;
}): JSX.Element {
    const place = useRef<HTMLDivElement>(null);
    const layout = useMemo(() => layOutHeatMap(data, query, PAPER_WIDTH), [data, query]);
    useLayoutEffect(() => {
        place.current?.replaceChildren(renderHeatMapSvg(data, layout, PRINTED_ROWS));
    }, [data, layout]);
    return (
        <>
            <div ref={place} class="printed-map" aria-hidden="true" />
            {layout.samples.length > PRINTED_ROWS && (
                <p class="note">{say('printedRows', { count: showCount(PRINTED_ROWS) })}</p>
            )}
        </>
    );
}

function Legend(): JSX.Element {
    const names: Readonly<Record<string, string>> = {
        accepted: `${say('accepted')}, ${say('asExpected')}`,
        rejected: `≠ ${say('accepted')}, ${say('asExpected')}`,
        'bad-accept': say('wrongAccepted'),
        'bad-reject': say('rightRefused'),
        failed: say('failed'),
        pending: say('pending'),
        skipped: say('skipped'),
    };
    return (
        <ul class="legend">
            {CELL_KINDS.map((kind) => (
                <li key={kind}>
                    <span class={`swatch ${kind}`} aria-hidden="true" />
                    {names[kind]}
                </li>
            ))}
        </ul>
    );
}

function describeCell(data: ViewProps['data'], layout: HeatMapLayout, cursor: Cursor | null): string {
    if (cursor === null) return say('heatHelp');
    const sample = data.header.samples[layout.samples[cursor.row] ?? -1] ?? '';
    const column = layout.describeColumn(cursor.column);
    const entry = layout.entryAt(cursor.row, cursor.column);
    const verdict =
        entry < 0
            ? say('notRun')
            : `${nameOutcome(data.getOutcome(entry))}${kindNote(chooseCellKind(data, entry))}`;
    return say('heatCell', {
        sample: formatLabel(sample),
        group: formatLabel(column.group),
        index: column.index,
        verdict,
    });
}

function kindNote(kind: string): string {
    return kind === 'bad-accept' || kind === 'bad-reject' ? ` (${say('unexpected')})` : '';
}

function moveCursor(cursor: Cursor | null, key: string, layout: HeatMapLayout): Cursor | null {
    const { row, column } = cursor ?? { row: 0, column: -1 };
    const moves: Readonly<Record<string, Cursor>> = {
        ArrowRight: { row, column: column + 1 },
        ArrowLeft: { row, column: column - 1 },
        ArrowDown: { row: row + 1, column: Math.max(0, column) },
        ArrowUp: { row: row - 1, column: Math.max(0, column) },
        PageDown: { row: row + 20, column: Math.max(0, column) },
        PageUp: { row: row - 20, column: Math.max(0, column) },
        Home: { row, column: 0 },
        End: { row, column: layout.columns - 1 },
    };
    const next = moves[key];
    if (next === undefined) return null;
    const clamp = (value: number, most: number): number => Math.max(0, Math.min(value, most));
    return {
        row: clamp(next.row, layout.samples.length - 1),
        column: clamp(next.column, layout.columns - 1),
    };
}

function scrollTo(frame: HTMLElement | null, cursor: Cursor, layout: HeatMapLayout): void {
    if (frame === null) return;
    const { x, y } = layout.placeOf(cursor.row, cursor.column);
    const room = { x: frame.clientWidth - layout.labelWidth, y: frame.clientHeight - layout.headHeight };
    const left = x - layout.labelWidth;
    const top = y - layout.headHeight;
    if (left < frame.scrollLeft) frame.scrollLeft = left;
    if (left + layout.cell > frame.scrollLeft + room.x) frame.scrollLeft = left + layout.cell - room.x;
    if (top < frame.scrollTop) frame.scrollTop = top;
    if (top + layout.rowHeight > frame.scrollTop + room.y) frame.scrollTop = top + layout.rowHeight - room.y;
}
