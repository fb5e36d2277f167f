import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { expect, it } from 'vitest';
import { killGroup } from '../rig/cli.js';
import { makeDataset } from './dataset.js';
import { eventSeen } from './processes.js';
import { Scene } from './scene.js';

const SET_CLOCK = pathToFileURL(join(import.meta.dirname, 'set-clock.mjs')).href;

const DATASET = makeDataset({ samples: 5, tasks: 5, ms: 60, size: 50 }, 2);

/** Makes the clock wrong by this many seconds; with `jump`, also sets it back an hour after that many milliseconds. */
const clock = (seconds: number, jump?: number): NodeJS.ProcessEnv => ({
    NODE_OPTIONS: `--import=${SET_CLOCK}`,
    CRASH_CLOCK: String(seconds),
    ...(jump === undefined ? {} : { CRASH_JUMP: String(jump) }),
});

const YEAR = 365 * 24 * 3600;

it('a clock that is set back between starts, by a year, changes nothing', async () => {
    const scene = new Scene(DATASET);
    await scene.run({
        what: 'a year ahead, killed',
        env: clock(YEAR),
        meanwhile: async (cli) => {
            await eventSeen(cli, 'task-finished', 8);
            killGroup(cli.child);
        },
    });
    await scene.finish({ env: clock(0) });
    expect((await scene.finish({ env: clock(-YEAR), what: 'a year behind' })).executed).toEqual([]);
    await scene.expectSameAsUninterrupted();
});

it('a clock that is set back by an hour in the middle of a run changes nothing', async () => {
    const scene = new Scene(DATASET);
    await scene.finish({ env: clock(0, 700) });
    await scene.expectSameAsUninterrupted();
});
