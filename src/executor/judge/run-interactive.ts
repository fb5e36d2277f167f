import type { Limits } from '../../model/limits.js';
import type { CheckerProgram, StagedTest } from '../../model/sample.js';
import { ACCEPTED, type Comparison } from '../checker/comparison.js';
import type { RanTest, RunTest } from '../judge-tests.js';
import type { ProgramRun } from '../judged-result.js';
import type { Box, RunReport } from '../sandbox/box.js';
import { SandboxError } from '../sandbox/sandbox-error.js';
import { GIVEN_PATHS, type RunLimits } from '../sandbox/wire.js';
import { type Feedback, readFeedback } from './feedback.js';
import {
    checkerLimitsOf,
    commandOf,
    exitCodeOf,
    firstWords,
    judgeError,
    type ReadyProgram,
} from './judge-programs.js';
import type { Language } from './languages.js';
import { programRun } from './program-run.js';
import { renderTranscript } from './transcript.js';

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

export interface TalkingProgram {
    /** The submission's box, and how to open another where it had to be closed. */
    readonly box: Box;
    readonly openBox: () => Promise<Box>;
    readonly argv: (box: Box) => readonly [string, ...string[]];
    readonly language: Language;
    readonly limits: Limits;
    readonly runLimits: RunLimits;
    readonly validator: CheckerProgram;
    readonly openValidator: () => Promise<ReadyProgram>;
    readonly scratch: string;
}

/** Seconds that a submission gets to end by itself once the validator has rejected it. */
const LAST_WORDS = 0.5;

/** Runs the tests of an interactive problem one after the other. The run throws what building or running the validator throws. */
export function interactiveTests(program: TalkingProgram): RunTest {
    let { box } = program;
    let validator: ReadyProgram | null = null;
    return async (test) => {
        if (!box.alive) box = await program.openBox();
        if (validator?.box.alive !== true) validator = await program.openValidator();
        return runTest(program, { box, validator, test });
    };
}

interface Pair {
    readonly box: Box;
    readonly validator: ReadyProgram;
    readonly test: StagedTest;
}

async function runTest(program: TalkingProgram, { box, validator, test }: Pair): Promise<RanTest> {
    const feedback = `${validator.box.work}/feedback`;
    const flags = [...program.validator.flags, ...(test.checkerFlags ?? [])];
    const [input, answer] = GIVEN_PATHS;
    const limits = checkerLimitsOf(validator);
    const judging = validator.box.run({
        argv: [
            '/bin/sh',
            '-c',
            'mkdir feedback && exec "$0" "$@"',
            ...commandOf(validator, [input, answer, `${feedback}/`, ...flags]),
        ],
        stdin: { peer: box.id, until: 'until closed' },
        given: [test.input, test.answer],
        // It waits for the submission, which has a limit of its own.
        limits: { ...limits, wall: limits.wall + program.runLimits.wall },
        keep: true,
    });
    const running = box.run({
        argv: program.argv(box),
        stdin: { peer: validator.box.id, until: 'to its end' },
        limits: program.runLimits,
    });
    running.catch(() => {});
    const verdict = await judging;
    const said = await readFeedback(validator.box, feedback, program.scratch);
    const submission = rejected(verdict) ? await lastWordsOf(running, box) : await running;
    return combine(program, submission, verdict, said);
}

const rejected = (report: RunReport): boolean => report.exitCode === 43 && report.limit === null;

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
    said: Feedback,
): RanTest {
    if (submission !== null && submission.startErrno !== 0) {
        throw new SandboxError(
            submission.startErrno === NO_TALK
                ? 'interactive problems need the helper that is built by a C compiler, and there is none'
                : `the submission could not be started (error ${submission.startErrno})`,
        );
    }
    const transcript = renderTranscript(verdict, submission);
    const run = submission === null ? KILLED : programRun(submission, limits, language);
    const validatorWasFirst = submission === null || verdict.ended < submission.ended;
    if (rejected(verdict) && validatorWasFirst) {
        return {
            kind: 'ran',
            run: { ...run, verdict: null, transcript },
            comparison: comparisonOf(verdict, said),
        };
    }
    // The submission's own fault may have confused the validator: that is then no fault of the problem's.
    if (run.verdict !== null && (!validatorWasFirst || isVerdict(verdict)))
        return { kind: 'ran', run: { ...run, transcript } };
    return {
        kind: 'ran',
        run: { ...run, verdict: null, transcript },
        comparison: comparisonOf(verdict, said),
    };
}

/** The helper's answer where it cannot connect programs (ENOSYS). */
const NO_TALK = 38;

const isVerdict = (report: RunReport): boolean =>
    report.limit === null && (report.exitCode === 42 || report.exitCode === 43);

/** @throws CheckerError where the validator says neither right nor wrong */
function comparisonOf(report: RunReport, said: Feedback): Comparison {
    const message = said.message || firstWords(report.stderr);
    const code = exitCodeOf(report, message, 'the validator');
    if (code === 42) return said.score === null ? ACCEPTED : { ...ACCEPTED, score: said.score };
    if (code === 43) return { accepted: false, message };
    throw judgeError(`the validator exited with ${code}, expected 42 or 43: ${message}`);
}

/** A submission that was ended because nothing that it did could matter any more: nobody measured it. */
const KILLED: ProgramRun = {
    verdict: null,
    doubt: 'certain',
    nearLimit: false,
    cpuTime: null,
    wallTime: null,
    memory: null,
    returnCode: null,
    signal: null,
    stdout: Buffer.alloc(0),
    stderr: '',
};
