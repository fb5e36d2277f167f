import { constants } from 'node:os';
import { killTime, type Limits, getMemoryBound } from '../../model/limits.js';
import type { Suspicion } from '../../model/task.js';
import type { RunVerdict } from '../judged-result.js';
import type { RunReport } from '../sandbox/box.js';
import type { Language } from './language.js';
import { killMemory } from './limits.js';

/** What judging needs to know of a language. */
export type JudgedLanguage = Pick<Language, 'memory' | 'outOfMemory'>;

/** What a run says by itself, before its output is compared. */
export interface RunJudgement {
    /** null: it ended well, the checker decides. */
    readonly verdict: RunVerdict | null;
    readonly suspect: Suspicion | null;
    readonly nearLimit: boolean;
}

/** Signals by which programs die of their own faults. Any other may have been sent by somebody. */
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

/** Time within this share of the limit, from either side, is near it. */
const NEAR = 0.1;

/** How a run is judged: knowledge of limits comes before how the program ended. */
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

/** It says so, and its figures do not speak against it; runtimes that hold their own heap are believed. */
function ranOutOfMemory(report: RunReport, limits: Limits, language: JudgedLanguage): boolean {
    if (language.outOfMemory === null || !language.outOfMemory.test(report.stderr.toString('latin1')))
        return false;
    return !language.memory.addressSpace || report.memory >= getMemoryBound(limits) / 2;
}
