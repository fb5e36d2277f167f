import { defineConfig } from 'vitest/config';

/** For one run that is interrupted: its only test starts a run of ours that would take hours. */
export default defineConfig({
    test: {
        include: ['test/rig/interrupted/hours.ts'],
        globalSetup: './test/rig/run-folder.ts',
        isolate: false,
        maxWorkers: 1,
        testTimeout: 3_600_000,
    },
});
