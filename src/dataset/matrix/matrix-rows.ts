import type { MatrixCell } from '../../model/matrix.js';
import { readReason, withDescriptors } from '../../util/io-error.js';
import { shortenPath } from '../../util/shown-path.js';
import { UserError } from '../../util/user-error.js';
import type { Field } from '../field.js';
import { detectListFormat } from '../find-sources.js';
import type { ListFile, ListReader } from '../lists/list-reader.js';
import { readRowsAt } from '../lists/read-rows-at.js';
import type { RowFiles } from '../row-files.js';
import { hashRow } from '../rows/read-row.js';

/** Position of a row, and the values that determine which cells it belongs to. */
interface RowPlace {
    readonly file: string;
    readonly line: number;
    readonly offset: number;
    readonly length: number;
    readonly hash: string;
    /** Values, as text, of the dimensions that the row has a field for. */
    readonly at: Readonly<Record<string, string>>;
}

/** Rows of one cell: instance i uses row i modulo their number. */
export interface RowsOfCell {
    readonly count: number;
    /** Hash of the rows that the cell's instances use, in order. */
    fingerprint(): string;
    /** One row for each instance. @throws UserError if a file has changed since it was indexed */
    read(): Promise<readonly InstanceRow[]>;
}

/** The row that an instance uses. */
export interface InstanceRow {
    readonly row: Field;
    /** Hash of the row's text. */
    readonly hash: string;
}

/** The rows that prompts of a matrix are made from. Only their positions are held in memory. */
export class MatrixRows {
    readonly #lists: ReadonlyMap<string, ListFile>;
    readonly #places: readonly RowPlace[];
    /** All fields that occur in the rows. */
    readonly fields: ReadonlySet<string>;

    private constructor(
        lists: ReadonlyMap<string, ListFile>,
        places: readonly RowPlace[],
        fields: Set<string>,
    ) {
        this.#lists = lists;
        this.#places = places;
        this.fields = fields;
    }

    /**
     * @param names names of the dimensions: fields with these names decide which cells a row belongs to
     * @param reading shared by the datasets of a start
     * @throws UserError for files that cannot be read, and for a bad row
     */
    static async open(
        files: readonly string[],
        names: ReadonlySet<string>,
        reading: RowFiles,
    ): Promise<MatrixRows> {
        const lists = new Map<string, ListFile>();
        const places: RowPlace[] = [];
        const fields = new Set<string>();
        for (const file of files) {
            const list = await openList(file, reading);
            lists.set(file, list);
            for await (const row of list.rows()) {
                const { line, offset, length } = row;
                const field = await row.read(`${shortenPath(file)}:${line}`);
                const object = field.object();
                for (const name of Object.keys(object)) fields.add(name);
                const hash = hashRow(Buffer.from(field.exactText() ?? JSON.stringify(object)));
                places.push({ file, line, offset, length, hash, at: coordinatesIn(field, names) });
            }
        }
        return new MatrixRows(lists, places, fields);
    }

    /** The rows for a cell: those with no differing value in a field named like a dimension. */
    of({ at, instances, rows }: MatrixCell): RowsOfCell {
        const fitting = this.#places.filter((place) =>
            Object.entries(place.at).every(
                ([name, value]) => !Object.hasOwn(at, name) || String(at[name]) === value,
            ),
        );
        const cycle = fitting.slice(0, rows ?? fitting.length);
        const used = Array.from({ length: instances }, (_, i) => cycle[i % cycle.length] ?? []).flat();
        return {
            count: cycle.length,
            fingerprint: () => hashRow(Buffer.from(used.map(({ hash }) => hash).join('\n'))),
            read: () => this.#read(used),
        };
    }

    async #read(wanted: readonly RowPlace[]): Promise<readonly InstanceRow[]> {
        const fields = new Map<RowPlace, Field>();
        for (const [file, list] of this.#lists) {
            const places = [...new Set(wanted.filter((place) => place.file === file))];
            if (places.length === 0) continue;
            places.sort((a, b) => a.offset - b.offset);
            const changed = new UserError(
                `${shortenPath(file)}: the rows changed while they were in use; start again`,
            );
            for (const [span, bytes] of await readBytes(file, list, places)) {
                const place = places.find(({ offset }) => offset === span.offset);
                if (place === undefined || bytes.length !== place.length) throw changed;
                const field = list.parse(bytes, `${shortenPath(file)}:${place.line}`);
                if (hashRow(Buffer.from(field.exactText() ?? JSON.stringify(field.object()))) !== place.hash)
                    throw changed;
                fields.set(place, field);
            }
        }
        return wanted.flatMap((place) => {
            const row = fields.get(place);
            return row === undefined ? [] : { row, hash: place.hash };
        });
    }
}

async function openList(file: string, reading: RowFiles): Promise<ListFile> {
    try {
        return await (await chooseReader(file)).open(file, reading);
    } catch (error) {
        if (error instanceof UserError) throw error;
        throw new UserError(
            `${shortenPath(file)}: the rows of the matrix cannot be read (${readReason(error)})`,
        );
    }
}

async function chooseReader(file: string): Promise<ListReader> {
    switch (detectListFormat(file)) {
        case 'csv':
            return (await import('../lists/delimited.js')).CSV;
        case 'tsv':
            return (await import('../lists/delimited.js')).TSV;
        case null:
            return (await import('../lists/json-rows.js')).JSON_ROWS;
    }
}

async function readBytes(
    file: string,
    list: ListFile,
    places: readonly RowPlace[],
): ReturnType<typeof readRowsAt> {
    try {
        return await withDescriptors(async () =>
            readRowsAt(
                await list.open(),
                places.map((place) => ({ ...place, hash: 0 })),
            ),
        );
    } catch (error) {
        throw new UserError(
            `${shortenPath(file)}: can no longer be read (${readReason(error)}); start again`,
        );
    }
}

function coordinatesIn(row: Field, names: ReadonlySet<string>): Readonly<Record<string, string>> {
    const found = Object.entries(row.object()).filter(
        ([name, value]) => names.has(name) && ['string', 'number', 'boolean'].includes(typeof value),
    );
    return Object.fromEntries(
        found.map(([name, value]) => [name, typeof value === 'string' ? value : JSON.stringify(value)]),
    );
}
