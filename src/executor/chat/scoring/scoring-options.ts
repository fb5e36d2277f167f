import type { OptionTable, Values } from '../../../config/option.js';
import { SCORER } from '../../../config/values/scorer.js';
import { SCORER_FORMS } from '../../../model/scorer.js';
import type { ScoringConfig } from './scoring.js';

/** Prompt for a model that judges answers; each `{name}` in braces is replaced. */
export const DEFAULT_JUDGE_PROMPT = `You are grading an answer.

Question:
{question}

Expected answer:
{expected}

Answer to grade:
{answer}

Say in one or two sentences whether the answer is right. Then end with one line of the form
SCORE: <number from 0 (wrong) to 1 (right)>`;

/** Options for scoring answers, shared by a run and `resume-run score`. */
export const SCORING_OPTIONS = {
    scorer: {
        kind: 'parsed',
        parser: SCORER,
        default: null,
        defaultText: 'none: every answer is accepted',
        placeholder: '<how>',
        group: 'Language models',
        about: `How an answer is scored: ${SCORER_FORMS}`,
        decides: 'verdict',
        effect: 'answers that are there keep their score until resume-run score',
    },
    expected: {
        kind: 'text',
        default: '{expected}',
        placeholder: '<text>',
        group: 'Language models',
        about: 'What --scorer compares an answer with; {field} stands for a value of its row',
        decides: 'verdict',
        effect: 'answers that are there keep their score until resume-run score',
    },
    'judge-prompt': {
        kind: 'text',
        default: DEFAULT_JUDGE_PROMPT,
        defaultText: 'a prompt that asks for SCORE: 0 to 1',
        placeholder: '<text>',
        group: 'Language models',
        about: 'Prompt of --scorer model:<name>; {question}, {answer}, {expected} and fields of the row are replaced',
        decides: 'verdict',
        effect: 'answers that are there keep their score until resume-run score',
    },
    'judge-max-tokens': {
        kind: 'integer',
        default: null,
        defaultText: "the service's",
        min: 1,
        placeholder: '<n>',
        group: 'Language models',
        about: 'Longest answer of the model of --scorer model:<name>, in tokens; budgets set this much aside',
        decides: 'run',
    },
    'code-timeout': {
        kind: 'seconds',
        default: 10,
        placeholder: '<seconds>',
        group: 'Language models',
        about: 'CPU time of a program of --scorer code or humaneval, a test, where its row has no time_limit',
        decides: 'verdict',
        effect: 'answers that are there keep their score until resume-run score',
    },
} as const satisfies OptionTable;

/** @returns null: answers are not scored */
export function configureScoring(values: Values<typeof SCORING_OPTIONS>): ScoringConfig | null {
    const { scorer, expected, 'judge-prompt': judgePrompt, 'code-timeout': codeTimeout } = values;
    if (scorer === null) return null;
    return { scorer, expected, judgePrompt, judgeMaxTokens: values['judge-max-tokens'], codeTimeout };
}
