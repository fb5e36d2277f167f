import { scoreAnswer, type TextScorer } from '../../../model/scorer.js';
import { UserError } from '../../../util/user-error.js';
import { renderExpectedText } from './expected-text.js';
import { type AnswerScorer, type Scored, scoringFailure } from './scoring.js';

/** Compares answers with the expected text. */
export function createTextScorer(scorer: TextScorer, template: string): AnswerScorer {
    const compare = (answer: string, expected: string): Scored => {
        try {
            return { kind: 'scored', score: scoreAnswer(scorer, answer, expected), details: { expected } };
        } catch (error) {
            if (!(error instanceof UserError)) throw error;
            return { kind: 'failed', failure: scoringFailure(error.message) };
        }
    };
    return {
        isQuick: true,
        check: (task) => {
            const expected = renderExpectedText(template, task);
            if (expected.kind === 'missing') return expected.failure;
            const tried = compare('', expected.text);
            return tried.kind === 'failed' ? tried.failure : null;
        },
        score: (answer, task) => {
            const expected = renderExpectedText(template, task);
            return Promise.resolve(
                expected.kind === 'missing'
                    ? { kind: 'failed', failure: expected.failure }
                    : compare(answer, expected.text),
            );
        },
        close: () => Promise.resolve(),
    };
}
