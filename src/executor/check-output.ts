import type { BuiltInChecker, Checker, StagedTest } from '../model/sample.js';
import { smallFiles } from '../util/small-files.js';
import { compareOutput } from './checker/compare.js';
import type { Comparison } from './checker/comparison.js';
import type { Output } from './cut-text.js';

/**
 * Decides whether a program's output for a test is right. Rejects or throws if the checker itself fails (`CheckerError`,
 * `SandboxError`, `UserError` for flags that it does not know).
 */
export type CheckOutput = (
    checker: Checker,
    test: StagedTest,
    output: Output,
) => Comparison | Promise<Comparison>;

/** Checks with a built-in comparison against the test's expected output. */
export function compareWithAnswer(
    checker: BuiltInChecker,
    test: StagedTest,
    output: Output,
): Comparison | Promise<Comparison> {
    return compareOutput(
        checker,
        output,
        smallFiles.read(test.answer) ?? { path: test.answer },
        test.checkerFlags,
    );
}
