import type { CheckerProgram, StagedTest } from '../../model/sample.js';
import type { RunTest } from '../judge-tests.js';
import type { ProgramRun } from '../judged-result.js';
import { SandboxError } from '../sandbox/sandbox-error.js';
import { readFeedback } from './feedback.js';
import { chooseCheckerLimits, type ReadyProgram } from './judge-programs.js';
import { type Pass, runPasses, takeNextPass } from './passes.js';
import { toProgramRun } from './program-run.js';
import { type RunnableSubmission, SubmissionBoxes } from './submission-boxes.js';
import { feedbackFolder, readVerdict, validatorCommand } from './validator.js';

export interface PassingProgram extends RunnableSubmission {
    readonly validator: CheckerProgram;
    readonly openValidator: () => Promise<ReadyProgram>;
    /** Most passes. */
    readonly passes: number;
    readonly scratch: string;
}

/**
 * Runs the tests of a multi-pass problem that is not interactive: the program, the validator, and both again while the validator
 * asks for it. The returned function throws whatever building or running the validator throws.
 */
export function multiPassTests(program: PassingProgram): RunTest {
    const boxes = new SubmissionBoxes(program);
    let ready: ReadyProgram | null = null;
    return async (test) => {
        if (ready?.box.alive !== true) ready = await program.openValidator();
        const validator = ready;
        const { passes, scratch } = program;
        try {
            return await runPasses({ input: test.input, passes, scratch }, (input, number) =>
                runPass(program, boxes, { validator, test, input, number }),
            );
        } catch (error) {
            // Discard its files before the next test.
            await validator.box.close();
            throw error;
        }
    };
}

interface OnePass {
    readonly validator: ReadyProgram;
    readonly test: StagedTest;
    readonly input: string;
    readonly number: number;
}

async function runPass(program: PassingProgram, boxes: SubmissionBoxes, pass: OnePass): Promise<Pass> {
    const { box, argv } = await boxes.open(pass.test);
    try {
        const report = await box.run({ argv, stdin: { path: pass.input }, limits: program.runLimits });
        if (report.startErrno !== 0)
            throw new SandboxError(`${argv[0]} could not be started (error ${report.startErrno})`);
        const run = toProgramRun(report, program.limits, program.language);
        return run.verdict === null
            ? await validate(program, pass, run)
            : { ran: { kind: 'ran', run }, next: null };
    } finally {
        boxes.done(box);
    }
}

async function validate(program: PassingProgram, pass: OnePass, run: ProgramRun): Promise<Pass> {
    const { validator, test, input, number } = pass;
    const flags = [...program.validator.flags, ...(test.checkerFlags ?? [])];
    const { stdout } = run;
    const report = await validator.box.run({
        argv: validatorCommand(validator, flags, number),
        stdin: Buffer.isBuffer(stdout) ? { data: stdout } : { path: stdout.path },
        given: [input, test.answer],
        limits: chooseCheckerLimits(validator),
        keep: true,
    });
    const next = await takeNextPass(validator, report);
    if (next !== null) return { ran: { kind: 'ran', run }, next };
    const said = await readFeedback(validator, feedbackFolder(validator), program.scratch);
    return { ran: { kind: 'ran', run, comparison: readVerdict(report, said) }, next: null };
}
