import { readTextFile } from '../../host/open-file.js';
import type { GroupSizes } from '../../model/directory-sample.js';
import { digest } from '../../model/fingerprint.js';
import { INSTANCE_GROUP } from '../../model/matrix.js';
import {
    type MatrixFile,
    type PlannedCell,
    countInstancesToRun,
    parseMatrixFile,
    planCells,
} from '../../model/matrix-file.js';
import type { Sample } from '../../model/sample.js';
import { readReason } from '../../util/io-error.js';
import { shortenPath } from '../../util/shown-path.js';
import { UserError } from '../../util/user-error.js';
import type { Dataset, DatasetFormat, DatasetSource, IndexedSample, OpenOptions } from '../dataset.js';
import type { RowFiles } from '../row-files.js';
import { InstanceBuilder } from './instance.js';
import { MatrixRows } from './matrix-rows.js';

/** Increased when instances are made differently. */
const VERSION = 1;

/** An evaluation matrix: each cell is a sample, each of its instances a task. */
export const matrixDataset: DatasetFormat = { open: (source, options) => new MatrixDataset(source, options) };

interface OpenMatrix {
    readonly file: MatrixFile;
    readonly cells: readonly PlannedCell[];
    readonly rows: MatrixRows | null;
}

class MatrixDataset implements Dataset {
    readonly format = 'matrix';
    readonly limitPolicy = 'own';
    readonly comparison = null;
    readonly badRows: readonly string[] = [];
    readonly #source: DatasetSource;
    readonly #files: RowFiles;
    #opening: Promise<OpenMatrix> | null = null;
    #fields: ReadonlySet<string> | undefined;

    constructor(source: DatasetSource, { lists, files }: OpenOptions) {
        this.#source = source;
        this.#files = files;
        if (!lists.accepted) {
            throw new UserError(
                `${shortenPath(source.path)}: is an evaluation matrix, which runs with --executor chat, module or exec`,
            );
        }
    }

    get path(): string {
        return this.#source.path;
    }

    get fields(): ReadonlySet<string> {
        return this.#fields ?? new Set();
    }

    async *index(): AsyncIterable<readonly IndexedSample[]> {
        const { file, cells, rows } = await this.#open();
        const builder = new InstanceBuilder(file, rows?.fields ?? null);
        this.#fields = builder.collectFields(cells);
        yield cells.map((cell, position): IndexedSample => {
            const found = rows?.of(cell) ?? null;
            if (found?.count === 0) throw new UserError(`${rowFiles(file)}: no row fits the cell ${cell.id}`);
            const decides = [VERSION, cell, builder.findTemplates(cell), found?.fingerprint() ?? ''];
            return {
                id: cell.id,
                locator: { position },
                groups: [listSizes(cell)],
                fingerprint: digest(JSON.stringify(decides)).slice(0, 32),
            };
        });
    }

    async load(indexed: IndexedSample): Promise<Sample> {
        const { file, cells, rows } = await this.#open();
        const cell = cells[Number(indexed.locator['position'])];
        if (cell === undefined || cell.id !== indexed.id) {
            throw new UserError(
                `${shortenPath(this.path)}: the matrix changed while it was in use; start again`,
            );
        }
        const fields = (await rows?.of(cell).read()) ?? null;
        const builder = new InstanceBuilder(file, rows?.fields ?? null);
        return {
            id: cell.id,
            origin: shortenPath(this.path),
            groups: { [INSTANCE_GROUP]: builder.buildInstances(cell, fields) },
            judging: null,
            skip: null,
        };
    }

    #open(): Promise<OpenMatrix> {
        this.#opening ??= openMatrix(this.#source.items[0] ?? this.path, this.#files);
        return this.#opening;
    }
}

function listSizes(cell: PlannedCell): GroupSizes[number] {
    const toRun = countInstancesToRun(cell);
    const skipped = cell.instances - toRun;
    return skipped === 0 ? [INSTANCE_GROUP, toRun] : [INSTANCE_GROUP, toRun, skipped];
}

const rowFiles = ({ rows }: MatrixFile): string => rows.map(shortenPath).join(', ');

async function openMatrix(path: string, files: RowFiles): Promise<OpenMatrix> {
    const file = parseMatrixFile(await readText(path), shortenPath(path));
    const cells = planCells(file);
    const names = new Set(cells.flatMap(({ at }) => Object.keys(at)));
    const rows = file.rows.length === 0 ? null : await MatrixRows.open(file.rows, names, files);
    return { file, cells, rows };
}

async function readText(path: string): Promise<string> {
    try {
        return await readTextFile(path);
    } catch (error) {
        throw new UserError(`${shortenPath(path)}: cannot be read (${readReason(error)})`);
    }
}
