import type { CheckpointStore, SampleWriter } from '../../checkpoint/store.js';
import type { Checkpoint, SampleState, StoredEntry } from '../../model/checkpoint.js';

type ReadStore = Pick<CheckpointStore, 'read' | 'isEmpty' | 'stamp'>;

/** The operations of a store that adopting needs. */
export type AdoptingStore = ReadStore & {
    open(state: SampleState): Pick<SampleWriter, 'commit' | 'close'>;
};

/** A stamp that no file has, so that an index never vouches for it. */
const STAMP = { size: 0, mtime: 'a dry run', inode: '0' } as const;

/** The results that a dry run plans with: existing ones, and, in memory only, those that would be adopted. */
export function overlayAdopted(store: ReadStore): AdoptingStore {
    const changed = new Map<string, Checkpoint>();
    return {
        read: async (id) => changed.get(id) ?? store.read(id),
        isEmpty: async () => changed.size === 0 && (await store.isEmpty()),
        stamp: (id) => (changed.has(id) ? STAMP : store.stamp(id)),
        open: (state) => {
            const entries = new Map<string, StoredEntry[]>();
            const add = (group: string, stored: StoredEntry): void =>
                void entries.set(group, [...(entries.get(group) ?? []), stored]);
            for (const { group, index, fingerprint, stored } of state.kept)
                add(group, { ...stored, entry: { ...stored.entry, index, fingerprint } });
            return {
                commit: async (group, entry) => {
                    add(group, { entry });
                    return entry;
                },
                close: async () => {
                    const { id, totals, failures, pending, skipped, computedLimits, retiredRevision } = state;
                    const rest = { id, failures, pending, skipped, computedLimits, retiredRevision };
                    const origin = state.origin === 'earlier' ? 'earlier' : 'resume-run';
                    const more = { isComplete: false, run: null, origin, stamp: STAMP } as const;
                    changed.set(id, { ...rest, ...more, entries, totals: new Map(totals) });
                    return STAMP;
                },
            };
        },
    };
}
