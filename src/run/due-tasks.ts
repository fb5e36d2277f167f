import type { CheckpointStore } from '../checkpoint/store.js';
import type { SamplePlan } from '../plan/sample-plan.js';
import type { Task } from '../model/task.js';
import { plan, prepare, type PrepareOptions } from './prepare.js';
import type { SampleItem } from './sample-item.js';

/** What is needed to plan samples. */
export interface PlanParts {
    readonly store: Pick<CheckpointStore, 'read' | 'stamp'>;
    readonly prepare: PrepareOptions;
}

/** Loads a sample and plans it against its current result file. */
export async function planItem(
    { dataset, indexed }: SampleItem,
    { store, prepare: how }: PlanParts,
): Promise<SamplePlan> {
    const stamp = await store.stamp(indexed.id);
    const checkpoint = stamp === null ? null : await store.read(indexed.id);
    return plan(prepare(await dataset.load(indexed), how), checkpoint, null, how);
}

/** The tasks that would run, for listing only; one sample is in memory at a time. */
export async function* listDueTasks(items: Iterable<SampleItem>, parts: PlanParts): AsyncGenerator<Task> {
    for (const item of items) {
        const { due } = await planItem(item, parts);
        for (const { group, index, fingerprint, input, open } of due)
            yield {
                sample: item.indexed.id,
                group,
                index,
                fingerprint,
                input,
                limits: null,
                stage: null,
                attempt: (open?.attempts?.length ?? 0) + 1,
                confirmed: [],
                confirming: null,
                settles: true,
                ...(open?.steps === undefined ? {} : { steps: open.steps }),
            };
    }
}
