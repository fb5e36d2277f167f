import { spawnSync } from 'node:child_process';
import {
    copyFileSync,
    mkdirSync,
    readdirSync,
    readFileSync,
    renameSync,
    rmSync,
    writeFileSync,
} from 'node:fs';
import { basename, join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { archiveResults } from '../../src/checkpoint/upkeep/archive.js';
import { ArchiveList } from '../../src/checkpoint/upkeep/archive-list.js';
import { type CheckOptions, checkDirectory } from '../../src/checkpoint/upkeep/check.js';
import {
    describeFinding,
    type Finding,
    isFixable,
    chooseSeverity,
} from '../../src/checkpoint/upkeep/finding.js';
import { fixFinding } from '../../src/checkpoint/upkeep/fix.js';
import { ContentFolder } from '../../src/host/content-folder.js';
import { makeHolderId, makeStagingName } from '../../src/host/staging-name.js';
import { BY, entry, HOLDER, type Place, place, state } from './rig.js';

const options = (made: Place): CheckOptions => ({
    dir: made.results,
    checkpointsDir: made.checkpoints,
    living: new Set([HOLDER]),
    holdsLock: true,
    samples: null,
});

async function check(made: Place): Promise<Finding[]> {
    const findings: Finding[] = [];
    for await (const finding of checkDirectory(options(made))) findings.push(finding);
    return findings;
}

async function filled(): Promise<Place> {
    const made = place(['p/1', 'p/2']);
    const store = made.store();
    for (const id of ['p/1', 'p/2']) {
        const writer = store.open(state(id, [['solution', 2]]));
        await writer.commit('solution', entry(0, 'TimeLimitExceeded'), BY);
        await writer.commit('solution', entry(0), BY);
        await writer.close();
    }
    return made;
}

const edit = (made: Place, change: (text: string) => string): void => {
    const path = join(made.results, 'p_1.json');
    writeFileSync(path, change(readFileSync(path, 'utf8')));
};

describe('check', () => {
    it('finds nothing in a directory as a run leaves it, or in none', async () => {
        expect(await check(await filled())).toEqual([]);
        expect(await check(place())).toEqual([]);
    });

    it.each<[Finding['kind'], (made: Place) => void]>([
        ['unparseable', (made) => edit(made, (text) => text.slice(0, -20))],
        ['wrong name', ({ results }) => renameSync(join(results, 'p_1.json'), join(results, 'mine.json'))],
        [
            'totals disagree',
            (made) =>
                edit(made, (text) => text.replace('"completed_solutions": 1', '"completed_solutions": 2')),
        ],
        [
            'totals disagree',
            (made) => edit(made, (text) => text.replace('"is_complete": false', '"is_complete": true')),
        ],
        [
            'leftover',
            ({ results }) => writeFileSync(join(results, makeStagingName('p_1.json', makeHolderId())), 'x'),
        ],
        [
            'leftover',
            ({ checkpoints }) =>
                writeFileSync(join(checkpoints, makeStagingName('run.json', makeHolderId())), 'x'),
        ],
    ])('finds and mends: %s', async (kind, harm) => {
        const made = await filled();
        harm(made);
        const [finding, ...more] = await check(made);
        expect(more).toEqual([]);
        if (finding === undefined) throw new Error('nothing found');
        expect(finding.kind).toBe(kind);
        expect(isFixable(finding)).toBe(true);
        expect(await fixFinding(finding, { ...options(made), holder: HOLDER })).not.toBeNull();
        expect((await check(made)).filter((left) => left.kind !== 'set aside')).toEqual([]);
        expect((await made.store().read('p/2'))?.entries.get('solution')).toHaveLength(1);
    });

    it.each<[Finding['kind'], (made: Place) => void]>([
        [
            'duplicate id',
            ({ results }) => copyFileSync(join(results, 'p_1.json'), join(results, 'p_1-copy.json')),
        ],
        ['set aside', ({ results }) => writeFileSync(join(results, 'x.json.corrupt-20261121T090000Z'), 'x')],
        ['stranger', ({ results }) => mkdirSync(join(results, 'folder'))],
        [
            'earlier tool',
            ({ results }) => writeFileSync(join(results, 'old.json'), '{"id": "old", "solution_result": []}'),
        ],
        [
            'torn log',
            ({ checkpoints }) => writeFileSync(join(checkpoints, 'superseded.jsonl'), '{}\n{"a\n{}\n'),
        ],
        ['unusable', ({ checkpoints }) => writeFileSync(join(checkpoints, 'run.json'), '{')],
        ['unusable', ({ checkpoints }) => writeFileSync(join(checkpoints, 'archive.json'), '{')],
        ['unusable', ({ results }) => writeFileSync(join(results, '.outputs'), 'not a folder')],
        ['unusable', ({ checkpoints }) => writeFileSync(join(checkpoints, 'earlier'), 'not a folder')],
        [
            'too many entries',
            (made) => edit(made, (text) => text.replace('"total_solutions": 2', '"total_solutions": 0')),
        ],
    ])('finds and leaves alone: %s', async (kind, harm) => {
        const made = await filled();
        harm(made);
        const before = readdirSync(made.results);
        const findings = await check(made);
        expect(findings.map((finding) => finding.kind)).toContain(kind);
        for (const finding of findings) {
            expect(describeFinding(finding)).toMatch(/^[^\n]+$/);
            expect(['error', 'warning', 'info']).toContain(chooseSeverity(finding));
            if (finding.kind === kind) {
                expect(await fixFinding(finding, { ...options(made), holder: HOLDER })).toBeNull();
            }
        }
        expect(readdirSync(made.results)).toEqual(before);
    });

    it('finds two entries for one task', async () => {
        const made = await filled();
        edit(made, (text) => {
            const file = JSON.parse(text) as { solution_result: unknown[] };
            file.solution_result.push(file.solution_result[0]);
            return JSON.stringify(file);
        });
        expect((await check(made)).map((finding) => finding.kind)).toContain('duplicate index');
    });

    describe('output files', () => {
        /** An entry that names an output file, which exists. */
        async function withOutput(content = 'printed'): Promise<{ made: Place; path: string }> {
            const made = await filled();
            const { sha256, bytes } = await new ContentFolder(join(made.results, '.outputs'), HOLDER).add(
                Buffer.from(content),
            );
            const path = `.outputs/${sha256}`;
            const writer = made.store().open(state('p/1', [['solution', 1]]));
            const run_result = {
                status: 'Finished',
                execution_time: 1,
                return_code: 0,
                stdout_file: { path, bytes, sha256 },
            } as const;
            const finished = entry(0);
            const [attempt] = finished.attempts;
            if (attempt === undefined) throw new Error('no attempt');
            await writer.commit('solution', { ...finished, attempts: [{ ...attempt, run_result }] }, BY);
            await writer.close();
            return { made, path: join(made.results, path) };
        }

        it('are as their entries say, or it tells which are not', async () => {
            const { made, path } = await withOutput();
            expect(await check(made)).toEqual([]);
            writeFileSync(path, 'PRINTED');
            expect(await check(made)).toMatchObject([
                { kind: 'output damaged', where: 'p_1.json', why: 'its content was changed' },
            ]);
            writeFileSync(path, '');
            expect(await check(made)).toMatchObject([{ why: 'it has 0 bytes instead of 7' }]);
            rmSync(path);
            expect(await check(made)).toMatchObject([{ why: 'there is no such file or folder' }]);
            spawnSync('mkfifo', [path]);
            expect(await check(made)).toMatchObject([{ why: 'it is a FIFO (named pipe), not a file' }]);
        });

        it('that nothing names go, and those that anything may name stay', async () => {
            const { made, path } = await withOutput();
            const name = basename(path);
            const file = join(made.results, 'p_1.json');
            const keepers: (() => void)[] = [
                // Moved aside because it could not be parsed; in a torn line; in a file of an archive.
                () => renameSync(file, `${file}.corrupt-20261121T090000Z`),
                () => {
                    rmSync(`${file}.corrupt-20261121T090000Z`);
                    mkdirSync(made.checkpoints, { recursive: true });
                    writeFileSync(
                        join(made.checkpoints, 'superseded.jsonl'),
                        `{"stdout_file": {"sha256": "${name}`,
                    );
                },
            ];
            for (const keeper of keepers) {
                keeper();
                expect((await check(made)).map(({ kind }) => kind)).not.toContain('output unnamed');
            }
            rmSync(join(made.checkpoints, 'superseded.jsonl'));
            const whileRunning = { ...options(made), holdsLock: false };
            for await (const finding of checkDirectory(whileRunning)) expect(finding).toBeUndefined();
            const [finding, ...more] = await check(made);
            if (finding === undefined) throw new Error('nothing found');
            expect([finding.kind, ...more]).toEqual(['output unnamed']);
            await fixFinding(finding, { ...options(made), holder: HOLDER });
            expect(readdirSync(join(made.results, '.outputs'))).toEqual([]);
        });

        it('of archived samples are looked at too', async () => {
            const { made, path } = await withOutput();
            const list = await ArchiveList.load(made.checkpoints);
            const target = { kind: 'tar', path: join(made.checkpoints, 'a.tar') } as const;
            const { outputs } = await archiveResults({ dir: made.results, list, holder: HOLDER, target });
            expect(outputs).toBe(1);
            expect(await check(made)).toEqual([]);
            writeFileSync(path, 'PRINTED');
            expect(await check(made)).toMatchObject([{ kind: 'output damaged', where: target.path }]);
            const bytes = readFileSync(target.path);
            // Changes a digit of a duration, so that the file still parses.
            bytes.set(Buffer.from('0.9'), bytes.indexOf('0.5'));
            writeFileSync(target.path, bytes);
            expect((await check(made)).map(({ kind }) => kind)).toEqual(['archive damaged']);
            // Moved to another disk, for example; it still names the output.
            rmSync(target.path);
            expect((await check(made)).map(({ kind }) => kind)).toEqual(['archive damaged']);
        });
    });
});
