import type { CapturedRun } from '../../model/entry.js';
import type { Checker, StagedTest } from '../../model/sample.js';
import type { CheckOutput } from '../check-output.js';
import { type ControlledPlace, describeLoss, type ControlRuns, MIN_LOSS_BYTES } from './control-runs.js';
import type { ServerRun } from './server-run.js';
import { asText, readWhole } from './load.js';
import { findCompilerTrouble, runTrouble } from './machine-trouble.js';
import type { Step } from './session.js';
import { doesVisiblePartAgree } from './visible-part.js';

/** A run that did not simply succeed, with everything needed to tell whether the program is to blame. */
export interface ExaminedRun {
    readonly place: ControlledPlace;
    readonly controls: ControlRuns;
    /** Language tag, and the other conditions under which a compiler has to be vouched for. */
    readonly tag: string;
    readonly conditions: string;
    readonly sources: () => Promise<readonly string[]>;
    readonly test: StagedTest;
    readonly checker: Checker;
    /** null: the server compared the output and did not accept it. */
    readonly check: CheckOutput | null;
}

/** The result of examining a run: it is the program's own, apart from these doubts. */
export interface Examination {
    readonly isDoubtful: boolean;
    readonly lossy: boolean;
}

const CLEAN: Examination = { isDoubtful: false, lossy: false };

/**
 * Tells a failure of the program from one of the endpoint: `failed` if the endpoint is to blame, so that the run is retried
 * elsewhere.
 * @throws whatever `check` throws
 */
export async function examineRun(seen: ServerRun, about: ExaminedRun): Promise<Step<Examination>> {
    const { run, compile } = seen;
    if (run === null) return compile === null ? done(CLEAN) : examineCompileError(compile, about);
    if (run.status === 'Finished' && run.return_code !== 0) return examineCrash(run, about);
    return examineOutput(run, about);
}

async function examineCompileError(compile: CapturedRun, about: ExaminedRun): Promise<Step<Examination>> {
    const { place, controls, tag, conditions } = about;
    const failed = (why: string): Step<never> => {
        const failure = { reason: 'compiler', message: `${place.endpoint}: ${why}` } as const;
        return { kind: 'failed', failure, retry: true };
    };
    // These servers measure only wall time, and how long a compiler takes depends on the machine.
    if (compile.status === 'TimeLimitExceeded')
        return failed(`the compiler did not finish within ${compile.execution_time} s`);
    const trouble = findCompilerTrouble(compile);
    const broken = await controls.cannotCompile(place, tag, conditions, trouble !== null);
    if (broken !== null) return failed(trouble === null ? broken : `${trouble}; ${broken}`);
    return (await refuseMissing(compile, about)) ?? done({ ...CLEAN, isDoubtful: trouble !== null });
}

async function examineCrash(run: CapturedRun, about: ExaminedRun): Promise<Step<Examination>> {
    const { place, controls, tag } = about;
    const trouble = runTrouble(run);
    if (trouble !== null) {
        const well = await controls.passesControl(place, tag, trouble);
        return well.kind === 'done' ? done({ ...CLEAN, isDoubtful: true }) : well;
    }
    return (await refuseMissing(run, about)) ?? done(CLEAN);
}

/** Refuses a verdict on a program that needs something the endpoint lacks; null if it does not. */
function refuseMissing(seen: CapturedRun, about: ExaminedRun): Promise<Step<never> | null> {
    const { place, controls, tag, sources } = about;
    return controls.lacking.refuse({
        endpoint: place.endpoint,
        tag,
        said: seen.stderr,
        sources,
        runProbe: async (code) => {
            const step = await place.control({ code });
            if (step.kind !== 'done') return step;
            const { run, compile } = step.value;
            const complaint = run === null && compile?.status === 'Finished' ? compile.stderr : null;
            return { kind: 'done', value: { complaint, exitCode: run?.return_code ?? null } };
        },
    });
}

/** Checks whether all of an output arrived, for a program that ended normally or was stopped at its time limit. */
async function examineOutput(run: CapturedRun, about: ExaminedRun): Promise<Step<Examination>> {
    const output = Buffer.from(run.stdout);
    const undecodable = readDecodeError(run.stdout);
    if (undecodable === null && output.length < MIN_LOSS_BYTES) return done(CLEAN);
    const { place, controls, test, checker } = about;
    const asked = await controls.outputLoss(place);
    if (asked.kind !== 'done') return asked;
    const loss = asked.value;
    if (loss === null) return done(CLEAN);
    const lost = (): Step<never> => {
        const message = describeLoss(place.endpoint, loss);
        const failure = { reason: 'endpoint', message, endpoint: place.endpoint } as const;
        return { kind: 'failed', failure, retry: true, alike: controls.lossy };
    };
    if (undecodable !== null) {
        const isCut = undecodable.isCut && undecodable.position >= loss.from;
        return isCut || !(await mustDiffer(checker, test)) ? lost() : done(CLEAN);
    }
    if (output.length < loss.from) return done(CLEAN);
    if (run.status === 'Finished' && about.check !== null) {
        const { accepted } = await about.check(checker, test, output);
        if (accepted) return done(CLEAN);
    }
    return (await doesVisiblePartAgree(checker, test, output)) ? lost() : done({ ...CLEAN, lossy: true });
}

/** Whether an output that is not UTF-8 must be wrong, because the expected output is UTF-8 and the texts are compared. */
async function mustDiffer(checker: Checker, test: StagedTest): Promise<boolean> {
    return checker.kind !== 'program' && asText(await readWhole(test.answer)) !== null;
}

/**
 * The message of Python's decoder, which the server sends in place of an output that it cannot decode. `isCut`: the last
 * character was incomplete; the position is then the number of bytes before it.
 */
function readDecodeError(stdout: string): { readonly position: number; readonly isCut: boolean } | null {
    const found = DECODE_ERROR.exec(stdout);
    if (found === null) return null;
    return { position: Number(found[1]), isCut: found[2] === 'unexpected end of data' };
}

const DECODE_ERROR =
    /^\[DecodeError\] 'utf-8' codec can't decode bytes? (?:0x[0-9a-f]{2} )?in position (\d+)(?:-\d+)?: ([a-z ]+)$/;

const done = (value: Examination): Step<Examination> => ({ kind: 'done', value });
