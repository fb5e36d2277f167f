import type { PlanCounts } from '../model/event.js';
import type { DueTask } from './sample-plan.js';

/** Counts due tasks by reason. */
export function countDue(due: readonly DueTask[]): PlanCounts['dueBy'] {
    const counts: Partial<Record<DueTask['why'], number>> = {};
    for (const task of due) counts[task.why] = (counts[task.why] ?? 0) + 1;
    return counts;
}
