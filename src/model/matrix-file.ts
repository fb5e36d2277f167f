import { z } from 'zod';
import { UserError } from '../util/user-error.js';
import { expandBlocks, countCells, MATRIX_FORMAT, type MatrixBlock, type MatrixCell } from './matrix.js';

/*
 * A matrix as a dataset: one JSON file in the checkpoints folder of a results directory, written by `resume-run matrix`. It holds
 * products of dimensions, never cells, so it stays small. It keeps what earlier starts asked for, so that their results still
 * belong to the dataset.
 */

/** More cells than this indicate a mistake in the dimensions: all of them are held in memory. */
export const MAX_CELLS = 200_000;

const coordinate = z.union([z.string(), z.number(), z.boolean()]);

const block = z.strictObject({
    phase: z.string().nullable(),
    dimensions: z.record(z.string(), z.array(coordinate).min(1).readonly()),
    instances: z.int().min(1),
    rows: z.int().min(1).nullable(),
});

const prompt = z.strictObject({ template: z.string().nullable(), system: z.string().nullable() });

const imported = z.strictObject({
    database: z.string(),
    /** ISO 8601, when it was counted. */
    at: z.string(),
    /** Cell id to number of runs. */
    cells: z.record(z.string(), z.int().min(1)),
});

const matrixFile = z.strictObject({
    format: z.literal(MATRIX_FORMAT),
    version: z.literal(1),
    /** What the last start asked for. */
    asked: z.array(block).min(1),
    /** What earlier starts asked for. */
    earlier: z.array(block),
    /** Files of rows that prompts are made from. Absolute paths. */
    rows: z.array(z.string()),
    /** By prompt type; `default` is used for types without an entry. */
    prompts: z.record(z.string(), prompt),
    /** Runs that an earlier database counts without records, fixed when they were first counted; null: none count. */
    imported: imported.nullable(),
});

export type MatrixFile = z.infer<typeof matrixFile>;

/** Templates of a prompt type; null: the row's own `prompt`, no system message. */
export type PromptTemplates = z.infer<typeof prompt>;

/** A cell and what is planned for its instances. */
export interface PlannedCell extends MatrixCell {
    /** Instances that the last start asked for; the rest belong to another start or phase. */
    readonly asked: number;
    /** Instances that count as done because an earlier database counted that many. */
    readonly imported: number;
}

/** Instances of a cell that need a result, including those that have one. */
export const countInstancesToRun = ({ asked, imported: done }: PlannedCell): number =>
    Math.max(0, asked - done);

/** @throws UserError if the text is not such a file. @param place how messages name it */
export function parseMatrixFile(text: string, place: string): MatrixFile {
    let json: unknown;
    try {
        json = JSON.parse(text);
    } catch {
        throw new UserError(
            `${place}: is not valid JSON: start \`resume-run matrix\` again with its options`,
        );
    }
    const parsed = matrixFile.safeParse(json);
    if (parsed.success) return parsed.data;
    const [issue] = parsed.error.issues;
    throw new UserError(
        `${place}: ${issue?.path.join('.') ?? ''}: ${issue?.message ?? 'is not a matrix'}; start \`resume-run matrix\` again with its options`,
    );
}

/** @throws UserError if there are too many cells */
export function printMatrixFile(file: MatrixFile): string {
    const cells = countCells([...file.asked, ...file.earlier]);
    if (cells > MAX_CELLS) {
        throw new UserError(
            `the dimensions make ${cells} cells; at most ${MAX_CELLS} are taken: leave values out, or use several --dir`,
        );
    }
    return `${JSON.stringify(file, null, 4)}\n`;
}

/** The cells of the last start, followed by those that only earlier ones asked for. */
export function planCells({ asked, earlier, imported: counted }: MatrixFile): readonly PlannedCell[] {
    const now = new Map(expandBlocks(asked).map((cell) => [cell.id, cell.instances]));
    return expandBlocks([...asked, ...earlier]).map((cell) => ({
        ...cell,
        asked: now.get(cell.id) ?? cell.instances,
        imported: Object.hasOwn(counted?.cells ?? {}, cell.id) ? (counted?.cells[cell.id] ?? 0) : 0,
    }));
}

/**
 * The file of a new start merged with that of an earlier one: blocks that are no longer asked for are kept, so that their results
 * stay part of the directory.
 */
export function mergeMatrixFiles(now: MatrixFile, before: MatrixFile | null): MatrixFile {
    if (before === null) return now;
    const others = [...before.asked, ...before.earlier].filter(
        (one) => !now.asked.some((asked) => covers(asked, one)),
    );
    const kept = others.filter(
        (one, position) => !others.slice(0, position).some((other) => covers(other, one)),
    );
    return { ...now, earlier: kept, imported: before.imported ?? now.imported };
}

/** Whether a block contains all cells of another, with at least as many instances. */
function covers(one: MatrixBlock, other: MatrixBlock): boolean {
    const names = Object.keys(one.dimensions);
    return (
        one.phase === other.phase &&
        one.instances >= other.instances &&
        one.rows === other.rows &&
        names.length === Object.keys(other.dimensions).length &&
        Object.entries(other.dimensions).every(([name, values]) =>
            values.every((value) => one.dimensions[name]?.includes(value) ?? false),
        )
    );
}
