import type { CheckerProgram, StagedTest } from '../../model/sample.js';
import type { Comparison } from '../checker/comparison.js';
import type { RanTest, RunTest } from '../judge-tests.js';
import type { ProgramRun } from '../judged-result.js';
import type { Box, RunReport } from '../sandbox/box.js';
import { SandboxError } from '../sandbox/sandbox-error.js';
import { GIVEN_PATHS } from '../sandbox/wire.js';
import { type Feedback, readFeedback } from './feedback.js';
import {
    chooseCheckerLimits,
    buildCommand,
    readExitCode,
    firstWords,
    judgeError,
    type ReadyProgram,
} from './judge-programs.js';
import { type Pass, runPasses, takeNextPass } from './passes.js';
import { toProgramRun, UNMEASURED } from './program-run.js';
import { type RunnableSubmission, SubmissionBoxes } from './submission-boxes.js';
import { renderTranscript } from './transcript.js';
import {
    feedbackFolder,
    isRejection,
    isTestlibRejection,
    readVerdict,
    RIGHT,
    validatorCommand,
    withFeedback,
    WRONG,
} from './validator.js';

/*
 * Interactive problems: the submission and the validator run at once, each in a box of its own, and read what the other
 * prints. The rules are those of the problem package format and its tools:
 *
 *   the validator rejected, and ended first     its verdict, whatever became of the submission afterwards
 *   the submission hit a limit or crashed       that
 *   otherwise                                   the validator's verdict; any exit but 42 and 43 is a judge error
 *
 * An interactor written for testlib takes the validator's place where a problem has one; it exits as checkers do, and if it
 * accepts, the problem's checker judges the file that it wrote.
 *
 * The submission's end is the end of the validator's input, and the other way round, so a deadlock ends both: the
 * submission at its wall limit, the validator then.
 */

export interface TalkingProgram extends RunnableSubmission {
    /** The validator of a problem package, or an interactor written for testlib. */
    readonly validator: CheckerProgram;
    /** Judges what an interactor wrote down. */
    readonly checkWritten: (test: StagedTest, written: Buffer) => Promise<Comparison>;
    readonly openValidator: () => Promise<ReadyProgram>;
    /** Most passes; null: the problem has one pass for each test. */
    readonly passes: number | null;
    readonly scratch: string;
}

/** Seconds that a submission gets to end by itself once the validator has rejected it. */
const LAST_WORDS = 0.5;

/** Runs the tests of an interactive problem one after the other. The run throws what building or running the validator throws. */
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
    const limits = chooseCheckerLimits(validator);
    const judging = validator.box.run({
        argv: isInteractor(program)
            ? interactorCommand(validator)
            : validatorCommand(validator, flags, number),
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
    const rejects = isInteractor(program) ? isInteractorRejection : isRejection;
    const submission = rejects(verdict) ? await readLastReport(running, box) : await running;
    boxes.done(box);
    const ran = isInteractor(program)
        ? await judgeWritten(program, test, { submission, verdict, said })
        : combine(program, submission, verdict, said);
    const isOver = ran.kind === 'ran' && ran.run.verdict !== null;
    return { ran, next: isOver ? null : next };
}

/** Null where it did not end in time, so that its box was closed. */
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

function combine(
    program: Pick<TalkingProgram, 'limits' | 'language'>,
    submission: RunReport | null,
    verdict: RunReport,
    /** null: another pass follows. */
    said: Feedback | null,
): RanTest {
    const run = decidingRun(program, { submission, verdict }, isRejection, isVerdict);
    if (run.verdict !== null || said === null) return { kind: 'ran', run };
    return { kind: 'ran', run, comparison: readVerdict(verdict, said) };
}

/** The run of the submission; its verdict is null where the other side decides. */
function decidingRun(
    { limits, language }: Pick<TalkingProgram, 'limits' | 'language'>,
    { submission, verdict }: { readonly submission: RunReport | null; readonly verdict: RunReport },
    rejects: (report: RunReport) => boolean,
    decides: (report: RunReport) => boolean,
): ProgramRun {
    if (submission !== null && submission.startErrno !== 0) {
        throw new SandboxError(
            submission.startErrno === NO_TALK
                ? 'interactive problems need the helper that is built by a C compiler, and there is none'
                : `the submission could not be started (error ${submission.startErrno})`,
        );
    }
    const transcript = renderTranscript(verdict, submission);
    const run = submission === null ? UNMEASURED : toProgramRun(submission, limits, language);
    const validatorWasFirst = submission === null || verdict.ended < submission.ended;
    const isRejected = rejects(verdict) && validatorWasFirst;
    // The submission's own fault may have confused the validator: that is then no fault of the problem's.
    if (!isRejected && run.verdict !== null && (!validatorWasFirst || decides(verdict)))
        return { ...run, transcript };
    return { ...run, verdict: null, transcript };
}

/** The helper's answer where it cannot connect programs (ENOSYS). */
const NO_TALK = 38;

const isVerdict = (report: RunReport): boolean =>
    report.limit === null && (report.exitCode === RIGHT || report.exitCode === WRONG);

const isInteractor = ({ validator }: Pick<TalkingProgram, 'validator'>): boolean =>
    validator.convention === 'testlib';

/** `interactor input output answer`: what it writes to `output` is what the checker looks at. */
function interactorCommand(ready: ReadyProgram): [string, ...string[]] {
    const [input, answer] = GIVEN_PATHS;
    return withFeedback(buildCommand(ready, [input, `${feedbackFolder(ready)}/${WRITTEN}`, answer]));
}

const WRITTEN = 'output';

const isInteractorRejection = ({ exitCode, limit }: RunReport): boolean =>
    limit === null && exitCode !== null && isTestlibRejection(exitCode);

async function judgeWritten(
    program: TalkingProgram,
    test: StagedTest,
    ended: {
        readonly submission: RunReport | null;
        readonly verdict: RunReport;
        readonly said: Feedback | null;
    },
): Promise<RanTest> {
    const { verdict, said } = ended;
    const run = decidingRun(
        program,
        ended,
        isInteractorRejection,
        (report) => report.exitCode === 0 || isInteractorRejection(report),
    );
    if (run.verdict !== null) return { kind: 'ran', run };
    const message = firstWords(verdict.stderr);
    const code = readExitCode(verdict, message, 'the interactor');
    if (isTestlibRejection(code)) return { kind: 'ran', run, comparison: { accepted: false, message } };
    if (code !== 0)
        throw judgeError(
            `the interactor exited with ${code}, which says neither right nor wrong: ${message}`,
        );
    const written = said?.files.find(({ name }) => name === WRITTEN)?.content ?? Buffer.alloc(0);
    return { kind: 'ran', run, comparison: await program.checkWritten(test, written) };
}
