import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { chooseDatasets } from '../../src/config.js';

let dir: string;
beforeEach(() => {
    dir = mkdtempSync(join(tmpdir(), 'resume-run-config-'));
});
afterEach(() => {
    vi.restoreAllMocks();
    rmSync(dir, { recursive: true, force: true });
});

const choose = (datasets: readonly string[], results = dir, checkpoints = '/cp/results') =>
    chooseDatasets({ datasets, dir: results, checkpoints, executor: { kind: 'judge' } }, '/examples');

it('what is known is taken', async () => {
    writeFileSync(join(dir, 'a.json'), '{}');
    expect(await choose(['/a.jsonl'])).toEqual({ datasets: ['/a.jsonl'], announcement: null });
});

it('the bundled examples stand in where there are no results, and it is said', async () => {
    for (const results of [join(dir, 'absent'), dir]) {
        const { datasets, announcement } = await choose([], results);
        expect(datasets).toEqual(['/examples']);
        expect(announcement).toContain('bundled examples');
    }
    writeFileSync(join(dir, '.gitkeep'), '');
    expect((await choose([])).datasets).toEqual(['/examples']);
});

it('results that nothing is known of are never mixed with the examples', async () => {
    writeFileSync(join(dir, 'a.json'), '{}');
    await expect(choose([])).rejects.toMatchObject({
        exitCode: 2,
        message: expect.stringContaining('/cp/results/run.json is missing'),
    });
    rmSync(join(dir, 'a.json'));
    mkdirSync(join(dir, 'folder'));
    await expect(choose([])).rejects.toMatchObject({ exitCode: 2 });
});

it('a named directory whose first start was killed early does not get the examples', async () => {
    const checkpoints = join(dir, 'checkpoints');
    mkdirSync(checkpoints);
    const results = join(dir, 'top');
    expect((await choose([], results, checkpoints)).datasets).toEqual(['/examples']);
    writeFileSync(join(checkpoints, 'lock.1'), '');
    await expect(choose([], results, checkpoints)).rejects.toMatchObject({
        exitCode: 2,
        message: expect.stringContaining('repeat that command'),
    });
    // The default directory, which is looked for in the working directory.
    vi.spyOn(process, 'cwd').mockReturnValue(dir);
    expect((await choose([], join(dir, 'results'), checkpoints)).datasets).toEqual(['/examples']);
    const index = (...paths: string[]) =>
        writeFileSync(
            join(checkpoints, 'index.json'),
            JSON.stringify({ datasets: paths.map((path) => [path, {}]) }),
        );
    index('/examples/a.jsonl', '/other/b.jsonl');
    await expect(choose([], results, checkpoints)).rejects.toMatchObject({ exitCode: 2 });
    index('/examples/a.jsonl');
    expect((await choose([], results, checkpoints)).datasets).toEqual(['/examples']);
});

it('commands and modules have no examples to stand in', async () => {
    const exec = { kind: 'exec', argv: ['true'], exitVerdicts: {}, identity: '' } as const;
    await expect(
        chooseDatasets({ datasets: [], dir, checkpoints: '/cp', executor: exec }, '/examples'),
    ).rejects.toThrow('needs a dataset');
});
