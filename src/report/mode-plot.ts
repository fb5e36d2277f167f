/** Values of a mode, one bar in each panel. Null: not measured. */
export interface ModeBars {
    readonly mode: string;
    /** Requests per second. */
    readonly throughput: number;
    /** Seconds. */
    readonly cpu: number | null;
    /** Bytes. */
    readonly memory: number | null;
}

const WIDTH = 720;
const LABEL = 70;
const BAR = 22;
const GAP = 8;
const HEAD = 28;
/** Space for the number after a bar. */
const NUMBER = 90;

/**
 * Throughput, CPU and memory of each mode as bars, in three panels with separate scales. Readable on light and dark backgrounds.
 * @param about one line that describes the measurement
 */
export function drawModes(about: string, modes: readonly ModeBars[]): string {
    const panelHeight = HEAD + modes.length * (BAR + GAP) + GAP;
    const panels = [
        drawPanel('requests a second', modes, ({ throughput }) => throughput, 1),
        drawPanel('CPU, seconds', modes, ({ cpu }) => cpu, 2),
        drawPanel('peak memory, MB', modes, ({ memory }) => (memory === null ? null : memory / 1e6), 0),
    ];
    const height = HEAD + panels.length * panelHeight;
    const style =
        'text{font:13px sans-serif;fill:#444}.bar{fill:#4878a8}@media(prefers-color-scheme:dark){text{fill:#ccc}.bar{fill:#7aa6d6}}';
    return [
        `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${height}" role="img" aria-label="${escapeText(about)}">`,
        `<style>${style}</style>`,
        `<text x="0" y="16">${escapeText(about)}</text>`,
        ...panels.map((lines, i) => `<g transform="translate(0 ${HEAD + i * panelHeight})">${lines}</g>`),
        '</svg>\n',
    ].join('\n');
}

function drawPanel(
    title: string,
    modes: readonly ModeBars[],
    valueOf: (one: ModeBars) => number | null,
    digits: number,
): string {
    const values = modes.map(valueOf);
    const most = Math.max(...values.map((value) => value ?? 0), Number.MIN_VALUE);
    const bars = modes.map(({ mode }, i) => {
        const value = values[i] ?? null;
        const y = HEAD + i * (BAR + GAP);
        const width = value === null ? 0 : (value / most) * (WIDTH - LABEL - NUMBER);
        const text = value === null ? 'not measured' : value.toFixed(digits);
        return (
            `<text x="0" y="${y + 16}">${escapeText(mode)}</text>` +
            `<rect class="bar" x="${LABEL}" y="${y}" width="${width.toFixed(1)}" height="${BAR}"/>` +
            `<text x="${(LABEL + width + 6).toFixed(1)}" y="${y + 16}">${text}</text>`
        );
    });
    return [`<text x="0" y="18" font-weight="bold">${title}</text>`, ...bars].join('');
}

const escapeText = (text: string): string =>
    text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('"', '&quot;');
