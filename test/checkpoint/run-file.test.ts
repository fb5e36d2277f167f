import { readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { createRunFile, readRunFile, writeRunFile } from '../../src/checkpoint/run-directory/run-file.js';
import { judgeDiskState, freeBytes } from '../../src/host/disk.js';
import { makeHolderId, makeStagingName } from '../../src/host/staging-name.js';
import { sweep } from '../../src/host/sweep.js';
import { HOLDER, runFile as run, scratch } from './rig.js';

describe('run.json', () => {
    it('is read back as it was written', async () => {
        const dir = join(scratch(), 'deep', 'checkpoints');
        expect(await readRunFile(dir)).toBeNull();
        expect(await createRunFile(dir, HOLDER, run())).toEqual({ created: true, run: run() });
        expect(await readRunFile(dir)).toEqual(run());
        await writeRunFile(dir, HOLDER, run('tle'));
        expect(await readRunFile(dir)).toEqual(run('tle'));
        expect(readdirSync(dir)).toEqual(['run.json']);
    });

    it('is created by one of many shards only', async () => {
        const dir = scratch();
        const all = await Promise.all(
            Array.from({ length: 8 }, (_, shard) =>
                createRunFile(dir, makeHolderId(), run(`shard-${shard}`)),
            ),
        );
        const winner = all.find((result) => result.created);
        expect(all.filter((result) => result.created)).toHaveLength(1);
        for (const result of all) expect(result.run).toEqual(winner?.run);
    });

    it.each(['{', '[]', '{"version": 2}', '{"version": 1, "datasets": "x"}'])(
        'is refused in one line when it holds %j',
        async (content) => {
            const dir = scratch();
            writeFileSync(join(dir, 'run.json'), content);
            const refused = readRunFile(dir);
            await expect(refused).rejects.toMatchObject({ name: 'UserError', exitCode: 2 });
            await expect(refused).rejects.toThrow(/^[^\n]*run\.json is damaged[^\n]*$/);
        },
    );

    it.each(['', '\0'.repeat(512)])(
        'counts as none when it holds %j, and is written again',
        async (content) => {
            const dir = scratch();
            writeFileSync(join(dir, 'run.json'), content);
            expect(await readRunFile(dir)).toBeNull();
            expect(await createRunFile(dir, HOLDER, run())).toMatchObject({ created: true });
            expect(await readRunFile(dir)).toEqual(run());
        },
    );
});

describe('the sweep', () => {
    it('removes temporary files of runs that are gone, and nothing else', async () => {
        const dir = scratch();
        const gone = makeHolderId();
        const living = makeHolderId();
        const keep = [
            makeStagingName('a.json', living),
            'a.json',
            'a.json.corrupt-20261121T090000Z',
            '.hidden.tmp',
            'mine.h0123456789ab.01234567.tmp',
            '.env',
        ];
        const ours = [makeStagingName('a.json', gone), `${makeStagingName('b\n.json', gone)}.3141592653`];
        for (const name of [...keep, ...ours]) writeFileSync(join(dir, name), '');
        expect(await sweep([dir, join(dir, 'not-there')], () => Promise.resolve(new Set([living])))).toBe(2);
        expect(readdirSync(dir).sort()).toEqual(keep.sort());
    });
});

describe('free space', () => {
    it('is known for a directory, also before it is made', async () => {
        expect(await freeBytes(scratch())).toBeGreaterThan(0);
        expect(await freeBytes(join(scratch(), 'not', 'yet'))).toBeGreaterThan(0);
    });

    it('is low or used up by what the largest file needs', () => {
        expect(judgeDiskState(10 * 2 ** 30)).toBe('fine');
        expect(judgeDiskState(2 ** 29)).toBe('low');
        expect(judgeDiskState(2 ** 20)).toBe('full');
    });
});
