import type { Task } from '../../model/task.js';
import type { ChatDescriptor } from './chat-kind.js';
import type { ChatCall } from './chat-protocol.js';
import { fillForTask, buildMessages } from './prompt.js';

/** The first request of a task, or the template field that its row lacks. */
export type FirstCall =
    | { readonly kind: 'call'; readonly call: ChatCall }
    | { readonly kind: 'missing'; readonly field: string; readonly option: string };

/**
 * Fills the templates of model, system message and prompt with a task's data.
 * @param searchResults results of the task's search, if it made one
 */
export function callForTask(
    { promptTemplate, system, sampling }: Pick<ChatDescriptor, 'promptTemplate' | 'system' | 'sampling'>,
    task: Task,
    searchResults = '',
): FirstCall {
    const filled = {
        '--model': sampling.model,
        '--system': system ?? '',
        '--prompt-template': promptTemplate,
    };
    const texts: string[] = [];
    for (const [option, template] of Object.entries(filled)) {
        const one = fillForTask(template, task, searchResults);
        if (one.kind === 'missing') return { kind: 'missing', field: one.field, option };
        texts.push(one.text);
    }
    const [model = '', systemText = '', prompt = ''] = texts;
    const messages = buildMessages(prompt, systemText);
    return { kind: 'call', call: { sampling: { ...sampling, model }, messages } };
}

/** The prompt of a task as text, for a judge model; empty if the row lacks a field. */
export function questionFor(
    descriptor: Pick<ChatDescriptor, 'promptTemplate' | 'system' | 'sampling'>,
    task: Task,
): string {
    const first = callForTask(descriptor, task);
    return first.kind === 'missing' ? '' : (first.call.messages.at(-1)?.content ?? '');
}
