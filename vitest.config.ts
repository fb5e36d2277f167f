import { configDefaults, defineConfig } from 'vitest/config';
import { LongestFirst } from './test/rig/longest-first.js';
import { SHARED_FILES, SLOW_FILES } from './test/rig/parts.js';
import { measureSlowness } from './test/rig/slowness.js';

const slowness = measureSlowness();

// `vitest run --mode quick` and `--mode slow` run a part of the tests; anything else runs all.
export default defineConfig(({ mode }) => ({
    test: {
        // What was built is loaded as users load it.
        server: { deps: { external: [/\/dist\//] } },
        globalSetup: './test/rig/run-folder.ts',
        include: mode === 'slow' ? [...SLOW_FILES, ...SHARED_FILES] : ['test/**/*.test.ts'],
        exclude: mode === 'quick' ? [...configDefaults.exclude, ...SLOW_FILES] : configDefaults.exclude,
        setupFiles: './test/rig/each-file.ts',
        // Against hangs only: a loaded machine is given the time that it needs.
        testTimeout: 20_000 * slowness,
        hookTimeout: 20_000 * slowness,
        env: {
            TEST_SLOWNESS: String(slowness),
            ...(mode === 'quick' || mode === 'slow' ? { TEST_PART: mode } : {}),
        },
        // Many tests run real programs against real clocks. On CI's shared cores one that lost a race gets another go;
        // vitest names it (`retry x1`), so that it is seen. What hung is not tried again: that would only take longer.
        // Here nothing is tried twice.
        retry: process.env['CI'] === 'true' ? { count: 2, condition: /^(?!.* timed out in \d+ms)/s } : 0,
        // The files of a worker share what they load; a process of its own for each costs half a second of CPU.
        isolate: false,
        sequence: { sequencer: LongestFirst },
        // For two cores: a third of the time is waiting for limits, servers and processes.
        maxWorkers: 3,
        reporters: ['default', './test/rig/watchdog.ts', './test/rig/count-line.ts'],
    },
}));
