import { readFile, writeFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import type { Figure, Measurement } from './bench.js';
import { say } from './tools.js';

/** The results of one measurement, and how busy the machine was otherwise. */
export interface Measured {
    readonly measurement: Measurement;
    readonly figures: readonly Figure[];
    /** One-minute load averages, before and after. */
    readonly load: readonly [number, number];
}

const PAGE = fileURLToPath(new URL('../../docs/benchmarks.md', import.meta.url));
const README = fileURLToPath(new URL('../../README.md', import.meta.url));
const START = '<!-- bench:start -->';
const END = '<!-- bench:end -->';

const mark = (met: boolean | null): string => (met === null ? '' : met ? 'met' : 'missed');

/** The whole table, including how it was measured. */
export function markdown(machine: string, measured: readonly Measured[], repetitions: number): string {
    const day = new Date().toISOString().slice(0, 10);
    const parts = [`Measured ${day} on ${machine}; medians of ${repetitions}, the sides in turn.\n`];
    return `${[...parts, ...measured.map(section)].join('\n')}\n`;
}

function section({ measurement, figures, load }: Measured): string {
    const [before, after] = load.map((value) => value.toFixed(1));
    return [
        `### ${measurement.key}. ${measurement.about}\n`,
        table(['measured', 'resume-run', 'baseline', 'ratio', 'goal', ''], figures.map(row)),
        `Load average before and after: ${before}, ${after}.\n`,
    ].join('\n');
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

/** The short form for README: headline figures only. */
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

/** Puts the figures between the markers in docs/benchmarks.md and README.md. @param measured all measurements */
export async function writePages(
    machine: string,
    measured: readonly Measured[],
    repetitions: number,
): Promise<void> {
    await replaceMarked(PAGE, () => markdown(machine, measured, repetitions));
    await replaceMarked(README, () => short(machine, measured));
}

/** Replaces the measurements with the same letters in docs/benchmarks.md; the others stay. */
export async function writeSections(
    machine: string,
    measured: readonly Measured[],
    repetitions: number,
): Promise<void> {
    const day = new Date().toISOString().slice(0, 10);
    const when = `Measured by itself on ${day}: ${machine}; medians of ${repetitions}.\n`;
    await replaceMarked(PAGE, (before) => {
        const [head = '', ...kept] = before.split(/^(?=### )/m).map((part) => part.trim());
        const sections = new Map(kept.map((part) => [part.slice(4, part.indexOf('.')), part]));
        for (const one of measured) sections.set(one.measurement.key, `${section(one)}\n${when}`.trim());
        return `${[head, ...sections.values()].join('\n\n')}\n`;
    });
}

/** @param write returns the new text for the old one */
async function replaceMarked(path: string, write: (before: string) => string): Promise<void> {
    const page = await readFile(path, 'utf8').catch(() => '');
    const from = page.indexOf(START);
    const to = page.indexOf(END);
    if (from < 0 || to < from) {
        say(`${path} has no ${START} and ${END}: left as it is`);
        return;
    }
    const start = from + START.length;
    const text = write(page.slice(start, to));
    await writeFile(path, `${page.slice(0, start)}\n\n${text}\n${page.slice(to)}`);
}
