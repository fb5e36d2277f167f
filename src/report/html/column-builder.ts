import {
    type ColumnValues,
    ENTRY_COLUMNS,
    type EntryColumn,
    OUTCOMES,
    type PageHeader,
    packPage,
    TEXT_COLUMNS,
    type TextColumn,
} from '../../model/page-data.js';
import type { PageRow } from './page-row.js';

/** Position of the long parts of an entry. */
export interface DetailPlace {
    /** From 1; 0: not in the file. */
    readonly chunk: number;
    readonly slot: number;
}

/** Further texts of a column share one number: a dictionary must not outgrow the data that it describes. */
const MAX_TEXTS = 100_000;
const OTHER = '…';

const COLUMN_NAMES = Object.keys(ENTRY_COLUMNS) as EntryColumn[];
const OUTCOME_NUMBERS = new Map(OUTCOMES.map((outcome, number) => [outcome, number]));

/** Converts tasks to columns. Takes 4 bytes per task and column. */
export class ColumnBuilder {
    readonly #columns = new Map(COLUMN_NAMES.map((name) => [name, new GrowingColumn(ENTRY_COLUMNS[name])]));
    readonly #dictionaries = new Map(TEXT_COLUMNS.map((name) => [name, new TextNumbers()]));
    readonly #started: number[] = [];
    /** The two groups of most runs come first. */
    readonly #groups = new Map([
        ['solution', 0],
        ['incorrect_solution', 1],
    ]);
    readonly #samples: string[] = [];
    readonly #totals: Map<string, number>[] = [];
    #entries = 0;

    /** @param totals number of tasks that count in each group */
    addSample(id: string, totals: Iterable<readonly [group: string, total: number]>): void {
        this.#samples.push(id);
        const own = new Map(totals);
        for (const group of own.keys()) this.#numberGroup(group);
        this.#totals.push(own);
    }

    /** Adds a task of the most recently added sample. */
    addRow(row: PageRow, { chunk, slot }: DetailPlace): void {
        const { index, flags, time, duration, memory, limit, failedTest, attempts, cost, task, startedAt } =
            row;
        const { promptTokens, completionTokens, row: asked } = row;
        this.#started.push(startedAt);
        this.#write({
            sample: this.#samples.length - 1,
            group: this.#numberGroup(row.group),
            outcome: OUTCOME_NUMBERS.get(row.outcome) ?? 0,
            score: row.score === null ? 0 : 1 + Math.round(1000 * row.score),
            index,
            flags,
            failedTest,
            attempts,
            task,
            row: asked,
            promptTokens,
            completionTokens,
            chunk,
            slot,
            cost,
            time: shorten(time),
            duration: shorten(duration),
            memory: shorten(memory),
            limit,
        });
        for (const [name, dictionary] of this.#dictionaries)
            this.#columns.get(name)?.set(this.#entries, dictionary.numberText(row[name]));
        this.#entries += 1;
    }

    /** Header and columns in one buffer, with the samples in the given order. */
    pack(
        header: Pick<
            PageHeader,
            'dir' | 'version' | 'generatedAt' | 'datasets' | 'comparison' | 'removed' | 'leftOut'
        >,
        order: (a: string, b: string) => number,
    ): Uint8Array<ArrayBuffer> {
        const known = this.#started.filter((at) => at > 0);
        const startedAt = known.reduce((a, b) => Math.min(a, b), known[0] ?? 0);
        const started = this.#columns.get('started');
        for (const [entry, at] of this.#started.entries())
            started?.set(entry, at === 0 ? 0 : 1 + Math.round((at - startedAt) / 1000));
        const sorted = this.#samples
            .map((_, at) => at)
            .sort((a, b) => order(this.#samples[a] ?? '', this.#samples[b] ?? ''));
        const groups = [...this.#groups.keys()];
        return packPage(
            {
                format: 1,
                ...header,
                startedAt,
                samples: sorted.map((at) => this.#samples[at] ?? ''),
                groups,
                totals: sorted.map((at) => groups.map((group) => this.#totals[at]?.get(group) ?? 0)),
                entries: this.#entries,
                dictionaries: this.#texts(),
            },
            this.#sortedColumns(sorted),
        );
    }

    #texts(): PageHeader['dictionaries'] {
        const lists: Partial<Record<TextColumn, readonly string[]>> = {};
        for (const [name, texts] of this.#dictionaries) lists[name] = texts.list;
        return lists as Record<TextColumn, readonly string[]>;
    }

    /** Entries of a sample are contiguous, so whole samples are moved. */
    #sortedColumns(order: readonly number[]): Partial<Record<EntryColumn, ColumnValues>> {
        const samples = this.#columns.get('sample')?.values(this.#entries) ?? new Uint32Array();
        const starts = new Map<number, number>();
        const counts = new Map<number, number>();
        for (const [entry, sample] of samples.entries()) {
            if (!starts.has(sample)) starts.set(sample, entry);
            counts.set(sample, (counts.get(sample) ?? 0) + 1);
        }
        const sorted: Partial<Record<EntryColumn, ColumnValues>> = {};
        for (const [name, column] of this.#columns) {
            const values = column.values(this.#entries);
            const moved = values.slice();
            let at = 0;
            for (const [position, sample] of order.entries()) {
                const start = starts.get(sample) ?? 0;
                const count = counts.get(sample) ?? 0;
                if (name === 'sample') moved.fill(position, at, at + count);
                else moved.set(values.subarray(start, start + count), at);
                at += count;
            }
            sorted[name] = moved;
        }
        return sorted;
    }

    #write(values: Readonly<Partial<Record<EntryColumn, number>>>): void {
        for (const [name, value] of Object.entries(values))
            this.#columns.get(name as EntryColumn)?.set(this.#entries, value);
    }

    #numberGroup(group: string): number {
        const known = this.#groups.get(group);
        if (known !== undefined) return known;
        this.#groups.set(group, this.#groups.size);
        return this.#groups.size - 1;
    }
}

/** People see three significant digits; more would only make the file longer. */
function shorten(value: number): number {
    return Number.isFinite(value) ? Number(value.toPrecision(3)) : 0;
}

class GrowingColumn {
    #values: ColumnValues;

    constructor(type: 'integer' | 'real') {
        this.#values = type === 'real' ? new Float32Array(1024) : new Uint32Array(1024);
    }

    set(at: number, value: number): void {
        if (at >= this.#values.length) {
            const Column = this.#values instanceof Float32Array ? Float32Array : Uint32Array;
            const longer = new Column(2 * this.#values.length);
            longer.set(this.#values);
            this.#values = longer;
        }
        this.#values[at] = value;
    }

    values(length: number): ColumnValues {
        return this.#values.subarray(0, length);
    }
}

/** Numbers texts; the empty text is 0. */
class TextNumbers {
    readonly list: string[] = [''];
    readonly #numbers = new Map<string, number>([['', 0]]);

    numberText(text: string): number {
        const shown = this.#numbers.has(text) || this.list.length < MAX_TEXTS ? text : OTHER;
        const known = this.#numbers.get(shown);
        if (known !== undefined) return known;
        this.#numbers.set(shown, this.list.length);
        this.list.push(shown);
        return this.list.length - 1;
    }
}
