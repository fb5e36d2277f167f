import { constants } from 'node:os';
import { killTime, type Limits, getMemoryBound } from '../../model/limits.js';
import type { Suspicion } from '../../model/task.js';
import type { RunVerdict } from '../judged-result.js';
import type { RunReport } from '../sandbox/box.js';
import type { Language } from './language.js';
import { killMemory } from './limits.js';

/** What judging needs to know about a language. */
export type JudgedLanguage = Pick<Language, 'memory' | 'outOfMemory'>;

/** The result of a run before its output is compared. */
export interface RunJudgement {
    /** null: it ended normally, so the checker decides. */
    readonly verdict: RunVerdict | null;
    readonly suspect: Suspicion | null;
    readonly nearLimit: boolean;
}

/** Signals by which programs die through their own fault. Any other signal may come from outside. */
const OWN_SIGNALS: ReadonlySet<number> = new Set([
    constants.signals.SIGILL,
    constants.signals.SIGTRAP,
    constants.signals.SIGABRT,
    constants.signals.SIGBUS,
    constants.signals.SIGFPE,
    constants.signals.SIGSEGV,
    constants.signals.SIGPIPE,
    constants.signals.SIGXCPU,
    constants.signals.SIGXFSZ,
    constants.signals.SIGSYS,
]);

/** A time within this fraction of the limit, on either side, counts as near. */
const NEAR = 0.1;

/** Judges a run: exceeded limits take precedence over how the program ended. */
export function judgeRun(report: RunReport, limits: Limits, language: JudgedLanguage): RunJudgement {
    const nearLimit = Math.abs(report.cpu - limits.time) <= NEAR * limits.time;
    const say = (verdict: RunJudgement['verdict'], suspect: Suspicion | null = null): RunJudgement => ({
        verdict,
        suspect,
        nearLimit,
    });
    if (report.limit === 'memory' || report.memory >= killMemory(limits, language))
        return say('MemoryLimitExceeded');
    if (report.limit === 'output') return say('OutputLimitExceeded');
    if (report.cpu > limits.time || report.limit === 'cpu' || report.limit === 'wall') {
        const beyondDoubt = report.limit === 'cpu' || report.cpu >= killTime(limits.time);
        return say('TimeLimitExceeded', beyondDoubt ? null : 'near-time');
    }
    if (report.limit === 'files') return say('RuntimeError');
    if (report.exitCode === 0) return say(null);
    if (ranOutOfMemory(report, limits, language)) return say('MemoryLimitExceeded');
    const explained = report.signal === null || OWN_SIGNALS.has(report.signal);
    return say('RuntimeError', explained ? null : 'signal');
}

/** Its message reports this, and its measurements do not contradict it; runtimes that manage their own heap are trusted. */
function ranOutOfMemory(report: RunReport, limits: Limits, language: JudgedLanguage): boolean {
    if (language.outOfMemory === null || !language.outOfMemory.test(report.stderr.toString('latin1')))
        return false;
    return !language.memory.addressSpace || report.memory >= getMemoryBound(limits) / 2;
}
