import type { ExecutorPlan } from '../executor/executor-kind.js';
import { listProblemPrograms } from '../model/problem-programs.js';
import type { Judging } from '../model/sample.js';

/**
 * Why nothing can be judged by a problem whose own programs, such as its validator, cannot run here; null if they can.
 * Found while planning: left to its first test, each submission would fail as many times as failures are tried again.
 */
export function describeMissingToolchain(
    judging: Judging | null,
    { languages, languageOf }: Pick<ExecutorPlan, 'languages' | 'languageOf'>,
): string | null {
    if (judging === null || languages === undefined || languageOf === undefined) return null;
    for (const { role, program } of listProblemPrograms(judging)) {
        const language = languageOf(program);
        if (language === null || languages.includes(language)) continue;
        return `no toolchain for ${language}, the language of its ${role} ${program.files[0].name}`;
    }
    return null;
}
