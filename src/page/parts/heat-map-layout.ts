import type { RunData } from '../data/run-data.js';

/** Positions of everything in a heat map, in CSS pixels from the top left of the scrolled content. */
export interface HeatMapLayout {
    /** Samples shown, as positions in the run. */
    readonly samples: readonly number[];
    readonly columns: number;
    readonly cell: number;
    readonly rowHeight: number;
    readonly labelWidth: number;
    readonly headHeight: number;
    readonly width: number;
    readonly height: number;
    readonly bands: readonly { readonly group: string; readonly from: number; readonly count: number }[];
    /** @returns -1 if there is no such task, or it has no entry yet */
    entryAt(row: number, column: number): number;
    describeColumn(column: number): { readonly group: string; readonly index: number };
    placeOf(row: number, column: number): { readonly x: number; readonly y: number };
    cellAt(
        event: MouseEvent,
        frame: HTMLElement | null,
    ): { readonly row: number; readonly column: number } | null;
}

const ROW_HEIGHT = 18;
const HEAD_HEIGHT = 24;
const GAP = 10;

/** One column for each index of each group, with the groups side by side. */
export function layOutHeatMap(data: RunData, query: string, frameWidth: number): HeatMapLayout {
    const samples = data.header.samples.flatMap((id, sample) =>
        id.toLowerCase().includes(query) ? [sample] : [],
    );
    const bands = layOutBands(data);
    const columns = bands.reduce((sum, { count }) => sum + count, 0);
    const labelWidth = Math.min(220, Math.max(90, Math.floor(frameWidth * 0.25)));
    const room = frameWidth - labelWidth - GAP * bands.length;
    const cell = Math.max(6, Math.min(ROW_HEIGHT, Math.floor(room / Math.max(1, columns))));
    const bandAt = (column: number): number =>
        Math.max(
            0,
            bands.findIndex(({ from, count }) => column < from + count),
        );
    const columnX = (column: number): number => labelWidth + column * cell + bandAt(column) * GAP;
    // Cached, because visible rows are requested cell by cell.
    const known = new Map<number, Int32Array>();
    const findRow = (sample: number): Int32Array => {
        const row = known.get(sample) ?? listEntries(data, sample, bands, columns);
        if (known.size > 500) known.clear();
        known.set(sample, row);
        return row;
    };
    return {
        samples,
        columns,
        cell,
        rowHeight: ROW_HEIGHT,
        labelWidth,
        headHeight: HEAD_HEIGHT,
        width: labelWidth + columns * cell + bands.length * GAP,
        height: HEAD_HEIGHT + samples.length * ROW_HEIGHT,
        bands,
        entryAt: (row, column) => {
            const sample = samples[row];
            return sample === undefined ? -1 : (findRow(sample)[column] ?? -1);
        },
        describeColumn: (column) => {
            const band = bands[bandAt(column)];
            return { group: band?.group ?? '', index: column - (band?.from ?? 0) };
        },
        placeOf: (row, column) => ({ x: columnX(column), y: HEAD_HEIGHT + row * ROW_HEIGHT }),
        cellAt: (event, frame) => {
            if (frame === null) return null;
            const box = frame.getBoundingClientRect();
            const seen = { x: event.clientX - box.left, y: event.clientY - box.top };
            if (seen.x < labelWidth || seen.y < HEAD_HEIGHT) return null;
            const x = seen.x + frame.scrollLeft;
            const row = Math.floor((seen.y + frame.scrollTop - HEAD_HEIGHT) / ROW_HEIGHT);
            const at = bands.findIndex(
                ({ from, count }) => x >= columnX(from) && x < columnX(from) + count * cell,
            );
            const band = bands[at];
            if (band === undefined || row >= samples.length) return null;
            return { row, column: band.from + Math.floor((x - columnX(band.from)) / cell) };
        },
    };
}

function layOutBands(data: RunData): HeatMapLayout['bands'] {
    const counts = data.header.groups.map(() => 0);
    for (let entry = 0; entry < data.count; entry += 1) {
        const group = data.value('group', entry);
        counts[group] = Math.max(counts[group] ?? 0, data.value('index', entry) + 1);
    }
    let from = 0;
    return data.header.groups.flatMap((group, at) => {
        const count = counts[at] ?? 0;
        if (count === 0) return [];
        const band = { group, from, count };
        from += count;
        return [band];
    });
}

function listEntries(
    data: RunData,
    sample: number,
    bands: HeatMapLayout['bands'],
    columns: number,
): Int32Array {
    const row = new Int32Array(columns).fill(-1);
    for (let entry = data.starts[sample] ?? 0; entry < (data.starts[sample + 1] ?? 0); entry += 1) {
        const group = data.getGroup(entry);
        const band = bands.find((one) => one.group === group);
        if (band !== undefined) row[band.from + data.value('index', entry)] = entry;
    }
    return row;
}
