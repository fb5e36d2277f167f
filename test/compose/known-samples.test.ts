import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { type KnownSamples, KnownSamplesReader } from '../../src/compose/directory/known-samples.js';
import { tempDir } from '../rig/cli.js';

async function readKnown(lines: readonly string[]): Promise<KnownSamples | null> {
    const path = join(tempDir(), 'd.jsonl');
    writeFileSync(path, lines.map((line) => `${line}\n`).join(''));
    const indexes = { loadDatasets: () => Promise.resolve({ get: () => null, set: () => undefined }) };
    const reader = new KnownSamplesReader(indexes, (message) => expect.unreachable(message));
    return await reader.read({ datasets: [{ path, format: null }], options: {} });
}

const makeRow = (id: string, tasks: number): string =>
    JSON.stringify({ id, groups: { iteration: Array.from({ length: tasks }, (_, n) => ({ n })) } });

test('samples of the datasets are found by their ids, and gone over as often as somebody asks', async () => {
    const known = await readKnown([makeRow('b', 2), makeRow('a', 1), makeRow('é', 3)]);
    expect(known?.size).toBe(3);
    expect(known?.find('b')).toEqual([['iteration', 2]]);
    expect(known?.find('é')).toEqual([['iteration', 3]]);
    expect([known?.has('a'), known?.has('c'), known?.find('c')]).toEqual([true, false, null]);
    const ids = known?.ids() ?? [];
    expect([[...ids], [...ids]]).toEqual([
        ['b', 'a', 'é'],
        ['b', 'a', 'é'],
    ]);
    expect([...(known ?? [])].map(([id, groups]) => [id, groups[0]?.[1]])).toEqual([
        ['b', 2],
        ['a', 1],
        ['é', 3],
    ]);
});
