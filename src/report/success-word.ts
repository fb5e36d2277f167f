/** What a task with the verdict Accepted is called: a program or an answer is accepted, a command or a function is done. */
export type SuccessWord = 'accepted' | 'done';

/** Executors whose tasks nobody judges: a zero exit code, or a result, means no more than that the work is done. */
const DO_WORK: ReadonlySet<unknown> = new Set(['exec', 'module', 'function']);

/** @param executor `executor` of `run-started` or of run.json; anything else: not known */
export function chooseSuccessWord(executor: unknown): SuccessWord {
    return DO_WORK.has(executor) ? 'done' : 'accepted';
}
