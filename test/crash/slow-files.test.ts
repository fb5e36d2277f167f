import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { killGroup } from '../rig/cli.js';
import { makeDataset, random } from './dataset.js';
import { whyNoInjection } from './inject.js';
import { type RunOptions, Scene } from './scene.js';
import { rounds, SEED } from '../rig/long.js';

const noInjection = whyNoInjection();
if (noInjection !== null) console.log(`skipped: a slow file system is made of delayed calls: ${noInjection}`);

/** Milliseconds that each flush and each rename takes, as on a busy network file system. */
const DELAY_MS = 150;
const TASKS = 8;
const SAMPLES = 3;

describe('a slow file system', () => {
    const seeds = Array.from({ length: rounds(1) }, (_, at) => SEED + at);
    it.skipIf(noInjection !== null).each(seeds)(
        'killed while calls are under way it loses nothing (seed %i)',
        async (seed) => {
            const scene = new Scene(makeDataset({ samples: SAMPLES, tasks: TASKS, ms: 10, size: 500 }, 0));
            const slow = slowly(scene);
            const next = random(seed);
            for (let kill = 0; kill < 2; kill += 1) {
                await scene.run({
                    ...slow,
                    meanwhile: async (cli) => {
                        await sleep(1500 + next() * 2500);
                        killGroup(cli.child);
                    },
                    what: `slow, kill ${kill + 1}`,
                });
            }
            await scene.finish({ ...slow, what: 'slow' });
            await scene.expectSameAsUninterrupted();
        },
        120_000,
    );

    it.skipIf(noInjection !== null)('results that come meanwhile share the next write', async () => {
        const scene = new Scene(makeDataset({ samples: 1, tasks: 20, ms: 10, size: 500 }, 0));
        await scene.finish({ ...slowly(scene), what: 'slow' });
        const writes = readFileSync(join(scene.home, 'trace'), 'utf8')
            .split('\n')
            .filter((line) => /\brename(at2?)?\(/.test(line) && line.includes(scene.results));
        // One write takes as long as dozens of tasks.
        expect(writes.length).toBeGreaterThanOrEqual(1);
        expect(writes.length).toBeLessThanOrEqual(10);
        await scene.expectSameAsUninterrupted();
    });
});

/** Delays every flush and every rename. */
function slowly(scene: Scene): Pick<RunOptions, 'args' | 'through'> {
    const calls = ['fsync', 'fdatasync', '?rename', '?renameat', 'renameat2'].join(',');
    const delay = `inject=${calls}:delay_enter=${DELAY_MS * 1000}`;
    return {
        args: ['--mode', 'async'],
        through: ['strace', '-f', '-qq', '-y', '-o', join(scene.home, 'trace'), '-e', delay],
    };
}
