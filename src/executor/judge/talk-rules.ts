import type { Limits } from '../../model/limits.js';
import type { Comparison } from '../checker/comparison.js';
import type { RanTest } from '../judge-tests.js';
import type { ProgramRun } from '../judged-result.js';
import type { RunReport } from '../sandbox/box.js';
import type { Feedback } from './feedback.js';
import { firstWords, judgeError, readExitCode } from './judge-programs.js';
import type { Language } from './language.js';
import { toProgramRun, UNMEASURED } from './program-run.js';
import { renderTranscript } from './transcript.js';
import { isRejection, isTestlibRejection, isRuling, readVerdict } from './validator.js';

/*
 * The outcome of a conversation between a submission and a validator, wherever the two ran. The rules are those of the problem
 * package format and its tools:
 *
 *   the validator exits with neither 42 nor 43   a judge error, whichever ended first: it did not operate properly
 *   it rejected, and ended first                 its verdict, whatever happened to the submission afterwards
 *   the submission hit a limit or crashed        that
 *   otherwise                                    the validator's verdict
 *
 * A submission that a limit stopped before the validator ended takes precedence over all of these: we cut the conversation short,
 * so the validator's conclusion means nothing.
 *
 * A testlib interactor replaces the validator in problems that have one; it exits as checkers do, and if it accepts, the
 * problem's checker judges the file that it wrote. No format defines what its failure means after the submission has crashed, so
 * the crash decides.
 */

/** What a submission's run is judged by. */
export interface TalkConditions {
    readonly limits: Limits;
    readonly language: Language;
}

/** How both sides ended; the one with the smaller `ended` ended first. */
export interface TalkEnd {
    /** null: it was ended because nothing it did could matter any more. */
    readonly submission: RunReport | null;
    readonly verdict: RunReport;
}

/** Name of the file in an interactor's feedback folder that it writes for the checker. */
export const WRITTEN = 'output';

/**
 * @param said null: another pass follows
 * @throws CheckerError if the validator decides but reports neither right nor wrong
 */
export function judgeTalk(conditions: TalkConditions, end: TalkEnd, said: Feedback | null): RanTest {
    const run = chooseDecidingRun(conditions, end, {
        rejects: isRejection,
        rules: isRuling,
        isExcusedBy: ({ limit }) => limit !== null,
    });
    if (run.verdict !== null || said === null) return { kind: 'ran', run };
    return { kind: 'ran', run, comparison: readVerdict(end.verdict, said) };
}

/**
 * @param checkWritten judges what the interactor wrote
 * @throws CheckerError if the interactor decides but reports neither right nor wrong
 */
export async function judgeInteractorTalk(
    conditions: TalkConditions,
    end: TalkEnd,
    said: Feedback | null,
    checkWritten: (written: Buffer) => Promise<Comparison>,
): Promise<RanTest> {
    const { verdict } = end;
    const run = chooseDecidingRun(conditions, end, {
        rejects: isInteractorRejection,
        rules: (report) => isInteractorAcceptance(report) || isInteractorRejection(report),
        isExcusedBy: () => true,
    });
    if (run.verdict !== null) return { kind: 'ran', run };
    const message = firstWords(verdict.stderr);
    const code = readExitCode(verdict, message, 'the interactor');
    if (isTestlibRejection(code)) return { kind: 'ran', run, comparison: { accepted: false, message } };
    if (code !== 0) {
        throw judgeError(
            `the interactor exited with ${code}, which means neither right nor wrong: ${message}`,
        );
    }
    if (said !== null && said.problem !== null)
        throw judgeError(`what the interactor wrote cannot be read: ${said.problem}`);
    const written = said?.files.find(({ name }) => name === WRITTEN)?.content ?? Buffer.alloc(0);
    return { kind: 'ran', run, comparison: await checkWritten(written) };
}

export const isInteractorAcceptance = ({ exitCode, limit }: RunReport): boolean =>
    limit === null && exitCode === 0;

const isInteractorRejection = ({ exitCode, limit }: RunReport): boolean =>
    limit === null && exitCode !== null && isTestlibRejection(exitCode);

/** How to interpret the end of the judging side. */
interface JudgingSide {
    readonly rejects: (report: RunReport) => boolean;
    /** Whether it reported right or wrong. */
    readonly rules: (report: RunReport) => boolean;
    /** Whether a submission that ended first may be the reason why it reported neither. */
    readonly isExcusedBy: (submission: RunReport) => boolean;
}

/** The submission's run; its verdict is null if the other side decides. */
function chooseDecidingRun(
    { limits, language }: TalkConditions,
    { submission, verdict }: TalkEnd,
    { rejects, rules, isExcusedBy }: JudgingSide,
): ProgramRun {
    const transcript = renderTranscript(verdict, submission);
    const run = submission === null ? UNMEASURED : toProgramRun(submission, limits, language);
    const validatorWasFirst = submission === null || verdict.ended < submission.ended;
    const isRejected = rejects(verdict) && validatorWasFirst;
    const isExcused = !validatorWasFirst && isExcusedBy(submission);
    if (!isRejected && run.verdict !== null && (rules(verdict) || isExcused)) return { ...run, transcript };
    return { ...run, verdict: null, transcript };
}
