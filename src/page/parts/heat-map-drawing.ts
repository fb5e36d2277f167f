import type { RunData } from '../data/run-data.js';
import type { HeatMapLayout } from './heat-map-layout.js';
import { type CellKind, chooseCellKind } from './outcome.js';
import { formatLabel } from './shown-text.js';

/** Kinds of cells, in the order of the legend. */
export const CELL_KINDS = [
    'accepted',
    'rejected',
    'bad-accept',
    'bad-reject',
    'failed',
    'pending',
    'skipped',
] as const satisfies readonly CellKind[];

/** Average width of a letter in a label, in pixels, rounded up. */
const LETTER = 7;
const FONT = '12px system-ui, sans-serif';
/** Most rows in one SVG; no program opens larger ones. */
const MAX_SVG_ROWS = 5000;

/** Draws the visible part. */
export function drawHeatMap(
    canvas: HTMLCanvasElement,
    frame: HTMLElement,
    data: RunData,
    layout: HeatMapLayout,
    cursor: { readonly row: number; readonly column: number } | null,
): void {
    const { clientWidth: width, clientHeight: height, scrollLeft, scrollTop } = frame;
    const ratio = devicePixelRatio;
    if (canvas.width !== width * ratio || canvas.height !== height * ratio) {
        canvas.width = width * ratio;
        canvas.height = height * ratio;
        canvas.style.width = `${width}px`;
        canvas.style.height = `${height}px`;
    }
    const context = canvas.getContext('2d');
    if (context === null) return;
    const style = getComputedStyle(document.documentElement);
    const colours = new Map(
        CELL_KINDS.map((kind) => [kind as CellKind, style.getPropertyValue(`--${kind}`).trim()]),
    );
    const readColour = (name: string): string => style.getPropertyValue(name).trim();
    context.setTransform(ratio, 0, 0, ratio, 0, 0);
    context.clearRect(0, 0, width, height);
    context.font = FONT;
    const { rowHeight, headHeight, labelWidth, cell } = layout;
    const first = Math.max(0, Math.floor(scrollTop / rowHeight));
    const last = Math.min(layout.samples.length, first + Math.ceil((height - headHeight) / rowHeight) + 1);
    context.save();
    context.beginPath();
    context.rect(labelWidth, headHeight, width - labelWidth, height - headHeight);
    context.clip();
    for (let row = first; row < last; row += 1) {
        for (let column = 0; column < layout.columns; column += 1) {
            const { x, y } = layout.placeOf(row, column);
            const left = x - scrollLeft;
            if (left + cell < labelWidth || left > width) continue;
            const entry = layout.entryAt(row, column);
            if (entry < 0) continue;
            const kind = chooseCellKind(data, entry);
            context.fillStyle = colours.get(kind) ?? '';
            context.fillRect(left, y - scrollTop, cell - 1, rowHeight - 2);
            if (kind === 'bad-accept' || kind === 'bad-reject' || kind === 'failed') {
                context.fillStyle = readColour('--surface');
                context.fillRect(left + cell / 2 - 2, y - scrollTop + rowHeight / 2 - 2, 3, 3);
            }
        }
    }
    if (cursor !== null) {
        const { x, y } = layout.placeOf(cursor.row, cursor.column);
        context.strokeStyle = readColour('--text');
        context.lineWidth = 2;
        context.strokeRect(x - scrollLeft - 1, y - scrollTop - 1, cell + 1, rowHeight);
    }
    context.restore();
    context.fillStyle = readColour('--text');
    context.textBaseline = 'middle';
    context.save();
    context.beginPath();
    context.rect(0, headHeight, labelWidth - 6, height - headHeight);
    context.clip();
    for (let row = first; row < last; row += 1) {
        const id = data.header.samples[layout.samples[row] ?? -1] ?? '';
        context.fillText(
            formatLabel(id).slice(0, 60),
            0,
            headHeight + row * rowHeight - scrollTop + rowHeight / 2,
        );
    }
    context.restore();
    context.fillStyle = readColour('--faint');
    for (const { group, from } of layout.bands) {
        const { x } = layout.placeOf(0, from);
        if (x - scrollLeft >= labelWidth - 4)
            context.fillText(formatLabel(group), x - scrollLeft, headHeight / 2);
    }
}

const SVG = 'http://www.w3.org/2000/svg';

/** The map as SVG, with equal neighbours in a row drawn as one rectangle. @param most maximum number of rows */
export function renderHeatMapSvg(data: RunData, layout: HeatMapLayout, most = MAX_SVG_ROWS): SVGElement {
    const rows = Math.min(layout.samples.length, most);
    const svg = document.createElementNS(SVG, 'svg');
    const height = layout.headHeight + rows * layout.rowHeight;
    svg.setAttribute('viewBox', `0 0 ${layout.width} ${height}`);
    svg.setAttribute('width', String(layout.width));
    svg.setAttribute('height', String(height));
    const add = (name: string, attributes: Readonly<Record<string, string | number>>, text = ''): void => {
        const element = document.createElementNS(SVG, name);
        for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, String(value));
        element.textContent = text;
        svg.append(element);
    };
    const label = { 'font-size': 12, 'dominant-baseline': 'middle', fill: 'var(--text)' };
    for (const { group, from } of layout.bands)
        add('text', { ...label, x: layout.placeOf(0, from).x, y: layout.headHeight / 2 }, formatLabel(group));
    for (let row = 0; row < rows; row += 1) {
        const { y } = layout.placeOf(row, 0);
        const id = data.header.samples[layout.samples[row] ?? -1] ?? '';
        add(
            'text',
            { ...label, x: 0, y: y + layout.rowHeight / 2 },
            formatLabel(id).slice(0, Math.floor(layout.labelWidth / LETTER)),
        );
        for (const { kind, from, to } of findColourRuns(data, layout, row)) {
            const x = layout.placeOf(row, from).x;
            const width = (to - from) * layout.cell - 1;
            add('rect', { x, y, width, height: layout.rowHeight - 2, fill: `var(--${kind})` });
        }
    }
    return svg;
}

function* findColourRuns(
    data: RunData,
    layout: HeatMapLayout,
    row: number,
): Generator<{ readonly kind: CellKind; readonly from: number; readonly to: number }> {
    for (const band of layout.bands) {
        let from = band.from;
        let kind: CellKind = 'none';
        for (let column = band.from; column <= band.from + band.count; column += 1) {
            const entry = column === band.from + band.count ? -1 : layout.entryAt(row, column);
            const next = entry < 0 ? 'none' : chooseCellKind(data, entry);
            if (next === kind) continue;
            if (kind !== 'none') yield { kind, from, to: column };
            [kind, from] = [next, column];
        }
    }
}
