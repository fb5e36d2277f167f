import type { Json } from '../../model/json.js';
import type { SampleRows } from '../../model/sample-rows.js';
import { TextPlaces } from '../../util/columns/text-places.js';
import { INDEX_VERSION, type IndexContent, type IndexedDataset } from './index-content.js';
import type { ResultColumns } from './result-columns.js';

/** Approximate characters of a piece. */
const PIECE = 256 * 1024;

/**
 * The text of an index in pieces, none of them long. Samples added while it is written are left out; one that changes meanwhile
 * may be written with its old stamp, which no file has any more. The texts come last, so that none is missing.
 * @param numberOf the number of a text, which is added if it is new
 */
export function writeIndex(content: IndexContent, numberOf: (text: string) => number): Generator<string> {
    return joinPieces(writeContent(content, numberOf));
}

function* writeContent(content: IndexContent, numberOf: (text: string) => number): Generator<string> {
    const datasets = [...content.datasets];
    const count = content.results.length;
    yield `{"version":${INDEX_VERSION},"datasets":[`;
    for (const [position, [file, dataset]] of datasets.entries()) {
        yield `${position === 0 ? '' : ','}[${JSON.stringify(file)},`;
        yield* writeDataset(dataset, numberOf);
        yield ']';
    }
    yield '],"results":';
    yield* writeResults(
        content.results,
        count,
        datasets.map(([, { rows }]) => rows),
    );
    yield `,"texts":${JSON.stringify(content.texts)}}`;
}

function* writeDataset(
    { stamp, rows }: IndexedDataset,
    numberOf: (text: string) => number,
): Generator<string> {
    const { length, columns } = rows;
    yield `{"stamp":${JSON.stringify(stamp)},"ids":`;
    yield* writeArray(length, (place) => JSON.stringify(columns.ids.at(place)));
    yield ',"fingerprints":';
    yield* writeArray(length, (place) => JSON.stringify(columns.fingerprints.at(place)));
    yield ',"groups":';
    const numbers: number[] = [];
    yield* writeArray(length, (place) => {
        const list = columns.groups.at(place);
        numbers[list] ??= numberOf(JSON.stringify(columns.groupLists[list]));
        return String(numbers[list]);
    });
    yield ',"locators":{';
    let separator = '';
    for (const [key, column] of columns.locators) {
        yield `${separator}${JSON.stringify(key)}:`;
        separator = ',';
        const isOne = column.isConstant && column.length === length;
        yield* writeArray(isOne ? Math.min(1, length) : length, (place) => JSON.stringify(column.at(place)));
    }
    yield '}}';
}

function* writeResults(
    results: ResultColumns,
    count: number,
    datasets: readonly SampleRows[],
): Generator<string> {
    const known = new RowNumbers(datasets);
    const places = listPlaces(results, count);
    const length = places?.length ?? count;
    const placeOf = (position: number): number => places?.[position] ?? position;
    const columns: readonly (readonly [name: string, textAt: (place: number) => Json])[] = [
        ['ids', (place) => known.find(results.idAt(place)) ?? results.idAt(place)],
        ['inodes', (place) => results.stampAt(place).inode],
        ['sizes', (place) => results.stampAt(place).size],
        ['mtimes', (place) => results.stampAt(place).mtime],
        [
            'rows',
            (place) => {
                const row = results.rowAt(place);
                return known.findFingerprint(results.idAt(place)) === row ? 0 : row;
            },
        ],
        ['planKeys', (place) => results.planKeyAt(place)],
        ['shapes', (place) => results.shapeAt(place)],
    ];
    yield '{';
    for (const [name, valueAt] of columns) {
        yield `"${name}":`;
        yield* writeArray(length, (position) => JSON.stringify(valueAt(placeOf(position))));
        yield ',';
    }
    yield '"rest":[';
    let separator = '';
    for (let position = 0; position < length; position += 1) {
        const rest = results.restAt(placeOf(position));
        if (rest === null) continue;
        yield `${separator}${JSON.stringify([position, rest])}`;
        separator = ',';
    }
    yield ']}';
}

/** Forgotten samples leave places that are no longer used. Null means that all of the first `count` are there. */
function listPlaces(results: ResultColumns, count: number): readonly number[] | null {
    if (results.isWhole) return null;
    const places: number[] = [];
    for (let place = 0; place < count; place += 1) if (results.isThere(place)) places.push(place);
    return places;
}

/** Finds dataset rows by their ids: numbers count over all dataset files. */
class RowNumbers {
    readonly #datasets: readonly SampleRows[];
    readonly #starts: number[] = [];
    #places: TextPlaces | null = null;
    #next = 0;

    constructor(datasets: readonly SampleRows[]) {
        this.#datasets = datasets;
        let sum = 0;
        for (const { length } of datasets) {
            this.#starts.push(sum);
            sum += length;
        }
    }

    find(id: string): number | null {
        // Samples mostly finish in the order of their rows.
        if (!this.isAt(this.#next, id)) {
            this.#places ??= this.#placeAll();
            this.#next = this.#places.find(id);
        }
        const found = this.#next;
        this.#next = found + 1;
        return found === -1 ? null : found;
    }

    findFingerprint(id: string): string | null {
        const number = this.find(id);
        const [rows, place] = number === null ? [undefined, 0] : this.#locate(number);
        return rows?.columns.fingerprints.at(place) ?? null;
    }

    isAt(number: number, id: string): boolean {
        const [rows, place] = this.#locate(number);
        return rows !== undefined && place < rows.length && rows.columns.ids.isAt(place, id);
    }

    #locate(number: number): readonly [SampleRows | undefined, number] {
        let low = 0;
        let high = this.#starts.length;
        while (high - low > 1) {
            const middle = (low + high) >>> 1;
            if ((this.#starts[middle] ?? 0) <= number) low = middle;
            else high = middle;
        }
        return [this.#datasets[low], number - (this.#starts[low] ?? 0)];
    }

    #placeAll(): TextPlaces {
        const places = new TextPlaces(this);
        for (const [dataset, rows] of this.#datasets.entries()) {
            const start = this.#starts[dataset] ?? 0;
            for (let place = 0; place < rows.length; place += 1) {
                const id = rows.columns.ids.at(place);
                if (places.find(id) === -1) places.add(id, start + place);
            }
        }
        return places;
    }
}

/** A JSON array of `length` items, each as its text. */
function* writeArray(length: number, itemAt: (place: number) => string): Generator<string> {
    let piece = '[';
    for (let place = 0; place < length; place += 1) {
        if (place > 0) piece += ',';
        piece += itemAt(place);
        if (piece.length < PIECE) continue;
        yield piece;
        piece = '';
    }
    yield `${piece}]`;
}

/** Every piece costs a system call, so short ones are joined. */
function* joinPieces(pieces: Iterable<string>): Generator<string> {
    let joined = '';
    for (const piece of pieces) {
        joined += piece;
        if (joined.length < PIECE) continue;
        yield joined;
        joined = '';
    }
    yield joined;
}
