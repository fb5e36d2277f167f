import type { Json } from '../model/json.js';
import type { Task } from '../model/task.js';

/** The input of a command or a module: the task's JSON; for programs `{language, files}`. */
export function getInput({ input }: Task): Json {
    if (input.kind === 'data') return input.data;
    return {
        language: input.language,
        files: input.files.map(({ name, content }) =>
            content.text === undefined ? { name, path: content.path } : { name, text: content.text },
        ),
    };
}

/** The same as JSON text, with numbers as the dataset writes them: a double would change 9007199254740993 and 1e400. */
export function getInputText(task: Task): string {
    const exact = task.input.kind === 'data' ? task.input.text : undefined;
    return exact ?? JSON.stringify(getInput(task));
}
