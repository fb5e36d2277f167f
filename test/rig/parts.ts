/*
 * The two parts of the tests. `npm test` runs the quick part, for anyone changing something: under five minutes on two cores.
 * `npm run test:slow` runs the other part, and `.ci/run` both. The slow part has suites that repeat what the quick part samples:
 * in other sandboxes, on other servers, under more faults, or as a user types it. `npx vitest run <file>` runs a whole file.
 */

export type Part = 'quick' | 'slow';

/** Files that are only in the slow part. */
export const SLOW_FILES: readonly string[] = [
    // Every command in the docs, as a user types it.
    'test/docs/how-to.test.ts',
    'test/docs/cluster.test.ts',
    // A real browser.
    'test/page/page.test.ts',
    'test/page/view.test.ts',
    // Faults at system calls, full disks, storms and kills, beyond those for the run loop, workers and signals.
    'test/crash/chat-storm.test.ts',
    'test/crash/kill-at-every-call.test.ts',
    'test/crash/problem-kinds.test.ts',
    'test/crash/queue.test.ts',
    'test/crash/queue-locks.test.ts',
    'test/crash/queue-namespaces.test.ts',
    'test/crash/raised-limits.test.ts',
    'test/crash/results-database.test.ts',
    'test/crash/slow-files.test.ts',
    'test/crash/small-limits.test.ts',
    'test/crash/torn-files.test.ts',
    'test/crash/two-starters.test.ts',
    'test/backend/queue-ahead.test.ts',
    'test/backend/queue-batches.test.ts',
    'test/backend/queue-links.test.ts',
    'test/results/collect-signals.test.ts',
    'test/results/crash.test.ts',
    'test/results/storage-of-children.test.ts',
    // Lines of many megabytes.
    'test/commands/long-lines.test.ts',
    // The same programs on every kind of server; the quick part tests the servers' protocols.
    'test/conformance/agreement.test.ts',
    'test/conformance/sandbox-server.test.ts',
    'test/executor/servers/calibration.test.ts',
    'test/executor/servers/faults.test.ts',
    'test/executor/servers/fusion-faults.test.ts',
    'test/executor/servers/go-judge-talk.test.ts',
    'test/executor/servers/piston.test.ts',
    'test/executor/servers/run.test.ts',
    // Variants of what the quick part judges, and unusual environments.
    'test/backend/process-turns.test.ts',
    'test/cli/human-eval.test.ts',
    'test/cli/odd-files.test.ts',
    'test/cli/odd-surroundings.test.ts',
    'test/cli/package-trees.test.ts',
    'test/dataset/kattis/generators.test.ts',
    'test/dataset/kattis/sample-tests.test.ts',
    'test/executor/judge/calls.test.ts',
    'test/executor/judge/doctor.test.ts',
    'test/executor/judge/languages.test.ts',
    'test/executor/judge/make-tests.test.ts',
    'test/executor/judge/talk-pairs.test.ts',
    'test/executor/judge/windows-programs.test.ts',
    // Whole commands that inherently take ten seconds.
    'test/cli/comparison.test.ts',
    'test/cli/computed-limits.test.ts',
    'test/cli/minute-limits.test.ts',
    'test/cli/queue-demo.test.ts',
    'test/cli/queue-access.test.ts',
    'test/cli/queue-restart.test.ts',
    'test/cli/topics.test.ts',
    'test/cli/upgrade.test.ts',
    'test/commands/analyze-many.test.ts',
    'test/commands/bench.test.ts',
    'test/compose/self-test.test.ts',
    'test/executor/judge/compile-ends.test.ts',
    'test/executor/judge/missing-import.test.ts',
    'test/executor/new-executor.test.ts',
    'test/rig/interrupted.test.ts',
    'test/sandbox/busy-machine.test.ts',
    'test/sandbox/cgroup.test.ts',
    'test/trace/trace.test.ts',
];

/** Files in both parts, with different tests in each: the quick part covers one sandbox, or one mode. */
export const SHARED_FILES: readonly string[] = [
    'test/conformance/chat-modes.test.ts',
    'test/dataset/kattis/test-script.test.ts',
    'test/executor/judge/verdicts.test.ts',
    'test/sandbox/hostile.test.ts',
];

/** The part being run; undefined if all tests run. */
const running = process.env['TEST_PART'];

/** Whether this part's tests of a shared file should run. */
export const isRun = (part: Part): boolean => running === undefined || running === part;
