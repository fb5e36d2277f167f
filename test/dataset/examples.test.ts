import { execFileSync } from 'node:child_process';
import { cp, readFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { describe, expect, it } from 'vitest';
import { PROGRAM_VERDICTS } from '../../src/model/verdict.js';
import { folderWith, loadAll, openAll } from './rig.js';

const EXAMPLES = resolve('examples');

describe('the examples', () => {
    it('are three datasets whose samples all load, none of them skipped', async () => {
        const datasets = await openAll([EXAMPLES]);
        expect(datasets.map((dataset) => dataset.format)).toEqual(['code-contests', 'plain', 'kattis']);
        const samples = (await Promise.all(datasets.map(loadAll))).flat();
        expect(samples.length).toBe(13);
        expect(samples.filter((sample) => sample.skip !== null)).toEqual([]);
        for (const sample of samples) expect(sample.judging?.tests.length).toBeGreaterThan(2);
    });

    it('cover every verdict in every language', async () => {
        const [, plain] = await openAll([EXAMPLES]);
        if (plain === undefined) throw new Error('no plain dataset');
        const programs = (await loadAll(plain)).flatMap((sample) => Object.values(sample.groups).flat());
        const verdicts = new Set(
            programs.flatMap((task) => (task.kind === 'program' ? (task.expected ?? []) : [])),
        );
        expect([...verdicts].sort()).toEqual(
            PROGRAM_VERDICTS.filter((verdict) => verdict !== 'Accepted').sort(),
        );
        const languages = new Set(programs.map((task) => (task.kind === 'program' ? task.language : '')));
        expect([...languages].sort()).toEqual(['CPP', 'JAVA', 'JAVASCRIPT', 'PYTHON3']);
    });

    it('are written from their sources as they are', async () => {
        const folder = await folderWith({});
        await cp(EXAMPLES, folder, { recursive: true });
        execFileSync(process.execPath, [join(folder, 'build-problems.mjs')]);
        const built = await readFile(join(folder, 'problems.jsonl'), 'utf8');
        expect(built).toBe(await readFile(join(EXAMPLES, 'problems.jsonl'), 'utf8'));
    });
});
