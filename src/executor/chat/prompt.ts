import { isExactObject, parseExactJson } from '../../model/exact-json.js';
import type { Task } from '../../model/task.js';
import { shortenPath } from '../../util/shown-path.js';
import { UserError } from '../../util/user-error.js';
import {
    type FilledArgument,
    fillFields,
    listFields,
    type Placeholder,
    findUnknownFields,
} from '../../model/field-template.js';
import type { ListFields } from '../executor-kind.js';
import { getInputText } from '../task-input.js';
import type { ChatMessage } from './chat-protocol.js';
import { SEARCH_FIELD } from './web-search.js';

/** @param system empty: no system message */
export function buildMessages(prompt: string, system: string): readonly ChatMessage[] {
    const user: ChatMessage = { role: 'user', content: prompt };
    return system === '' ? [user] : [{ role: 'system', content: system }, user];
}

/**
 * Fills a template with a task's data: `{field}` stands for a value, as in commands.
 * @param found replaces `{search_results}`; a field of the row with that name takes precedence
 */
export function fillForTask(template: string, task: Task, found = ''): FilledArgument {
    // Models and system messages are mostly plain text, for which the row need not be read.
    if (!template.includes('{')) return { kind: 'filled', text: template };
    const text = getInputText(task);
    const values: Readonly<Record<Placeholder, string>> = {
        id: task.sample,
        group: task.group,
        index: String(task.index),
        input: text,
    };
    const row = parseExactJson(text);
    const withFound = isExactObject(row) ? { [SEARCH_FIELD]: found, ...row } : row;
    return fillFields(template, values, withFound);
}

/** @throws UserError naming a field of the template that no row of a list has */
export function checkTemplateFields(option: string, template: string, lists: readonly ListFields[]): void {
    for (const { fields, path } of lists) {
        const [unknown] = findUnknownFields([template], new Set([...fields, SEARCH_FIELD]));
        if (unknown === undefined) continue;
        throw new UserError(
            `${option} names ${unknown}, which no row of ${shortenPath(path)} has; its fields: ${listFields(fields)}. ` +
                `Write {${unknown}} to get the literal text ${unknown}`,
        );
    }
}
