/** One observation of the running process. */
export interface Sampled {
    /** Seconds since the soak began, and since this process started. */
    readonly time: number;
    readonly age: number;
    /** Bytes. */
    readonly rss: number;
    readonly descriptors: number;
    /** CPU seconds since this process started. */
    readonly cpu: number;
    /** Samples whose file exists. */
    readonly done: number;
    readonly stretch: 'first' | 'kills' | 'last';
}

const WIDTH = 720;
const LEFT = 56;
const RIGHT = 12;
const PANEL = 96;
const GAP = 40;

interface Panel {
    readonly title: string;
    readonly top: number;
    readonly points: readonly (readonly [time: number, value: number])[];
}

/** Draws memory, descriptors and progress over time, with a line for each kill. Readable on light and dark backgrounds. */
export function drawSoak(sampled: readonly Sampled[], kills: readonly number[], tasks: number): string {
    const end = sampled.at(-1)?.time ?? 1;
    const x = (time: number): number => LEFT + (time / end) * (WIDTH - LEFT - RIGHT);
    const series = (of: (item: Sampled) => number): Panel['points'] =>
        thinned(sampled).map((item) => [item.time, of(item)]);
    const panels: readonly Panel[] = [
        { title: 'resident memory, MB', top: 30, points: series(({ rss }) => rss / 1e6) },
        {
            title: 'open descriptors',
            top: 30 + PANEL + GAP,
            points: series(({ descriptors }) => descriptors),
        },
        {
            title: 'tasks saved, thousands',
            top: 30 + 2 * (PANEL + GAP),
            points: series(({ done }) => (done * tasks) / 1000),
        },
    ];
    const height = 30 + 3 * PANEL + 2 * GAP + 30;
    const bottom = height - 30;
    const marks = kills
        .map(
            (time) => `<path d="M${x(time).toFixed(1)} 30V${bottom}" stroke="#d9534f" stroke-opacity=".35"/>`,
        )
        .join('');
    return (
        `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${height}" font-family="sans-serif" font-size="11" fill="#808080">\n` +
        `<title>Memory, descriptors and progress during the soak; red lines are kills</title>\n${marks}\n` +
        panels.map((panel) => drawPanel(panel, x)).join('') +
        `<text x="${LEFT}" y="${height - 8}">0 s</text>` +
        `<text x="${WIDTH - RIGHT}" y="${height - 8}" text-anchor="end">${Math.round(end)} s; red: kill -9</text>\n</svg>\n`
    );
}

function drawPanel({ title, top, points }: Panel, x: (time: number) => number): string {
    const most = Math.max(1, ...points.map(([, value]) => value));
    const bottom = top + PANEL;
    const y = (value: number): number => bottom - (value / most) * PANEL;
    const line = points.map(([time, value]) => `${x(time).toFixed(1)},${y(value).toFixed(1)}`).join(' ');
    return (
        `<text x="${LEFT}" y="${top - 8}">${title}</text>` +
        `<text x="${LEFT - 6}" y="${top + 8}" text-anchor="end">${Math.round(most)}</text>` +
        `<text x="${LEFT - 6}" y="${bottom}" text-anchor="end">0</text>` +
        `<path d="M${LEFT} ${top}V${bottom}H${WIDTH - RIGHT}" fill="none" stroke="#808080"/>` +
        `<polyline points="${line}" fill="none" stroke="#3b82c4" stroke-width="1.5"/>\n`
    );
}

/** Keeps a few hundred points at most, because a picture has no more columns. */
function thinned(sampled: readonly Sampled[]): readonly Sampled[] {
    const step = Math.ceil(sampled.length / 400);
    return sampled.filter((_, index) => index % step === 0 || index === sampled.length - 1);
}
