import type { Question } from './question.js';

/** Every question, with a line for help. Its file is loaded only when it is asked. */
export const QUESTIONS = {
    rates: {
        about: 'success rates, by any dimensions',
        load: async () => (await import('./questions/rates.js')).rates,
    },
    matrix: {
        about: 'success by model, prompt type, tool success rate, difficulty and task type',
        load: async () => (await import('./questions/rates.js')).matrix,
    },
    'pass-at-k': {
        about: 'pass@k, unbiased',
        load: async () => (await import('./questions/pass-at-k.js')).passAtKQuestion,
    },
    slowest: {
        about: 'the tasks that took longest',
        load: async () => (await import('./questions/tasks.js')).slowest,
    },
    flakiest: {
        about: 'tasks whose attempts came to different ends',
        load: async () => (await import('./questions/tasks.js')).flakiest,
    },
    'weak-tests': {
        about: 'samples whose tests accept incorrect solutions',
        load: async () => (await import('./questions/tasks.js')).weakTests,
    },
    endpoints: {
        about: 'failures and times of each endpoint',
        load: async () => (await import('./questions/work.js')).endpoints,
    },
    cost: { about: 'tokens and money', load: async () => (await import('./questions/work.js')).cost },
    throughput: {
        about: 'finished tasks over time',
        load: async () => (await import('./questions/work.js')).throughput,
    },
} as const satisfies Readonly<
    Record<string, { readonly about: string; readonly load: () => Promise<Question> }>
>;

export type QuestionName = keyof typeof QUESTIONS;

export const QUESTION_NAMES = Object.keys(QUESTIONS) as readonly QuestionName[];

export const isQuestionName = (name: string): name is QuestionName => Object.hasOwn(QUESTIONS, name);
