import {
    type BatchChange,
    digestKey,
    type RecordChange,
    recordLine,
    type Retirement,
} from '../record/record.js';
import { KEY_ENTRY_WORDS, toWords } from '../record/record-keys.js';
import type { RecordRows } from '../record/record-rows.js';
import type { Changes, CommitSummary } from '../result-store.js';
import { type KeyEntry, KeyIndex, RETIRED } from './key-index.js';
import type { PartBuilder } from './part-builder.js';

type Change = RecordChange | BatchChange;

/** Rows that no longer count, by number of their part. */
export type DroppedRows = Map<number, Set<number>>;

/** The effect of a batch, compared with the keys that are stored. */
export interface BatchOutcome {
    readonly summary: CommitSummary;
    readonly dropped: DroppedRows;
    readonly retirements: readonly Retirement[];
}

/**
 * Writes the records of a batch that are new, and finds those that they replace. For each key the highest revision wins; at equal
 * revisions the stored record stays, except that a retirement removes it.
 * @throws WriteError, and whatever `changes` throws
 */
export async function sortBatch(
    changes: Changes,
    index: KeyIndex,
    builder: PartBuilder,
): Promise<BatchOutcome> {
    const sorter = new Sorter(index, builder);
    for await (const some of groupChanges(changes)) {
        for (const change of some) {
            if (change.kind === 'rows') await sorter.takeRows(change.rows);
            else if (change.kind === 'retirement') sorter.takeRetirement(change.retirement);
            else await sorter.takeRecord(change);
        }
    }
    return sorter;
}

class Sorter implements BatchOutcome {
    readonly summary = { added: 0, replaced: 0, duplicates: 0, retired: 0 };
    readonly dropped: DroppedRows = new Map();
    readonly retirements: Retirement[] = [];
    readonly #pending = new KeyIndex();

    constructor(
        readonly index: KeyIndex,
        readonly builder: PartBuilder,
    ) {}

    async takeRows(rows: RecordRows): Promise<void> {
        const { words, count } = rows.keys;
        for (let row = 0; row < count; row += 1) {
            const at = row * KEY_ENTRY_WORDS;
            const revision = rows.keys.revision(row);
            const slot = this.#pending.find(words, at);
            if (!this.#isNews(slot, words, at, revision)) continue;
            if (!this.builder.hasRoom) await this.builder.makeRoom();
            const place = this.builder.addRow(rows, row);
            this.#pending.setAt(slot, words, at, { revision, part: this.builder.part, row: place });
        }
        this.builder.endRows();
    }

    async takeRecord(change: Extract<Change, { readonly kind: 'line' | 'record' }>): Promise<void> {
        const digest = change.kind === 'line' ? change.digest : digestKey(change.record);
        const { revision } = change.kind === 'line' ? change : change.record;
        const words = toWords(digest);
        const slot = this.#pending.find(words, 0);
        if (!this.#isNews(slot, words, 0, revision)) return;
        const line = change.kind === 'line' ? change : { digest, revision, line: recordLine(change.record) };
        if (!this.builder.hasRoom) await this.builder.makeRoom();
        const place = this.builder.add(line);
        this.#pending.setAt(slot, words, 0, { revision, part: this.builder.part, row: place });
    }

    takeRetirement(retirement: Retirement): void {
        const words = toWords(digestKey(retirement));
        const { revision } = retirement;
        const slot = this.#pending.find(words, 0);
        const known = this.#find(slot, words, 0);
        const isRecord = known !== null && known.part !== RETIRED;
        if (known !== null && (revision < known.revision || (revision === known.revision && !isRecord))) {
            this.summary.duplicates += 1;
            return;
        }
        if (isRecord) {
            this.#drop(known);
            this.summary.retired += 1;
        }
        this.retirements.push(retirement);
        this.#pending.setAt(slot, words, 0, { revision, part: RETIRED, row: 0 });
    }

    /**
     * Counts a record and drops the one that it replaces. Returns false if it is already known, or older than the stored one.
     * @param slot of its digest among the pending ones
     */
    #isNews(slot: number, words: Uint32Array, at: number, revision: number): boolean {
        const known = this.#find(slot, words, at);
        if (known !== null && revision <= known.revision) {
            this.summary.duplicates += 1;
            return false;
        }
        const replaces = known !== null && known.part !== RETIRED;
        if (replaces) this.#drop(known);
        this.summary[replaces ? 'replaced' : 'added'] += 1;
        return true;
    }

    #find(slot: number, words: Uint32Array, at: number): KeyEntry | null {
        return this.#pending.getAt(slot) ?? this.index.get(words, at);
    }

    #drop({ part, row }: KeyEntry): void {
        const rows = this.dropped.get(part) ?? new Set<number>();
        rows.add(row);
        this.dropped.set(part, rows);
    }
}

const groupChanges = (changes: Changes): AsyncIterable<readonly Change[]> | Iterable<readonly Change[]> =>
    Symbol.asyncIterator in changes ? changes : [[...changes]];
