/** Word for a task with the verdict Accepted: a program or an answer is accepted, a command or a function is done. */
export type SuccessWord = 'accepted' | 'done';

/** Executors whose tasks are not judged: a zero exit code, or a result, only means that the work is done. */
const DO_WORK: ReadonlySet<unknown> = new Set(['exec', 'module', 'function']);

/** @param executor `executor` of `run-started` or run.json; any other value: unknown */
export function chooseSuccessWord(executor: unknown): SuccessWord {
    return DO_WORK.has(executor) ? 'done' : 'accepted';
}
