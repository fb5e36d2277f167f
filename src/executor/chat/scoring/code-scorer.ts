import type { Failure } from '../../../model/failure.js';
import { extractCode, languageByName } from './extract-code.js';
import type { ProgramJudge } from './program-judge.js';
import { readRowTests } from './row-tests.js';
import { type AnswerScorer, type Scored, scoringFailure } from './scoring.js';

/** The language of a program if neither the option, the answer nor the row names one. */
const DEFAULT_LANGUAGE = 'PYTHON3';

/**
 * Judges the program of each answer against the tests of its row: 1 if it passes all of them.
 * @param language tag; null: as given by the answer or the row
 */
export function createCodeScorer(
    judge: ProgramJudge,
    { language, codeTimeout }: { readonly language: string | null; readonly codeTimeout: number },
): AnswerScorer {
    return {
        isQuick: false,
        check: (task): Failure | null => {
            const row = readRowTests(task);
            return 'problem' in row ? scoringFailure(row.problem) : null;
        },
        score: (answer, task, context): Promise<Scored> => {
            const row = readRowTests(task);
            if ('problem' in row)
                return Promise.resolve({ kind: 'failed', failure: scoringFailure(row.problem) });
            const { tests, checker, memory } = row;
            const ofRow = row.language === null ? null : languageByName(row.language);
            const code = extractCode(answer, language ?? ofRow);
            if (code === null) return Promise.resolve(NO_PROGRAM);
            const program = {
                source: code.text,
                language: language ?? ofRow ?? code.language ?? DEFAULT_LANGUAGE,
                tests,
                checker,
                time: row.time ?? codeTimeout,
                memory,
            };
            return judge.score(program, task, context);
        },
        close: () => judge.close(),
    };
}

const NO_PROGRAM: Scored = {
    kind: 'scored',
    score: 0,
    details: { score_reason: 'the answer holds no program' },
};
