import { mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { archiveResults } from '../../src/checkpoint/upkeep/archive.js';
import { ArchiveList } from '../../src/checkpoint/upkeep/archive-list.js';
import { IndexFile } from '../../src/checkpoint/index/index-file.js';
import { BY, entry, HOLDER, type Place, place, state } from './rig.js';

const LONG = `${'very/long/'.repeat(18)}näme`;
const IDS = ['p/1', 'p/2', LONG, 'p/open'];

/** Three finished samples and an unfinished one. */
async function filled(): Promise<Place> {
    const made = place(IDS);
    const store = made.store();
    for (const id of IDS) {
        const writer = store.open(state(id, [['solution', id === 'p/open' ? 2 : 1]]));
        void writer.commit('solution', entry(0, 'Accepted', { solution: id }), BY);
        await writer.close();
    }
    await store.close();
    return made;
}

describe.each(['tar', 'folder'] as const)('an archive (%s)', (kind) => {
    const target = (made: Place) => ({ kind, path: join(made.checkpoints, 'old', `archive.${kind}`) });
    const archive = async (made: Place, select?: (id: string) => boolean) =>
        archiveResults({
            dir: made.results,
            list: await ArchiveList.load(made.checkpoints),
            holder: HOLDER,
            target: target(made),
            ...(select === undefined ? {} : { select }),
        });

    it('takes finished samples away, which stay known', async () => {
        const made = await filled();
        const before = await Promise.all(IDS.map((id) => made.store().read(id)));
        expect(await archive(made)).toMatchObject({ samples: 3 });
        expect(readdirSync(made.results)).toEqual(['p_open.json']);
        const store = made.store();
        for (const [at, id] of IDS.entries()) {
            const read = await store.read(id);
            expect({ ...read, stamp: null }).toEqual({ ...before[at], stamp: null });
            expect(await store.stamp(id)).toEqual(read?.stamp);
        }
        expect(await archive(made)).toMatchObject({ samples: 0 });
    });

    it('is not an obstacle to running one of its samples again', async () => {
        const made = await filled();
        await archive(made);
        const store = made.store();
        const read = await store.read('p/1');
        const kept = (read?.entries.get('solution') ?? []).map((stored) => ({
            group: 'solution',
            index: 0,
            fingerprint: stored.entry.fingerprint ?? '',
            occurrence: 0,
            stored,
        }));
        const writer = store.open(state('p/1', [['solution', 2]], { kept, origin: 'resume-run' }));
        await writer.commit('solution', entry(1), BY);
        expect(readdirSync(made.results)).toEqual(['p_1.json', 'p_open.json']);
        expect((await made.store().read('p/1'))?.entries.get('solution')).toHaveLength(2);
    });

    it('moves what the index knows along', async () => {
        const made = await filled();
        const index = await IndexFile.load(made.checkpoints, null, HOLDER);
        const stamp = await made.store().stamp('p/1');
        if (stamp === null) throw new Error('no stamp');
        const tally = {
            id: 'p/1',
            groups: {},
            isComplete: true,
            unexpected: [],
            inPart: [],
            nearLimit: [],
            aboveOwn: [],
            failures: [],
            skips: {},
        };
        index.set('p/1', stamp, 'row', 'key', tally);
        const list = await ArchiveList.load(made.checkpoints);
        await archiveResults({ dir: made.results, list, holder: HOLDER, target: target(made), index });
        const now = await made.store().stamp('p/1');
        if (now === null) throw new Error('no stamp');
        expect(now).not.toEqual(stamp);
        expect(index.get('p/1', now, 'row', 'key')).toEqual(tally);
        expect(index.get('p/1', stamp, 'row', 'key')).toBeNull();
    });

    it('that is gone stops a run instead of doing its samples again', async () => {
        const made = await filled();
        await archive(made);
        renameSync(target(made).path, `${target(made).path}.moved`);
        await expect(made.store().stamp('p/1')).rejects.toThrow('is missing: 3 finished samples');
        await expect(made.store().read('p/1')).rejects.toMatchObject({ name: 'UserError' });
        expect(await made.store().stamp('p/open')).not.toBeNull();
    });

    it('takes what it is asked to take', async () => {
        const made = await filled();
        expect(await archive(made, (id) => id === 'p/2')).toMatchObject({ samples: 1 });
        expect(readdirSync(made.results)).toContain('p_1.json');
        expect(readdirSync(made.results)).not.toContain('p_2.json');
    });

    it('loses nothing when it cannot be made', async () => {
        const made = await filled();
        const before = readdirSync(made.results);
        mkdirSync(made.checkpoints, { recursive: true });
        writeFileSync(join(made.checkpoints, 'old'), 'in the way');
        await expect(archive(made)).rejects.toMatchObject({ name: 'WriteError' });
        expect(readdirSync(made.results)).toEqual(before);
    });
});

describe('the list of archives', () => {
    it('is refused when it is damaged: finished samples would run again', async () => {
        const made = await filled();
        mkdirSync(made.checkpoints, { recursive: true });
        const path = join(made.checkpoints, 'archive.json');
        const escape =
            '{"version":1,"archives":[{"kind":"folder","path":"x","files":[["a","../../etc/passwd",0,1,""]]}]}';
        for (const text of ['', '{', '[]', '{"version":1,"archives":[{}]}', escape]) {
            writeFileSync(path, text);
            await expect(ArchiveList.load(made.checkpoints)).rejects.toThrow('is damaged');
        }
    });

    it('notices a damaged tar', async () => {
        const made = await filled();
        const path = join(made.checkpoints, 'a.tar');
        const list = await ArchiveList.load(made.checkpoints);
        await archiveResults({ dir: made.results, list, holder: HOLDER, target: { kind: 'tar', path } });
        const bytes = readFileSync(path);
        rmSync(path);
        writeFileSync(path, bytes.fill(0, 600, 1200));
        await expect(made.store().read('p/1')).rejects.toThrow('damaged');
        await expect(
            archiveResults({
                dir: made.results,
                list,
                holder: HOLDER,
                target: { kind: 'tar', path },
                select: () => true,
            }),
        ).resolves.toMatchObject({ samples: 0 });
    });
});
