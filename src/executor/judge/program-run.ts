import type { Limits } from '../../model/limits.js';
import type { RunResult } from '../../model/entry.js';
import { type ProgramRun, runResult } from '../judged-result.js';
import type { RunReport } from '../sandbox/box.js';
import { signalName } from '../signal-name.js';
import type { Language } from './languages.js';
import { judgeRun } from './verdict-policy.js';

/** A run in our sandbox, judged by its limits. */
export function programRun(report: RunReport, limits: Limits, language: Language): ProgramRun {
    const { verdict, suspect, nearLimit } = judgeRun(report, limits, language);
    return measuredRun(report, { verdict, doubt: suspect ?? 'certain', nearLimit });
}

/** A command that is no submission (a compiler, say), as result files show it. @param limit bytes of each stream; null: none */
export function commandResult(report: RunReport, limit: number | null): RunResult {
    const verdict = report.exitCode === 0 ? null : 'RuntimeError';
    return runResult(measuredRun(report, { verdict, doubt: 'certain', nearLimit: false }), limit);
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
        signal: report.signal === null ? null : signalName(report.signal),
        stdout: report.stdout,
        stderr: report.stderr,
        stdoutBytes: report.stdoutBytes,
        stderrBytes: report.stderrBytes,
    };
}
