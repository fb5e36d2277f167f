import type { CapturedRun, RunResult } from '../../model/entry.js';
import type { Limits } from '../../model/limits.js';
import { toCapturedRun, type ProgramRun, runResult } from '../judged-result.js';
import type { RunReport } from '../sandbox/box.js';
import { nameSignal } from '../signal-name.js';
import type { Language } from './language.js';
import { judgeRun } from './verdict-policy.js';

/** A run in our sandbox, judged by its limits. */
export function toProgramRun(report: RunReport, limits: Limits, language: Language): ProgramRun {
    const { verdict, suspect, nearLimit } = judgeRun(report, limits, language);
    return measuredRun(report, { verdict, doubt: suspect ?? 'certain', nearLimit });
}

/** A compiler's run as result files show it. @param limit bytes of each stream */
export function toCompilerResult(report: RunReport, limit: number): CapturedRun {
    return toCapturedRun(commandRun(report), limit);
}

/** A command's run as result files show it, without what it printed. */
export function toCommandResult(report: RunReport): RunResult {
    return runResult(commandRun(report), null);
}

/** A command that is not a submission: any exit but 0 is an error. */
function commandRun(report: RunReport): ProgramRun {
    const verdict = report.exitCode === 0 ? null : 'RuntimeError';
    return measuredRun(report, { verdict, doubt: 'certain', nearLimit: false });
}

/** What was measured of a run in our sandbox, with what is thought of it. */
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

/** Of a program that did not run, or that was ended because nothing that it did could matter any more. */
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
