import type { StagedTest } from '../../model/sample.js';
import type { RanTest, RunTest } from '../judge-tests.js';
import type { RunReport } from '../sandbox/box.js';
import { SandboxError } from '../sandbox/sandbox-error.js';
import { SPILL_FILES } from '../sandbox/wire.js';
import { toProgramRun } from './program-run.js';
import { type RunnableSubmission, SubmissionBoxes } from './submission-boxes.js';

/** A compiled submission in its box, and the tests that it runs. */
export interface BoxedProgram extends RunnableSubmission {
    /** The tests run in that box, in this order: those that give programs no files. */
    readonly tests: readonly StagedTest[];
    /** Whether some tests may be skipped: none is then started ahead while tests take long. */
    readonly skipsTests: boolean;
}

/**
 * Number of tests requested from the box ahead of the one whose output is compared next, so that the box is never idle. While
 * tests pass quickly, the number grows, so that one message returns several reports; the work wasted when a test fails is then a
 * few moments' worth.
 */
const MIN_AHEAD = 2;
/** Seconds of wall time. */
const SHORT_RUN_S = 0.02;
/** In bytes: this many requests at once never fill the socket of a box. */
const MAX_ARGUMENT_BYTES = 4096;

/**
 * Runs tests in a box on this machine. The following tests already run while a test's output is compared, so that the box is
 * never idle; their results are discarded if not needed. The returned function throws `SandboxError` if the box fails.
 */
export function makeBoxedTests(program: BoxedProgram): RunTest {
    const { tests, box } = program;
    const boxes = new SubmissionBoxes(program);
    const positions = new Map(tests.map((test, position) => [test, position]));
    const started = new Map<number, Promise<RunReport>>();
    // Until a test is compared, its large output stays in a file that the SPILL_FILESth run after it overwrites.
    const most = hasLongArguments(program) ? MIN_AHEAD : SPILL_FILES;
    const least = program.skipsTests ? 1 : MIN_AHEAD;
    let ahead = least;
    return async (wanted) => {
        if (wanted.files !== undefined) return runAlone(program, boxes, wanted);
        const position = positions.get(wanted) ?? 0;
        for (const early of started.keys()) if (early < position) started.delete(early);
        const end = Math.min(position + ahead, tests.length);
        for (let next = position; next < end; next += 1)
            if (!started.has(next)) started.set(next, start(program, tests[next] as StagedTest));
        const report = await (started.get(position) as Promise<RunReport>);
        started.delete(position);
        ahead = report.wall <= SHORT_RUN_S ? Math.min(2 * ahead, most) : least;
        return ranTest(program, program.argv(box, wanted), report);
    };
}

/** Runs a test in a box of its own. */
async function runAlone(program: BoxedProgram, boxes: SubmissionBoxes, test: StagedTest): Promise<RanTest> {
    const { box, argv } = await boxes.open(test);
    try {
        const report = await box.run({ argv, stdin: { path: test.input }, limits: program.runLimits });
        return ranTest(program, argv, report);
    } finally {
        boxes.done(box);
    }
}

function ranTest({ limits, language }: BoxedProgram, argv: readonly string[], report: RunReport): RanTest {
    if (report.startErrno !== 0)
        throw new SandboxError(`${argv[0]} could not be started (error ${report.startErrno})`);
    return { kind: 'ran', run: toProgramRun(report, limits, language) };
}

const hasLongArguments = ({ tests, box, argv }: BoxedProgram): boolean =>
    tests.some((test) => Buffer.byteLength(argv(box, test).join(' ')) > MAX_ARGUMENT_BYTES);

function start({ box, argv, runLimits }: BoxedProgram, test: StagedTest): Promise<RunReport> {
    const report = box.run({ argv: argv(box, test), stdin: { path: test.input }, limits: runLimits });
    // It may be discarded before anything awaits it.
    report.catch(() => {});
    return report;
}
