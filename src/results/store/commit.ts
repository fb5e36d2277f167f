import {
    type BatchChange,
    digestKey,
    type RecordChange,
    type RecordLine,
    type Retirement,
    recordLine,
} from '../record/record.js';
import type { Changes, CommitSummary } from '../result-store.js';
import { type KeyEntry, KeyIndex, RETIRED } from './key-index.js';
import type { PartBuilder } from './part-builder.js';

type Change = RecordChange | BatchChange;

/** Rows of parts that are not counted any more, by number of the part. */
export type DroppedRows = Map<number, Set<number>>;

/** What a batch comes to, when held against the keys that are there. */
export interface BatchOutcome {
    readonly summary: CommitSummary;
    readonly dropped: DroppedRows;
    readonly retirements: readonly Retirement[];
}

/**
 * Writes the records of a batch that are new, and finds what they replace. The rule: of one key the highest revision wins;
 * at equal revisions what is there stays, except that a retirement takes a record out.
 * @throws WriteError, and whatever `changes` throws
 */
export async function sortBatch(
    changes: Changes,
    index: KeyIndex,
    builder: PartBuilder,
): Promise<BatchOutcome> {
    const pending = new KeyIndex();
    const dropped: DroppedRows = new Map();
    const retirements: Retirement[] = [];
    const summary = { added: 0, replaced: 0, duplicates: 0, retired: 0 };
    for await (const some of groupChanges(changes)) {
        for (const change of some) {
            const { digest, revision } = identify(change);
            const known = pending.get(digest) ?? index.get(digest);
            if (!isNews(change.kind, revision, known)) {
                summary.duplicates += 1;
                continue;
            }
            const replaces = known !== null && known.part !== RETIRED;
            if (replaces) dropRow(dropped, known.part, known.row);
            if (change.kind === 'retirement') {
                if (replaces) summary.retired += 1;
                retirements.push(change.retirement);
                pending.set(digest, { revision, part: RETIRED, row: 0 });
            } else {
                summary[replaces ? 'replaced' : 'added'] += 1;
                const line =
                    change.kind === 'line' ? change : { digest, revision, line: recordLine(change.record) };
                if (!builder.hasRoom) await builder.makeRoom();
                pending.set(digest, { revision, ...builder.add(line) });
            }
        }
    }
    return { summary, dropped, retirements };
}

const groupChanges = (changes: Changes): AsyncIterable<readonly Change[]> | Iterable<readonly Change[]> =>
    Symbol.asyncIterator in changes ? changes : [[...changes]];

function isNews(kind: Change['kind'], revision: number, known: KeyEntry | null): boolean {
    if (known === null || revision > known.revision) return true;
    return kind === 'retirement' && revision === known.revision && known.part !== RETIRED;
}

function identify(change: Change): Pick<RecordLine, 'digest' | 'revision'> {
    if (change.kind === 'line') return change;
    const key = change.kind === 'record' ? change.record : change.retirement;
    return { digest: digestKey(key), revision: key.revision };
}

function dropRow(dropped: DroppedRows, part: number, row: number): void {
    const rows = dropped.get(part) ?? new Set<number>();
    rows.add(row);
    dropped.set(part, rows);
}
