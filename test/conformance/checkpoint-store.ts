import { describe, expect, it } from 'vitest';
import type { CheckpointStore } from '../../src/checkpoint/store.js';
import type { OpenTask } from '../../src/model/entry.js';
import { BY, entry, state } from '../checkpoint/rig.js';

/** A place where stores are opened one after the other, as by a run that is killed and started again. */
export interface StorePlace {
    readonly store: () => CheckpointStore;
}

const failure = (index: number): OpenTask => ({
    group: 'solution',
    index,
    fingerprint: `v1-sha256-${index}`,
    reason: 'sandbox',
    message: 'the sandbox broke',
    attempts: [],
});

/** The contract of every checkpoint store. */
export function describeCheckpointStore(name: string, open: (ids: readonly string[]) => StorePlace): void {
    describe(`${name} as a checkpoint store`, () => {
        it('knows nothing of a sample that was never committed', async () => {
            const store = open(['p/1']).store();
            expect(await store.read('p/1')).toBeNull();
            expect(await store.stamp('p/1')).toBeNull();
        });

        it('has a result when its commit resolves, without any flush or close', async () => {
            const place = open(['p/1']);
            const writer = place.store().open(state('p/1', [['solution', 2]]));
            await writer.commit('solution', entry(1), BY);
            const read = await place.store().read('p/1');
            expect(read?.entries.get('solution')?.map((stored) => stored.entry)).toEqual([entry(1)]);
            expect(read).toMatchObject({ id: 'p/1', isComplete: false, origin: 'resume-run' });
            expect(read?.totals).toEqual(new Map([['solution', 2]]));
        });

        it('resolves many commits at once and keeps them sorted by index', async () => {
            const place = open(['p/1']);
            const writer = place.store().open(state('p/1', [['solution', 50]]));
            const indexes = Array.from({ length: 50 }, (_, index) => (index * 7) % 50);
            await Promise.all(indexes.map((index) => writer.commit('solution', entry(index), BY)));
            const read = await place.store().read('p/1');
            expect(read?.entries.get('solution')?.map((stored) => stored.entry.index)).toEqual(
                Array.from({ length: 50 }, (_, index) => index),
            );
            expect(read?.isComplete).toBe(true);
        });

        it('keeps what it is handed back, byte for byte', async () => {
            const place = open(['p/1']);
            const first = place.store().open(state('p/1', [['solution', 2]]));
            const odd = entry(0, 'WrongAnswer', { solution: 'é \u2028 "quoted" \\ \ud800 \n' });
            await first.commit('solution', odd, BY);
            await first.close();
            const store = place.store();
            const read = await store.read('p/1');
            const kept = (read?.entries.get('solution') ?? []).map((stored) => ({
                group: 'solution',
                index: 1,
                fingerprint: stored.entry.fingerprint ?? '',
                occurrence: 0,
                stored,
            }));
            const writer = store.open(state('p/1', [['solution', 2]], { kept, origin: 'resume-run' }));
            await writer.commit('solution', entry(0), BY);
            const again = await place.store().read('p/1');
            expect(again?.entries.get('solution')?.map((stored) => stored.entry)).toEqual([
                entry(0),
                // A moved entry is a changed record.
                { ...odd, index: 1, revision: 2 },
            ]);
        });

        it('replaces notes by results', async () => {
            const place = open(['p/1']);
            const writer = place.store().open(state('p/1', [['solution', 2]]));
            await writer.note('pending', failure(0));
            expect((await place.store().read('p/1'))?.pending).toEqual([failure(0)]);
            await writer.note('failures', failure(0));
            const noted = await place.store().read('p/1');
            expect(noted).toMatchObject({ pending: [], failures: [failure(0)], isComplete: false });
            await writer.commit('solution', entry(0), BY);
            expect((await place.store().read('p/1'))?.failures).toEqual([]);
        });

        it('writes a dirty sample when it is closed, and nothing for a clean one', async () => {
            const place = open(['dirty', 'clean']);
            const store = place.store();
            const skipped = [{ group: 'solution', index: 0, reason: 'no toolchain for COBOL' }];
            const stamp = await store
                .open(state('dirty', [['solution', 0]], { dirty: true, skipped }))
                .close();
            expect(await store.open(state('clean', [['solution', 0]])).close()).toBeNull();
            const read = await place.store().read('dirty');
            expect(read).toMatchObject({ skipped, isComplete: true });
            expect(read?.stamp).toEqual(stamp);
            expect(await place.store().stamp('dirty')).toEqual(stamp);
            expect(await place.store().read('clean')).toBeNull();
        });

        it('keeps computed limits, and hands out entries to compute them from', async () => {
            const place = open(['p/1']);
            const writer = place.store().open(state('p/1', [['solution', 2]]));
            void writer.commit('solution', entry(1), BY);
            expect(writer.getEntries('solution')).toEqual([entry(1)]);
            const limits = { time: 2, slowest: 0.4, group_fingerprint: 'x' };
            await writer.setComputedLimits(limits);
            expect((await place.store().read('p/1'))?.computedLimits).toEqual(limits);
        });

        it('keeps samples apart whose ids look alike', async () => {
            const ids = [
                'a/b',
                'a_b',
                'A/B',
                'a_b-',
                '../a_b',
                'a_b.json',
                '.',
                '..',
                '',
                'a\0b',
                'CON',
                'x'.repeat(400),
            ];
            const place = open(ids);
            const store = place.store();
            const writers = ids.map((id) => store.open(state(id, [['solution', 1]])));
            await Promise.all(
                writers.map((writer, at) =>
                    writer.commit('solution', entry(0, 'Accepted', { solution: ids[at] ?? '' }), BY),
                ),
            );
            await store.close();
            for (const id of ids) {
                const read = await place.store().read(id);
                expect(read?.id).toBe(id);
                expect(read?.entries.get('solution')?.[0]?.entry.solution).toBe(id);
            }
        });

        it('counts as it goes', async () => {
            const writer = open(['p/1'])
                .store()
                .open(
                    state('p/1', [
                        ['solution', 2],
                        ['incorrect_solution', 1],
                    ]),
                );
            await writer.commit('solution', entry(0, 'WrongAnswer'), BY);
            await writer.commit('incorrect_solution', entry(0, 'WrongAnswer'), BY);
            expect(writer.tally()).toMatchObject({
                isComplete: false,
                groups: {
                    solution: { total: 2, completed: 1, verdicts: { WrongAnswer: 1 } },
                    incorrect_solution: { total: 1, completed: 1 },
                },
                unexpected: [{ group: 'solution', index: 0, verdict: 'WrongAnswer', expected: ['Accepted'] }],
            });
            await writer.commit('solution', entry(0), BY);
            await writer.commit('solution', entry(1), BY);
            expect(writer.tally()).toMatchObject({ isComplete: true, unexpected: [] });
        });

        it('refuses commits to a closed sample', async () => {
            const writer = open(['p/1'])
                .store()
                .open(state('p/1', [['solution', 1]]));
            await writer.close();
            await expect(writer.commit('solution', entry(0), BY)).rejects.toThrow('closed');
        });
    });
}
