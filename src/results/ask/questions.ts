import type { Question } from './question.js';

/** A question, with its line of help. Its file is loaded only when the question is asked. */
interface QuestionRow {
    readonly about: string;
    /** Options that the question uses, besides `--where` and `--rows`. */
    readonly takes: readonly ('by' | 'k')[];
    readonly load: () => Promise<Question>;
}

/** Every question. */
export const QUESTIONS = {
    rates: {
        about: 'success rates, by any dimensions',
        takes: ['by'],
        load: async () => (await import('./questions/rates.js')).rates,
    },
    matrix: {
        about: 'success by model, prompt type, tool success rate, difficulty and task type',
        takes: ['by'],
        load: async () => (await import('./questions/rates.js')).matrix,
    },
    'pass-at-k': {
        about: 'pass@k, unbiased',
        takes: ['by', 'k'],
        load: async () => (await import('./questions/pass-at-k.js')).passAtKQuestion,
    },
    slowest: {
        about: 'the tasks that took longest',
        takes: ['by'],
        load: async () => (await import('./questions/tasks.js')).slowest,
    },
    flakiest: {
        about: 'tasks whose attempts came to different ends',
        takes: [],
        load: async () => (await import('./questions/tasks.js')).flakiest,
    },
    'weak-tests': {
        about: 'samples whose tests accept incorrect solutions',
        takes: [],
        load: async () => (await import('./questions/tasks.js')).weakTests,
    },
    endpoints: {
        about: 'failures and times of each endpoint',
        takes: [],
        load: async () => (await import('./questions/work.js')).endpoints,
    },
    cost: {
        about: 'tokens and money',
        takes: ['by'],
        load: async () => (await import('./questions/work.js')).cost,
    },
    throughput: {
        about: 'finished tasks over time',
        takes: [],
        load: async () => (await import('./questions/work.js')).throughput,
    },
} as const satisfies Readonly<Record<string, QuestionRow>>;

export type QuestionName = keyof typeof QUESTIONS;

export const QUESTION_NAMES = Object.keys(QUESTIONS) as readonly QuestionName[];

export const isQuestionName = (name: string): name is QuestionName => Object.hasOwn(QUESTIONS, name);
