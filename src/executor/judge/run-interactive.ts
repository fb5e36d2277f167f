import type { CheckerProgram, StagedTest } from '../../model/sample.js';
import type { RanTest, RunTest } from '../judge-tests.js';
import type { Box, RunReport } from '../sandbox/box.js';
import { SandboxError } from '../sandbox/sandbox-error.js';
import { type Feedback, readFeedback } from './feedback.js';
import { checkerLimitsOf, type ReadyProgram } from './judge-programs.js';
import { type Pass, runPasses, takeNextPass } from './passes.js';
import { programRun, UNMEASURED } from './program-run.js';
import { type RunnableSubmission, SubmissionBoxes } from './submission-boxes.js';
import { renderTranscript } from './transcript.js';
import { feedbackFolder, isRejection, readVerdict, RIGHT, validatorCommand, WRONG } from './validator.js';

/*
 * Interactive problems: the submission and the validator run at once, each in a box of its own, and read what the other
 * prints. The rules are those of the problem package format and its tools:
 *
 *   the validator rejected, and ended first     its verdict, whatever became of the submission afterwards
 *   the submission hit a limit or crashed       that
 *   otherwise                                   the validator's verdict; any exit but 42 and 43 is a judge error
 *
 * The submission's end is the end of the validator's input, and the other way round, so a deadlock ends both: the
 * submission at its wall limit, the validator then.
 */

export interface TalkingProgram extends RunnableSubmission {
    readonly validator: CheckerProgram;
    readonly openValidator: () => Promise<ReadyProgram>;
    /** Most passes; null: the problem has one pass for each test. */
    readonly passes: number | null;
    readonly scratch: string;
}

/** Seconds that a submission gets to end by itself once the validator has rejected it. */
const LAST_WORDS = 0.5;

/** Runs the tests of an interactive problem one after the other. The run throws what building or running the validator throws. */
export function interactiveTests(program: TalkingProgram): RunTest {
    const boxes = new SubmissionBoxes(program);
    let ready: ReadyProgram | null = null;
    return async (test) => {
        if (ready?.box.alive !== true) ready = await program.openValidator();
        const validator = ready;
        const pair = { boxes, validator, test };
        const { passes, scratch } = program;
        if (passes === null) return (await runOnce(program, pair, { input: test.input, number: 1 })).ran;
        try {
            return await runPasses({ validator, input: test.input, passes, scratch }, (input, number) =>
                runOnce(program, pair, { input, number }),
            );
        } catch (error) {
            // Whatever it left must not be there for the next test.
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
    const limits = checkerLimitsOf(validator);
    const judging = validator.box.run({
        argv: validatorCommand(validator, flags, number),
        stdin: { peer: box.id, until: 'until closed' },
        given: [input, test.answer],
        // It waits for the submission, which has a limit of its own.
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
        next === null ? await readFeedback(validator.box, feedbackFolder(validator), program.scratch) : null;
    const submission = isRejection(verdict) ? await lastWordsOf(running, box) : await running;
    boxes.done(box);
    const ran = combine(program, submission, verdict, said);
    const isOver = ran.kind === 'ran' && ran.run.verdict !== null;
    return { ran, next: isOver ? null : next };
}

/** Null where it did not end in time, so that its box was closed. */
async function lastWordsOf(running: Promise<RunReport>, box: Box): Promise<RunReport | null> {
    let timer: NodeJS.Timeout | undefined;
    const patience = new Promise<null>((resolve) => {
        timer = setTimeout(() => resolve(null), 1000 * LAST_WORDS);
    });
    const report = await Promise.race([running, patience]);
    clearTimeout(timer);
    if (report === null) await box.close();
    return report;
}

function combine(
    { limits, language }: Pick<TalkingProgram, 'limits' | 'language'>,
    submission: RunReport | null,
    verdict: RunReport,
    /** null: another pass follows. */
    said: Feedback | null,
): RanTest {
    if (submission !== null && submission.startErrno !== 0) {
        throw new SandboxError(
            submission.startErrno === NO_TALK
                ? 'interactive problems need the helper that is built by a C compiler, and there is none'
                : `the submission could not be started (error ${submission.startErrno})`,
        );
    }
    const transcript = renderTranscript(verdict, submission);
    const run = submission === null ? UNMEASURED : programRun(submission, limits, language);
    const validatorWasFirst = submission === null || verdict.ended < submission.ended;
    const ended = { ...run, verdict: null, transcript };
    const decide = (): RanTest =>
        said === null
            ? { kind: 'ran', run: ended }
            : { kind: 'ran', run: ended, comparison: readVerdict(verdict, said) };
    if (isRejection(verdict) && validatorWasFirst) return decide();
    // The submission's own fault may have confused the validator: that is then no fault of the problem's.
    if (run.verdict !== null && (!validatorWasFirst || isVerdict(verdict)))
        return { kind: 'ran', run: { ...run, transcript } };
    return decide();
}

/** The helper's answer where it cannot connect programs (ENOSYS). */
const NO_TALK = 38;

const isVerdict = (report: RunReport): boolean =>
    report.limit === null && (report.exitCode === RIGHT || report.exitCode === WRONG);
