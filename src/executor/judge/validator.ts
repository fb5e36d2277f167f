import { ACCEPTED, type Comparison } from '../checker/comparison.js';
import type { RunReport } from '../sandbox/box.js';
import { GIVEN_PATHS } from '../sandbox/wire.js';
import type { Feedback } from './feedback.js';
import { buildCommand, readExitCode, firstWords, judgeError, type ReadyProgram } from './judge-programs.js';

/*
 * How validators of problem packages are called, and what their exit codes mean. They get the test's input and answer as given
 * files, and a folder for feedback: `validator in ans feedbackdir/ flags`.
 */

/** Exit codes of validators. */
export const RIGHT = 42;
export const WRONG = 43;

/** Path of a validator's feedback folder inside its box. */
export const feedbackFolder = ({ box }: ReadyProgram): string => `${box.work}/feedback`;

/**
 * The command that starts a validator.
 * @param pass 1: with an empty feedback folder; later passes keep the files of the pass before
 */
export function validatorCommand(
    ready: ReadyProgram,
    flags: readonly string[],
    pass: number,
): [string, ...string[]] {
    const [input, answer] = GIVEN_PATHS;
    return withFeedback(buildCommand(ready, [input, answer, `${feedbackFolder(ready)}/`, ...flags]), pass);
}

/** The command, run after its feedback folder has been prepared. */
export function withFeedback(command: readonly string[], pass = 1): [string, ...string[]] {
    const prepare = pass === 1 ? 'rm -rf feedback && mkdir feedback' : 'test -d feedback';
    return ['/bin/sh', '-c', `${prepare} && exec "$0" "$@"`, ...command];
}

/** Whether a validator reported right or wrong. */
export const isRuling = ({ limit, exitCode }: RunReport): boolean =>
    limit === null && (exitCode === RIGHT || exitCode === WRONG);

export const isAcceptance = (report: RunReport): boolean =>
    report.exitCode === RIGHT && report.limit === null;

export const isRejection = (report: RunReport): boolean => report.exitCode === WRONG && report.limit === null;

/**
 * Whether this exit code of a testlib checker or interactor means "wrong"; 0 means right, and any other code is a failure of its
 * own.
 */
export const isTestlibRejection = (code: number): boolean =>
    code === 1 || code === 2 || code === 4 || code === 8 || code >= 16;

/** @throws CheckerError if the validator reports neither right nor wrong */
export function readVerdict(report: RunReport, said: Feedback, what = 'the validator'): Comparison {
    const message = said.message || firstWords(report.stderr);
    const code = readExitCode(report, message, what);
    const score = said.score === null ? {} : { score: said.score };
    if (code === RIGHT) return { ...ACCEPTED, ...score };
    if (code === WRONG) return { accepted: false, message, ...score };
    // What a validator prints is not looked at while it keeps to the rules; here it may be the only reason given.
    const why = message || (Buffer.isBuffer(report.stdout) ? firstWords(report.stdout) : '');
    const reason = why === '' ? '' : `: ${why}`;
    throw judgeError(`${what} exited with ${code}, expected ${RIGHT} or ${WRONG}${reason}`);
}
