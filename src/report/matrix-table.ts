import { type PlannedCell } from '../model/matrix-file.js';
import { escapeLine } from '../util/printable.js';
import { count, formatCount } from './format.js';

/** Most cells that are listed; `--dry-run --json` lists all. */
const MAX_CELLS_SHOWN = 60;

/** Progress of a part of a matrix. */
export interface MatrixFigures {
    readonly instances: number;
    /** Including those counted by an earlier database. */
    readonly done: number;
    readonly imported: number;
    readonly toRun: number;
}

export interface CellFigures extends MatrixFigures {
    readonly cell: string;
    /** The phase that runs the cell; null outside of phases. */
    readonly phase: string | null;
}

export interface PhaseFigures extends MatrixFigures {
    readonly phase: string;
    readonly title: string | null;
    /** Instances of cells that an earlier phase also names, and runs. Not included in the other figures. */
    readonly shared: number;
}

export interface MatrixProgress extends MatrixFigures {
    /** Requested cells that `--only`, `--limit` or `--shard` exclude. Not included in the figures. */
    readonly otherCells: number;
    readonly phases: readonly PhaseFigures[];
    readonly cells: readonly CellFigures[];
}

/** The requested cells, and those of them that this start runs. Both in order. */
export interface MatrixCells {
    readonly all: readonly PlannedCell[];
    readonly chosen: readonly PlannedCell[];
}

/** @param due number of tasks to run, by sample; a chosen cell that is missing is finished */
export function measureMatrix(
    { all, chosen: cells }: MatrixCells,
    phases: readonly { readonly name: string; readonly title: string | null }[],
    due: ReadonlyMap<string, number>,
): MatrixProgress {
    const figures = cells.map((cell): CellFigures => {
        const toRun = due.get(cell.id) ?? 0;
        const imported = Math.min(cell.imported, cell.asked);
        const done = Math.max(0, cell.asked - toRun);
        return { cell: cell.id, phase: cell.phases[0] ?? null, instances: cell.asked, done, imported, toRun };
    });
    return {
        ...sumFigures(figures),
        otherCells: all.length - cells.length,
        phases: phases.map(({ name, title }) => ({
            phase: name,
            title,
            ...sumFigures(figures.filter(({ phase }) => phase === name)),
            shared: cells
                .filter((cell) => cell.phases.includes(name) && cell.phases[0] !== name)
                .reduce((sum, cell) => sum + cell.asked, 0),
        })),
        cells: figures,
    };
}

function sumFigures(figures: readonly MatrixFigures[]): MatrixFigures {
    const sum = (pick: (one: MatrixFigures) => number): number =>
        figures.reduce((total, one) => total + pick(one), 0);
    return {
        instances: sum((one) => one.instances),
        done: sum((one) => one.done),
        imported: sum((one) => one.imported),
        toRun: sum((one) => one.toRun),
    };
}

/** The table before a run: what is done and what will run, in total, by phase and by cell. */
export function renderMatrix(progress: MatrixProgress): string {
    const { cells, phases, imported, otherCells } = progress;
    const others = otherCells === 0 ? '' : ` of ${count(cells.length + otherCells)}`;
    const lines = [
        `matrix  ${count(cells.length)}${others} ${cells.length === 1 && otherCells === 0 ? 'cell' : 'cells'}, ${formatCount(progress.instances, 'instance')}: ${describeState(progress)}`,
    ];
    if (imported > 0)
        lines.push(`  ${count(imported)} of those done are counts of an earlier database, without results`);
    for (const one of phases) {
        const title = one.title === null ? '' : ` ${one.title}`;
        const shared = one.shared === 0 ? '' : `; ${count(one.shared)} more are shared with an earlier phase`;
        lines.push(`phase ${escapeLine(one.phase + title)}: ${describeState(one)}${shared}`);
    }
    let heading = '';
    for (const one of cells.slice(0, MAX_CELLS_SHOWN)) {
        const [folder, name] = splitId(one.cell);
        if (folder !== heading) lines.push(`  ${escapeLine(folder)}`);
        heading = folder;
        lines.push(`    ${escapeLine(name)}: ${describeState(one)}  ${formatEarlierLine(one)}`);
    }
    if (cells.length > MAX_CELLS_SHOWN)
        lines.push(
            `  ...and ${formatCount(cells.length - MAX_CELLS_SHOWN, 'more cell')} (--dry-run --json lists all)`,
        );
    return `${lines.join('\n')}\n`;
}

/** `7/20 done, 13 to run` */
const describeState = ({ done, instances, toRun }: MatrixFigures): string =>
    `${count(done)}/${count(instances)} done, ${count(toRun)} to run`;

/** The line that the earlier tools printed: people search their logs for it. */
const formatEarlierLine = ({ done, instances, toRun }: MatrixFigures): string =>
    toRun === 0 ? `${done}/${instances} 已完成` : `${done}/${instances} 已完成 (需要补充 ${toRun} 个)`;

/** Splits off the last coordinate. */
function splitId(id: string): readonly [string, string] {
    const at = id.lastIndexOf('/');
    return at < 0 ? ['', id] : [id.slice(0, at), id.slice(at + 1)];
}
