import { spawnSync } from 'node:child_process';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { parseArgs } from 'node:util';

/*
 * `npm run crash -- --loops 500 --seed 7 [--only random-kills]`: the long form of the crash suite. Everything that the ordinary
 * tests sample is tried in full, and everything random is tried `--loops` times.
 */

const { values } = parseArgs({
    options: {
        loops: { type: 'string', default: '50' },
        seed: { type: 'string', default: String(Date.now() % 1_000_000) },
        only: { type: 'string', default: '' },
    },
});
const loops = Number(values.loops);
if (!Number.isSafeInteger(loops) || loops < 1)
    throw new Error(`--loops: expected a number, got ${values.loops}`);

const vitest = join(createRequire(import.meta.url).resolve('vitest/package.json'), '../vitest.mjs');
const day = String(24 * 3600 * 1000);
const { status } = spawnSync(
    process.execPath,
    [vitest, 'run', `test/crash/${values.only}`, '--testTimeout', day],
    {
        cwd: join(import.meta.dirname, '../..'),
        stdio: 'inherit',
        env: { ...process.env, LONG_TESTS: '1', LOOPS: String(loops), SEED: values.seed },
    },
);
process.exitCode = status ?? 1;
