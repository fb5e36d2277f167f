import { chooseExpected } from './sample.js';
import { levelOfVerdict, type SuccessLevel } from './success-level.js';
import { isVerdict, type Verdict } from './verdict.js';

/** Finished tasks of a group as success rates count them; tasks adopted from a database are counted there. */
export interface SuccessCounts {
    readonly full: number;
    readonly partial: number;
    readonly failure: number;
    /** Tasks with expected verdicts, and how many of them got one of these. */
    readonly expected: number;
    readonly asExpected: number;
}

/** One group of a sample. */
export interface SampleGroup {
    readonly sample: string;
    readonly group: string;
    readonly counts: SuccessCounts;
}

/** How a finished task counts; absent fields follow from its verdict and its group. */
export interface CountedTask {
    readonly verdict: Verdict;
    readonly level?: SuccessLevel;
    readonly isAdopted?: boolean;
    readonly expected?: readonly Verdict[];
}

/** Whether anything besides its verdict and its group decides how the task counts. */
export const isCountedBySelf = ({ level, isAdopted, expected }: CountedTask): boolean =>
    level !== undefined || isAdopted === true || expected !== undefined;

/**
 * What verdicts alone do not tell about a group's finished tasks; null: they tell everything.
 * @param others tasks that are not decided by their verdict alone
 */
export function findOtherSuccess(
    group: string,
    verdicts: Readonly<Partial<Record<Verdict, number>>>,
    others: readonly CountedTask[],
): SuccessCounts | null {
    if (others.length === 0) return null;
    const [said, counts] = [sumSuccess(group, verdicts), sumSuccess(group, verdicts, others)];
    const isSame = COUNTS.every((name) => said[name] === counts[name]);
    return isSame ? null : counts;
}

const COUNTS = ['full', 'partial', 'failure', 'expected', 'asExpected'] as const;

/**
 * @param verdicts of all finished tasks of the group
 * @param others those among them that are not decided by their verdict alone
 */
export function sumSuccess(
    group: string,
    verdicts: Readonly<Partial<Record<Verdict, number>>>,
    others: readonly CountedTask[] = [],
): SuccessCounts {
    const counts = { full: 0, partial: 0, failure: 0, expected: 0, asExpected: 0 };
    const add = ({ verdict, level, expected }: CountedTask, tasks: number): void => {
        counts[level ?? levelOfVerdict(verdict)] += tasks;
        const named = chooseExpected(group, expected ?? null);
        if (named === null) return;
        counts.expected += tasks;
        if (named.includes(verdict)) counts.asExpected += tasks;
    };
    for (const verdict in verdicts) if (isVerdict(verdict)) add({ verdict }, verdicts[verdict] ?? 0);
    for (const task of others) {
        add({ verdict: task.verdict }, -1);
        if (task.isAdopted !== true) add(task, 1);
    }
    return counts;
}
