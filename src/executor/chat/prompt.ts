import { parseExactJson } from '../../model/exact-json.js';
import type { Task } from '../../model/task.js';
import { shownPath } from '../../util/shown-path.js';
import { UserError } from '../../util/user-error.js';
import { fillFields, listFields, type Placeholder, unknownFields } from '../command-template.js';
import type { ListFields } from '../executor-kind.js';
import { inputTextOf } from '../task-input.js';
import type { ChatMessage } from './chat-protocol.js';

/** The messages of a task, or the field that the template names and its row does not have. */
export type Prompt =
    | { readonly kind: 'messages'; readonly messages: readonly ChatMessage[] }
    | { readonly kind: 'missing'; readonly field: string };

/** @param template `{field}` stands for a value of the task's data, as in commands */
export function promptOf(task: Task, template: string, system: string | null): Prompt {
    const values: Readonly<Record<Placeholder, string>> = {
        id: task.sample,
        group: task.group,
        index: String(task.index),
        input: inputTextOf(task),
    };
    const filled = fillFields(template, values, parseExactJson(inputTextOf(task)));
    if (filled.kind === 'missing') return filled;
    const messages: ChatMessage[] = system === null ? [] : [{ role: 'system', content: system }];
    return { kind: 'messages', messages: [...messages, { role: 'user', content: filled.text }] };
}

/** @throws UserError naming a field of the template that no row of a list has */
export function checkPromptFields(template: string, lists: readonly ListFields[]): void {
    for (const { fields, path } of lists) {
        const [unknown] = unknownFields([template], fields);
        if (unknown === undefined) continue;
        throw new UserError(
            `--prompt-template names ${unknown}, which no row of ${shownPath(path)} has; its fields: ${listFields(fields)}. ` +
                `Write {${unknown}} for the text ${unknown} itself`,
        );
    }
}
