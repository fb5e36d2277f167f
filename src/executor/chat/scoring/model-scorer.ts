import type { JsonObject } from '../../../model/json.js';
import type { Task } from '../../../model/task.js';
import { isExactObject, parseExactJson } from '../../../model/exact-json.js';
import { fillFields } from '../../../model/field-template.js';
import { getInputText } from '../../task-input.js';
import type { ChatClient } from '../chat-client.js';
import type { PricedChatAnswer } from '../chat-protocol.js';
import { completeTraced } from '../spans.js';
import { buildUsageFields } from '../usage.js';
import { expectedTextIfAny } from './expected-text.js';
import { type AnswerScorer, missingField, type Scored, scoringFailure } from './scoring.js';

export interface ModelJudgeOptions {
    readonly model: string;
    /** Template of the judge model's prompt. */
    readonly prompt: string;
    /** Most tokens of its answer; null: the service's own limit. */
    readonly maxTokens: number | null;
    /** Template of the expected answer. */
    readonly expected: string;
    /** The prompt of the model under test, as text. */
    readonly questionOf: (task: Task) => string;
}

/**
 * Lets another model rate answers. Its usage is recorded in `judge`, apart from the usage of the answer. Its replies are not
 * cached: every answer is judged by a request of its own.
 */
export function createModelScorer(client: ChatClient, options: ModelJudgeOptions): AnswerScorer {
    const { model, maxTokens } = options;
    return {
        isQuick: false,
        check: () => null,
        score: async (answer, task, context): Promise<Scored> => {
            const expected = expectedTextIfAny(options.expected, task);
            const prompt = fillJudgePrompt(options, task, { answer, expected });
            if (prompt.kind === 'missing')
                return { kind: 'failed', failure: missingField(prompt.field, '--judge-prompt') };
            const sampling = { model, temperature: 0, topP: null, maxTokens, seed: null };
            const messages = [{ role: 'user', content: prompt.text }] as const;
            const result = await completeTraced(client, { sampling, messages }, context);
            switch (result.kind) {
                case 'aborted':
                    return result;
                case 'failed':
                    return { kind: 'failed', failure: result.failure };
                case 'refused':
                    return {
                        kind: 'failed',
                        failure: scoringFailure(
                            `${model} declined to judge: ${result.reason ?? 'no reason given'}`,
                        ),
                    };
                case 'answered':
                    return readJudgement(result.answer, model, expected);
            }
        },
        close: () => Promise.resolve(),
    };
}

function fillJudgePrompt(
    { prompt, questionOf }: ModelJudgeOptions,
    task: Task,
    { answer, expected }: { readonly answer: string; readonly expected: string | null },
): ReturnType<typeof fillFields> {
    const text = getInputText(task);
    const row = parseExactJson(text);
    const asked = { question: questionOf(task), answer, expected: expected ?? '(none is given)' };
    const values = { id: task.sample, group: task.group, index: String(task.index), input: text };
    return fillFields(prompt, values, isExactObject(row) ? { ...row, ...asked } : asked);
}

/** The last line of the form `SCORE: 0.5`; models may write it in bold or in capitals. */
const SCORE_LINE = /score\W{0,10}?(\d+(?:\.\d+)?|\.\d+)(\s*\/\s*(\d+(?:\.\d+)?))?/gi;

function readJudgement(answer: PricedChatAnswer, model: string, expected: string | null): Scored {
    const text = answer.content ?? '';
    const found = [...text.slice(-10_000).matchAll(SCORE_LINE)].at(-1);
    const score = Number(found?.[1]) / Number(found?.[3] ?? 1);
    if (!(score >= 0 && score <= 1)) {
        const cut =
            answer.finishReason === 'length' ? ', and was cut off: --judge-max-tokens bounds its answer' : '';
        const message = `the answer of ${model} has no line SCORE: <0 to 1>; it ends with ${JSON.stringify(text.slice(-200))}${cut}`;
        return { kind: 'failed', failure: scoringFailure(message) };
    }
    return {
        kind: 'scored',
        score,
        details: {
            ...(expected === null ? {} : { expected }),
            score_reason: text.slice(0, 2000),
            judge: judgeFields(answer, model),
        },
    };
}

function judgeFields(answer: PricedChatAnswer, model: string): JsonObject {
    const { turns: _, tool_calls: __, ...used } = buildUsageFields(model, [answer]);
    return used;
}
