import type { Failure } from '../../../model/failure.js';
import type { Task } from '../../../model/task.js';
import { fillForTask } from '../prompt.js';
import { missingField } from './scoring.js';

/** The expected text of a task, from `--expected`. */
export type ExpectedText =
    | { readonly kind: 'text'; readonly text: string }
    | { readonly kind: 'missing'; readonly failure: Failure };

export function renderExpectedText(template: string, task: Task): ExpectedText {
    const filled = fillForTask(template, task);
    return filled.kind === 'missing'
        ? { kind: 'missing', failure: missingField(filled.field, '--expected') }
        : { kind: 'text', text: filled.text };
}

/** The same for a scorer that can do without it: null if the row has no such field. */
export function expectedTextIfAny(template: string, task: Task): string | null {
    const filled = fillForTask(template, task);
    return filled.kind === 'missing' ? null : filled.text;
}
