import { defineConfig } from 'vitest/config';

/** For a run that is to be interrupted: its only test starts one of our runs that would take hours. */
export default defineConfig({
    test: {
        include: ['test/rig/interrupted/hours.ts'],
        globalSetup: './test/rig/run-folder.ts',
        isolate: false,
        maxWorkers: 1,
        testTimeout: 3_600_000,
    },
});
