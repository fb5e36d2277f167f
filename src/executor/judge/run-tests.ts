import type { Limits } from '../../model/limits.js';
import type { StagedTest } from '../../model/sample.js';
import type { RunTest } from '../judge-tests.js';
import type { Box, RunReport } from '../sandbox/box.js';
import { SandboxError } from '../sandbox/sandbox-error.js';
import { type RunLimits, SPILL_FILES } from '../sandbox/wire.js';
import type { Language } from './languages.js';
import { programRun } from './program-run.js';

/** A compiled submission in its box, and the tests that it runs. */
export interface BoxedProgram {
    readonly box: Box;
    readonly argv: readonly [string, ...string[]];
    readonly language: Language;
    readonly limits: Limits;
    readonly runLimits: RunLimits;
    /** The tests that are run, in this order. */
    readonly tests: readonly StagedTest[];
    /** Whether some may be left out: none is then started ahead while tests take long. */
    readonly skipsTests: boolean;
}

/**
 * Tests that the box is asked for ahead of the one whose output is compared next: enough that it is never idle. While
 * tests are passed in a moment there are more, so that one message brings the reports of several; what has run for
 * nothing when a test is not passed is then a few moments' worth.
 */
const LEAST_AHEAD = 2;
/** Seconds of wall time. */
const A_MOMENT = 0.02;
/** Bytes: so many messages at once never fill the socket of a box. */
const MOST_ARGUMENT_BYTES = 4096;

/**
 * Runs tests in a box on this machine. The next ones are already running while a test's output is compared, so that the box
 * is never idle; what they do is thrown away if nobody asks for it. The run throws `SandboxError` when the box breaks.
 */
export function testsInBox(program: BoxedProgram): RunTest {
    const { tests, argv } = program;
    const positions = new Map(tests.map((test, position) => [test, position]));
    const started = new Map<number, Promise<RunReport>>();
    // Before a test is compared its large output lies in a file, which the SPILL_FILESth run after it overwrites.
    const most = Buffer.byteLength(argv.join(' ')) > MOST_ARGUMENT_BYTES ? LEAST_AHEAD : SPILL_FILES;
    const least = program.skipsTests ? 1 : LEAST_AHEAD;
    let ahead = least;
    return async (wanted) => {
        const position = positions.get(wanted) ?? 0;
        for (const early of started.keys()) if (early < position) started.delete(early);
        const end = Math.min(position + ahead, tests.length);
        for (let next = position; next < end; next += 1)
            if (!started.has(next)) started.set(next, start(program, tests[next] as StagedTest));
        const report = await (started.get(position) as Promise<RunReport>);
        started.delete(position);
        ahead = report.wall <= A_MOMENT ? Math.min(2 * ahead, most) : least;
        if (report.startErrno !== 0) {
            throw new SandboxError(`${argv[0]} could not be started (error ${report.startErrno})`);
        }
        return { kind: 'ran', run: programRun(report, program.limits, program.language) };
    };
}

function start({ box, argv, runLimits }: BoxedProgram, test: StagedTest): Promise<RunReport> {
    const report = box.run({ argv, stdin: { path: test.input }, limits: runLimits });
    // It may be thrown away before anybody waits for it.
    report.catch(() => {});
    return report;
}
