/*
 * Revisions: how the results database tells a newer record of a task from an older one without comparing clocks. A task's first
 * record has revision 1, which is not written; every change of it (a re-run, a verdict after a recorded failure, a new index,
 * other labels) has one more than the record it replaces.
 */

/** What has a revision: an entry, or a failure. */
export interface RevisedTask {
    readonly index: number;
    readonly revision?: number;
}

/**
 * The task with the revision that follows those recorded so far.
 * @param recorded revisions of the task itself, or of records that its file no longer holds; undefined if none
 */
export function setNextRevision<T extends RevisedTask>(
    task: T,
    recorded: readonly (number | undefined)[],
): T {
    const { revision: _, ...first } = task;
    const highest = Math.max(0, ...recorded.map((revision) => revision ?? 0));
    return (highest === 0 ? first : { ...first, revision: highest + 1 }) as T;
}
