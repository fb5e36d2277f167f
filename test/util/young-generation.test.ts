import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';

const MODULE = new URL('../../dist/util/young-generation.js', import.meta.url);

/** Creates much data that survives, one event-loop turn at a time, and prints the resulting size of the young generation. */
const PROGRAM = `
    import { getHeapSpaceStatistics } from 'node:v8';
    import { boundYoungGeneration } from '${MODULE.href}';
    boundYoungGeneration();
    const kept = [];
    for (let turn = 0; turn < 60; turn++) {
        for (let n = 0; n < 20_000; n++) kept.push({ turn, n, more: [n, turn] });
        await new Promise(setImmediate);
    }
    console.log(getHeapSpaceStatistics().find((space) => space.space_name === 'new_space').space_size / 2 ** 20);
`;

async function youngGeneration(flags: readonly string[]): Promise<number> {
    const args = [...flags, '--input-type=module', '--eval', PROGRAM];
    const { stdout } = await promisify(execFile)(process.execPath, args);
    return Number(stdout);
}

test('the young generation grows to 32 MiB and no further', async () => {
    expect(await youngGeneration([])).toBe(32);
});

test('a size that the user has chosen holds', async () => {
    expect(await youngGeneration(['--max-semi-space-size=32'])).toBeGreaterThan(32);
});
