import type { CheckerProgram, StagedSample } from '../../model/sample.js';
import type { CheckOutput } from '../check-output.js';
import type { RunTest } from '../judge-tests.js';
import type { PlacedFile } from '../sandbox/wire.js';
import { judgeError, type ReadyProgram } from './judge-programs.js';
import { makeInteractiveTests } from './run-interactive.js';
import { multiPassTests } from './run-multi-pass.js';
import { makeBoxedTests } from './run-tests.js';
import { judgeSource, submissionFiles } from './static-validation.js';
import type { PlacedSubmission } from './submission.js';
import type { RunnableSubmission } from './submission-boxes.js';

/** What running the tests of any kind of problem requires. */
export interface TestRunner {
    readonly sample: StagedSample;
    readonly program: RunnableSubmission;
    readonly submission: PlacedSubmission;
    /** Opens a box for a program of the problem that works with this submission alone, with more files beside its own. */
    readonly openProgram: (program: CheckerProgram, more: readonly PlacedFile[]) => Promise<ReadyProgram>;
    readonly check: CheckOutput;
    readonly scratch: string;
}

/**
 * Chooses how the tests of a sample are run, by its kind of problem.
 * @throws CheckerError if an interactive problem has no validator to talk to
 */
export function chooseRun(runner: TestRunner): RunTest {
    const run = chooseProgramRun(runner);
    const { staticValidator } = runner.sample;
    if (staticValidator === undefined) return run;
    const { submission, scratch, program } = runner;
    let ready: ReadyProgram | null = null;
    return async (test, time) => {
        if (test.staticFlags === undefined) return run(test, time);
        if (ready?.box.alive !== true)
            ready = await runner.openProgram(staticValidator, submissionFiles(submission));
        return judgeSource({ ready, language: program.language.tag, submission, scratch }, test);
    };
}

function chooseProgramRun({ sample, program, openProgram, check, scratch }: TestRunner): RunTest {
    const { checker, interactive, interactor, passes, scoring } = sample;
    const talker = interactor ?? (checker.kind === 'program' ? checker : null);
    if (interactive === true && talker === null)
        throw judgeError('an interactive problem needs a validator or an interactor');
    if (talker !== null && (interactive === true || passes !== undefined)) {
        const openValidator = (): Promise<ReadyProgram> => openProgram(talker, []);
        const talking = { ...program, validator: talker, openValidator, scratch };
        if (interactive !== true) return multiPassTests({ ...talking, passes: passes ?? 1 });
        return makeInteractiveTests({
            ...talking,
            checkWritten: async (test, written) => check(checker, test, written),
            passes: passes ?? null,
        });
    }
    const tests = sample.tests.filter(
        ({ files, staticFlags }) => files === undefined && staticFlags === undefined,
    );
    return makeBoxedTests({ ...program, tests, skipsTests: scoring !== undefined });
}
