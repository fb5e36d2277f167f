import { readFile, writeFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import type { Figure, Measurement } from './bench.js';
import { say } from './tools.js';

/** What one measurement came to, and how busy the machine was with other things. */
export interface Measured {
    readonly measurement: Measurement;
    readonly figures: readonly Figure[];
    /** Load averages of a minute, before and after. */
    readonly load: readonly [number, number];
}

const PAGE = fileURLToPath(new URL('../../docs/benchmarks.md', import.meta.url));
const README = fileURLToPath(new URL('../../README.md', import.meta.url));
const START = '<!-- bench:start -->';
const END = '<!-- bench:end -->';

const mark = (met: boolean | null): string => (met === null ? '' : met ? 'met' : 'missed');

/** The whole table, with how it was measured. */
export function markdown(machine: string, measured: readonly Measured[], repetitions: number): string {
    const day = new Date().toISOString().slice(0, 10);
    const parts = [`Measured ${day} on ${machine}; medians of ${repetitions}, the sides in turn.\n`];
    for (const { measurement, figures, load } of measured) {
        parts.push(`### ${measurement.key}. ${measurement.about}\n`);
        parts.push(table(['measured', 'resume-run', 'baseline', 'ratio', 'goal', ''], figures.map(row)));
        const [before, after] = load.map((value) => value.toFixed(1));
        parts.push(`Load average before and after: ${before}, ${after}.\n`);
    }
    return `${parts.join('\n')}\n`;
}

const row = (figure: Figure): readonly string[] => [
    figure.what,
    figure.product,
    figure.baseline,
    figure.ratio,
    figure.goal,
    mark(figure.met),
];

function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
    const line = (cells: readonly string[]): string => `| ${cells.join(' | ')} |\n`;
    return line(head) + line(head.map(() => '---')) + rows.map(line).join('');
}

/** README's short form: the headline figures only. */
function short(machine: string, measured: readonly Measured[]): string {
    const rows = measured.flatMap(({ figures }) =>
        figures
            .filter(({ headline }) => headline === true)
            .map((figure) => [figure.what, figure.product, figure.baseline, figure.ratio, figure.goal]),
    );
    const loads = measured.flatMap(({ load }) => load);
    const worst = Math.max(0, ...loads).toFixed(1);
    const where = `${machine}; load average up to ${worst}. All figures, and how they are measured: [docs/benchmarks.md](docs/benchmarks.md).\n`;
    return `${table(['measured', 'resume-run', 'baseline, same run', 'ratio', 'goal'], rows)}\n${where}`;
}

/** Puts the figures between the marks of docs/benchmarks.md and README.md. */
export async function writePages(
    machine: string,
    measured: readonly Measured[],
    repetitions: number,
): Promise<void> {
    await replaceMarked(PAGE, markdown(machine, measured, repetitions));
    await replaceMarked(README, short(machine, measured));
}

async function replaceMarked(path: string, text: string): Promise<void> {
    const page = await readFile(path, 'utf8').catch(() => '');
    const from = page.indexOf(START);
    const to = page.indexOf(END);
    if (from < 0 || to < from) {
        say(`${path} has no ${START} and ${END}: left as it is`);
        return;
    }
    await writeFile(path, `${page.slice(0, from + START.length)}\n\n${text}\n${page.slice(to)}`);
}
