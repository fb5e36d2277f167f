import { digestChecker, digest } from '../model/fingerprint.js';
import { PLANNER_VERSION } from '../plan/plan-sample.js';
import type { PrepareOptions } from '../run/prepare.js';

/**
 * Hash of everything, besides a sample and its result file, that decides what is left to run. As long as it is the same, a
 * complete sample whose file and row are unchanged does not have to be opened.
 * @param languages tags of the languages that can run here
 */
export function computePlanKey(options: PrepareOptions, languages: readonly string[]): string {
    const { limits, checker, defaultComparison, executorIdentity, judges, memoryHolding, plan } = options;
    return digest(
        JSON.stringify([
            PLANNER_VERSION,
            limits,
            checker === null ? defaultComparison : digestChecker(checker),
            executorIdentity,
            judges,
            memoryHolding,
            plan.allTests,
            plan.rerun,
            [...plan.compilers].map(([tag, command]) => `${tag} ${command}`).sort(),
            [...languages].sort(),
        ]),
    );
}
