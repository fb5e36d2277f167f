import type { CheckerProgram, StagedTest } from '../../model/sample.js';
import type { Comparison } from '../checker/comparison.js';
import type { RunTest } from '../judge-tests.js';
import type { Box, RunReport } from '../sandbox/box.js';
import { SandboxError } from '../sandbox/sandbox-error.js';
import { GIVEN_PATHS } from '../sandbox/wire.js';
import { readFeedback } from './feedback.js';
import { chooseCheckerLimits, buildCommand, type ReadyProgram } from './judge-programs.js';
import { type Pass, runPasses, takeNextPass } from './passes.js';
import { type RunnableSubmission, SubmissionBoxes } from './submission-boxes.js';
import { isInteractorAcceptance, judgeInteractorTalk, judgeTalk, WRITTEN } from './talk-rules.js';
import { feedbackFolder, isAcceptance, validatorCommand, withFeedback } from './validator.js';

/*
 * Interactive problems: the submission and the validator run concurrently, each in a box of its own, and read each other's
 * output. talk-rules.ts defines which of them decides.
 *
 * When one of them ends, the other's input ends, so a deadlock ends both: the submission at its wall limit, then the validator.
 */

export interface TalkingProgram extends RunnableSubmission {
    /** The validator of a problem package, or a testlib interactor. */
    readonly validator: CheckerProgram;
    /** Judges the output that an interactor wrote. */
    readonly checkWritten: (test: StagedTest, written: Buffer) => Promise<Comparison>;
    readonly openValidator: () => Promise<ReadyProgram>;
    /** Most passes; null: the problem has one pass per test. */
    readonly passes: number | null;
    readonly scratch: string;
}

/** Seconds in which a submission may end by itself after the validator has ended without accepting it. */
const LAST_WORDS = 0.5;

/**
 * Runs the tests of an interactive problem one after another. The returned function throws whatever building or running the
 * validator throws.
 */
export function makeInteractiveTests(program: TalkingProgram): RunTest {
    const boxes = new SubmissionBoxes(program);
    let ready: ReadyProgram | null = null;
    return async (test) => {
        if (ready?.box.alive !== true) ready = await program.openValidator();
        const validator = ready;
        const pair = { boxes, validator, test };
        const { passes, scratch } = program;
        if (passes === null) return (await runOnce(program, pair, { input: test.input, number: 1 })).ran;
        try {
            return await runPasses({ input: test.input, passes, scratch }, (input, number) =>
                runOnce(program, pair, { input, number }),
            );
        } catch (error) {
            // Discard its files before the next test.
            await validator.box.close();
            throw error;
        }
    };
}

interface Pair {
    readonly boxes: SubmissionBoxes;
    readonly validator: ReadyProgram;
    readonly test: StagedTest;
}

async function runOnce(
    program: TalkingProgram,
    { boxes, validator, test }: Pair,
    { input, number }: { readonly input: string; readonly number: number },
): Promise<Pass> {
    const { box, argv } = await boxes.open(test);
    const flags = [...program.validator.flags, ...(test.checkerFlags ?? [])];
    const limits = chooseCheckerLimits(validator);
    const judging = validator.box.run({
        argv: isInteractor(program)
            ? interactorCommand(validator)
            : validatorCommand(validator, flags, number),
        stdin: { peer: box.id, until: 'until closed' },
        given: [input, test.answer],
        // The validator waits for the submission, which has a limit of its own.
        limits: { ...limits, wall: limits.wall + program.runLimits.wall },
        keep: true,
    });
    const running = box.run({
        argv,
        stdin: { peer: validator.box.id, until: 'to its end' },
        limits: program.runLimits,
    });
    running.catch(() => {});
    const verdict = await judging;
    const next = program.passes === null ? null : await takeNextPass(validator, verdict);
    const said =
        next === null ? await readFeedback(validator, feedbackFolder(validator), program.scratch) : null;
    const accepts = isInteractor(program) ? isInteractorAcceptance : isAcceptance;
    const submission = accepts(verdict) ? await running : await readLastReport(running, box);
    boxes.done(box);
    checkStart(submission);
    const end = { submission, verdict };
    const ran = isInteractor(program)
        ? await judgeInteractorTalk(program, end, said, (written) => program.checkWritten(test, written))
        : judgeTalk(program, end, said);
    const isOver = ran.kind === 'ran' && ran.run.verdict !== null;
    return { ran, next: isOver ? null : next };
}

/** Null if it did not end in time and its box was closed. */
async function readLastReport(running: Promise<RunReport>, box: Box): Promise<RunReport | null> {
    let timer: NodeJS.Timeout | undefined;
    const patience = new Promise<null>((resolve) => {
        timer = setTimeout(() => resolve(null), 1000 * LAST_WORDS);
    });
    const report = await Promise.race([running, patience]);
    clearTimeout(timer);
    if (report === null) await box.close();
    return report;
}

function checkStart(submission: RunReport | null): void {
    if (submission === null || submission.startErrno === 0) return;
    throw new SandboxError(
        submission.startErrno === NO_TALK
            ? 'interactive problems need the compiled helper, but this machine has no C compiler'
            : `the submission could not be started (error ${submission.startErrno})`,
    );
}

/** The helper's error code if it cannot connect programs (ENOSYS). */
const NO_TALK = 38;

const isInteractor = ({ validator }: Pick<TalkingProgram, 'validator'>): boolean =>
    validator.convention === 'testlib';

/** `interactor input output answer`: the checker examines what it writes to `output`. */
function interactorCommand(ready: ReadyProgram): [string, ...string[]] {
    const [input, answer] = GIVEN_PATHS;
    return withFeedback(buildCommand(ready, [input, `${feedbackFolder(ready)}/${WRITTEN}`, answer]));
}
