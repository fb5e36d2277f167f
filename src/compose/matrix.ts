import { chooseSamples, type SampleChoice } from '../dataset/filter.js';
import { type CellCoordinates, MATRIX_FORMAT, type MatrixBlock } from '../model/matrix.js';
import {
    type MatrixFile,
    mergeMatrixFiles,
    type PlannedCell,
    type PromptTemplates,
    parseMatrixFile,
    planCells,
    printMatrixFile,
} from '../model/matrix-file.js';
import { UserError } from '../util/user-error.js';
import type { GeneratedDataset } from './generated-dataset.js';

/** What a start of `resume-run matrix` is to run. */
export interface MatrixRequest {
    readonly blocks: readonly MatrixBlock[];
    /** Files of rows. Absolute. */
    readonly rows: readonly string[];
    readonly prompts: Readonly<Record<string, PromptTemplates>>;
    /** Runs of an earlier database that count as done, unless some have been counted before; absent: none. */
    readonly imported?: {
        /** Absolute. */
        readonly database: string;
        readonly countOf: (at: CellCoordinates) => number;
    };
}

/** The dataset of a start, and, once the directory is held, the cells that it runs. */
export interface GeneratedMatrix {
    readonly dataset: GeneratedDataset;
    /**
     * In order. Empty until the dataset has been written.
     * @param choice `--only`, `--limit` and `--shard` of the start; absent: all of the cells
     */
    askedCells(choice?: SampleChoice): readonly PlannedCell[];
}

/** The dataset of `resume-run matrix`: the cells of this start, together with those of earlier ones. */
export function generateMatrix({ blocks, rows, prompts, imported }: MatrixRequest): GeneratedMatrix {
    let asked: readonly PlannedCell[] = [];
    let isPart = false;
    return {
        askedCells: (choice) =>
            choice === undefined ? asked : [...chooseSamples(asked, ({ id }) => id, choice)],
        dataset: {
            file: 'matrix.json',
            rows: (before) => {
                const now: MatrixFile = {
                    format: MATRIX_FORMAT,
                    version: 1,
                    asked: [...blocks],
                    earlier: [],
                    rows: [...rows],
                    prompts: { ...prompts },
                    imported: null,
                };
                const file = withImported(
                    mergeMatrixFiles(now, before === null ? null : parseEarlier(before)),
                    imported,
                );
                const text = printMatrixFile(file);
                const all = planCells(file);
                const ids = new Set(planCells(now).map(({ id }) => id));
                asked = all.filter(({ id }) => ids.has(id));
                isPart = asked.length < all.length;
                return text;
            },
            samples: () => (isPart ? new Set(asked.map(({ id }) => id)) : null),
        },
    };
}

/** Keeps the counts that were taken first: a growing database must not take instances away from a run. */
function withImported(file: MatrixFile, imported: MatrixRequest['imported']): MatrixFile {
    if (imported === undefined || file.imported !== null) return file;
    const { database, countOf } = imported;
    const cells = planCells(file).flatMap(({ id, at }) => {
        const runs = countOf(at);
        return runs > 0 ? [[id, runs] as const] : [];
    });
    return {
        ...file,
        imported: { database, at: new Date().toISOString(), cells: Object.fromEntries(cells) },
    };
}

/** A damaged file is generated again. */
function parseEarlier(text: string): MatrixFile | null {
    try {
        return parseMatrixFile(text, 'matrix.json');
    } catch (error) {
        if (error instanceof UserError) return null;
        throw error;
    }
}
