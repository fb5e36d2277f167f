import type { Reporter, TestModule } from 'vitest/node';

/** How many files to list as the slowest. */
const LISTED = Number(process.env['TEST_LIST'] ?? 12);

/**
 * Ends the run with a list of the slowest files and one plain line, `tests: N passed, N failed, N skipped`, for people and CI to
 * read.
 */
export default class CountLine implements Reporter {
    onTestRunEnd(modules: ReadonlyArray<TestModule>): void {
        if (modules.length > 6) process.stdout.write(`\n${listLongest(modules)}\n${listSkipped(modules)}`);
        process.stdout.write(`\n${countLine(modules)}\n`);
    }
}

/** @param hung tests that had to be stopped and have no result */
export function countLine(modules: ReadonlyArray<TestModule>, hung = 0): string {
    const count = { passed: 0, failed: hung, skipped: -hung };
    for (const module of modules) {
        // A file that fails to load contains no tests, but must not look like success.
        if (module.state() === 'failed' && module.children.size === 0) count.failed += 1;
        for (const test of module.children.allTests()) {
            const state = test.result().state;
            count[state === 'pending' ? 'skipped' : state] += 1;
        }
    }
    return `tests: ${count.passed} passed, ${count.failed} failed, ${Math.max(0, count.skipped)} skipped`;
}

function listLongest(modules: ReadonlyArray<TestModule>): string {
    const costs = modules.map((module) => ({
        name: module.relativeModuleId,
        wall: module.diagnostic().duration / 1000,
        cpu: module.meta().cpuSeconds ?? Number.NaN,
    }));
    const lines = costs
        .sort((a, b) => b.wall - a.wall)
        .slice(0, LISTED)
        .map(
            ({ name, wall, cpu }) => `${wall.toFixed(1).padStart(7)} ${cpu.toFixed(1).padStart(7)}  ${name}`,
        );
    return ['longest files: seconds, CPU seconds', ...lines].join('\n');
}

/** Lists every skipped test with its reason; prints nothing if none was skipped. */
function listSkipped(modules: ReadonlyArray<TestModule>): string {
    const lines = modules.flatMap((module) =>
        Array.from(module.children.allTests()).flatMap((test) => {
            const result = test.result();
            if (result.state !== 'skipped') return [];
            const why =
                result.note ?? 'its name or a line above says why, or it is for the long form (.ci/long)';
            return [`  ${module.relativeModuleId} > ${test.fullName}: ${why}`];
        }),
    );
    return lines.length === 0 ? '' : `\n${['skipped tests:', ...lines].join('\n')}\n`;
}
