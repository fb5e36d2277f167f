import type { CapturedRun, RunResult } from '../../model/entry.js';
import type { Limits } from '../../model/limits.js';
import { toCapturedRun, type ProgramRun, runResult } from '../judged-result.js';
import type { RunReport } from '../sandbox/box.js';
import { nameSignal } from '../signal-name.js';
import type { Language } from './language.js';
import { judgeRun } from './verdict-policy.js';

/** A run in our sandbox, evaluated against its limits. */
export function toProgramRun(report: RunReport, limits: Limits, language: Language): ProgramRun {
    const { verdict, suspect, nearLimit } = judgeRun(report, limits, language);
    return measuredRun(report, { verdict, doubt: suspect ?? 'certain', nearLimit });
}

/** A compiler's run in the format of result files. @param limit most bytes of each stream */
export function toCompilerResult(report: RunReport, limit: number): CapturedRun {
    return toCapturedRun(commandRun(report), limit);
}

/** A command's run in the format of result files, without its output. */
export function toCommandResult(report: RunReport): RunResult {
    return runResult(commandRun(report), null);
}

/** A command that is not a submission: any exit code but 0 is an error. */
function commandRun(report: RunReport): ProgramRun {
    const verdict = report.exitCode === 0 ? null : 'RuntimeError';
    return measuredRun(report, { verdict, doubt: 'certain', nearLimit: false });
}

/** The measurements of a run in our sandbox, and the doubt that they raise. */
function measuredRun(
    report: RunReport,
    judged: Pick<ProgramRun, 'verdict' | 'doubt' | 'nearLimit'>,
): ProgramRun {
    return {
        ...judged,
        cpuTime: report.cpu,
        wallTime: report.wall,
        memory: report.memory,
        returnCode: report.exitCode,
        signal: report.signal === null ? null : nameSignal(report.signal),
        stdout: report.stdout,
        stderr: report.stderr,
        stdoutBytes: report.stdoutBytes,
        stderrBytes: report.stderrBytes,
    };
}

/** For a program that did not run, or that was ended because nothing it did could matter any more. */
export const UNMEASURED: ProgramRun = {
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
