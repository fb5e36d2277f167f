import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { type Cli, killGroup } from '../rig/cli.js';
import { makeDataset, random } from './dataset.js';
import { finishedKeys } from './results.js';
import { Scene } from './scene.js';
import { rounds, SEED } from '../rig/long.js';

/** Kills the whole process group at a random moment: after a number of output lines, or after a time. */
function killSomewhere(next: () => number): (cli: Cli) => Promise<void> {
    return async (cli) => {
        if (next() < 0.5) await lines(cli, 1 + Math.floor(next() * 40));
        await sleep(next() * 400);
        killGroup(cli.child);
    };
}

/** Resolves after `count` lines of output, or when the output ends. */
function lines(cli: Cli, count: number): Promise<void> {
    return new Promise((resolve) => {
        let seen = 0;
        cli.child.stdout?.on('data', (text: string) => {
            seen += text.split('\n').length - 1;
            if (seen >= count) resolve();
        });
        cli.child.once('close', () => resolve());
    });
}

/** A run that needs more kills than this makes no progress. */
const MOST_KILLS = 6;

describe.each(['thread', 'process'])('kill -9 at random moments, --mode %s', (mode) => {
    const seeds = Array.from({ length: rounds(1) }, (_, at) => SEED + at);
    it.each(seeds)('loses nothing and repeats nothing (seed %i)', async (seed) => {
        const next = random(seed);
        const scene = new Scene(makeDataset({ samples: 6, tasks: 6, ms: 25, size: 2000 }, seed % 3));
        const args = ['--mode', mode];
        for (let kill = 0; kill < MOST_KILLS; kill += 1) {
            const before = finishedKeys(scene.results).size;
            const record = await scene.run({
                args,
                meanwhile: killSomewhere(next),
                what: `kill ${kill + 1}`,
            });
            expect([0, null]).toContain(record.code);
            expect(finishedKeys(scene.results).size).toBeGreaterThanOrEqual(before);
            if (record.code === 0) break;
        }
        await scene.finish({ args, inProcess: false });
        await scene.expectSameAsUninterrupted();
    });
});
