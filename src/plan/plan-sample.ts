import type { Checkpoint, KeptEntry, StoredEntry, SupersededEntry } from '../model/checkpoint.js';
import type { JudgeResult, OpenTask, SkippedTask } from '../model/entry.js';
import type { DueReason } from '../model/event.js';
import { findChangedLabels, isMeasured, withLabels } from '../model/expectation.js';
import { type Limits, findExceededLimit } from '../model/limits.js';
import { isVerdict } from '../model/verdict.js';
import { matchByFingerprint, matchBySource } from './match.js';
import { isAskedFor } from './rerun.js';
import type { DueTask, PlanGroup, PlanInput, PlanTask, SamplePlan } from './sample-plan.js';

/** Increase this whenever a rule below changes, so that cached decisions are made again. */
export const PLANNER_VERSION = 9;

/**
 * Decides what is left to do in one sample. Pure. A task is finished when its group holds an entry with its fingerprint and a
 * verdict. A finished entry that is due again stays until its replacement is committed. The rules are described in
 * docs/resume.md.
 */
export function planSample(input: PlanInput): SamplePlan {
    const earlier = input.checkpoint?.origin === 'earlier';
    const groups = input.groups.map((group) => planGroup(input, group, earlier));
    const known = new Set(input.groups.map((group) => group.name));
    const gone = [...(input.checkpoint?.entries ?? [])].filter(([name]) => !known.has(name));
    const superseded = [
        ...(input.checkpoint?.replaced ?? []),
        ...groups.flatMap((group) => group.superseded),
        ...gone.flatMap(([group, entries]) =>
            entries.map((stored) => ({ group, reason: 'the dataset has no such group', stored })),
        ),
    ];
    const kept = groups.flatMap((group) => group.kept);
    const due = groups.flatMap((group) => group.due);
    const skipped = groups.flatMap((group) => group.skipped);
    const open = openTasks(input, due);
    const totals = groups.map((group) => [group.name, group.total] as const);
    return {
        due,
        changed: groups.reduce((sum, group) => sum + group.changed, 0),
        // Files of the earlier tools have no labels, so none can have changed.
        relabelled: earlier ? 0 : kept.filter(({ labels }) => labels !== undefined).length,
        state: {
            id: input.id,
            totals,
            kept,
            superseded,
            ...open,
            skipped,
            computedLimits: input.computedLimits,
            retiredRevision: input.checkpoint?.retiredRevision ?? 0,
            origin: input.checkpoint?.origin ?? 'new',
            dirty:
                awaitsLimit(input, kept) ||
                isDirty(input.checkpoint, { totals, kept, superseded, skipped, ...open }),
        },
    };
}

/** Reasons caused by changed inputs: a guard keeps a mistaken dataset from replacing many results. */
const GUARDED: ReadonlySet<DueReason> = new Set([
    'input changed',
    'input was rounded',
    'another number of tests',
]);

interface GroupPlan {
    readonly name: string;
    readonly total: number;
    readonly kept: readonly KeptEntry[];
    readonly superseded: readonly SupersededEntry[];
    readonly due: readonly DueTask[];
    readonly skipped: readonly SkippedTask[];
    readonly changed: number;
}

function planGroup(input: PlanInput, group: PlanGroup, earlier: boolean): GroupPlan {
    const entries = input.checkpoint?.entries.get(group.name) ?? [];
    const match = earlier ? matchBySource : matchByFingerprint;
    const { byIndex, unmatched } = match(group.tasks, entries);
    const rounded = new Set(group.tasks.flatMap((task) => task.rounded ?? []));
    const kept: KeptEntry[] = [];
    const due: DueTask[] = [];
    const skipped: SkippedTask[] = [];
    const superseded: SupersededEntry[] = unmatched.map((stored) => ({
        group: group.name,
        reason: earlier
            ? 'no task of the dataset has this source'
            : rounded.has(stored.entry.fingerprint ?? '')
              ? 'an earlier version rounded numbers of its input'
              : 'no task of the dataset has this fingerprint',
        stored,
    }));
    const lost = new LostEntries(unmatched);
    const limits = input.limits(group.name);
    const occurrences = countOccurrences(group.tasks);
    let changed = 0;
    group.tasks.forEach((task, index) => {
        const occurrence = occurrences[index] ?? 0;
        const stored = byIndex[index];
        const finished = stored !== undefined && isVerdict(stored.entry.result['verdict']) ? stored : null;
        if (stored !== undefined && finished === null) {
            superseded.push({ group: group.name, reason: 'no verdict in it', stored });
        }
        if (finished !== null) {
            const { fingerprint } = task;
            const labels = findChangedLabels(finished.entry, task.input);
            kept.push({
                group: group.name,
                index,
                fingerprint,
                occurrence,
                stored: withSource(finished, task),
                ...(labels === null ? {} : { labels }),
            });
            const before = finished.entry.occurrence;
            if (before !== undefined && before !== occurrence) {
                superseded.push({
                    group: group.name,
                    reason: 'one of its equal tasks is gone',
                    stored: finished,
                });
            }
        } else if (task.skip !== null) {
            skipped.push({ group: group.name, index, reason: task.skip });
            return;
        }
        const open = finished === null ? findOpen(input.checkpoint, group.name, task, occurrence) : null;
        const why =
            finished === null
                ? explainUnfinished(open, stored !== undefined, earlier ? null : lost.reasonFor(task, index))
                : explainAgain(input, task, finished, { group: group.name, limits, earlier });
        if (why === null) return;
        if (GUARDED.has(why)) changed += 1;
        due.push({
            group: group.name,
            index,
            fingerprint: task.fingerprint,
            occurrence,
            input: task.input,
            why,
            open,
        });
    });
    return {
        name: group.name,
        total: group.tasks.length - skipped.length,
        kept,
        superseded,
        due,
        skipped,
        changed,
    };
}

/** A bare result of the earlier tools does not give its language, and its source may be cut off; the task has both. */
function withSource(stored: StoredEntry, task: PlanTask): StoredEntry {
    if (stored.file === undefined || task.input.kind !== 'program') return stored;
    const source = task.source();
    const { language } = task.input;
    return {
        entry: { ...stored.entry, language, ...(source === null ? {} : { solution: source }) },
        file: stored.file,
    };
}

/** Finished entries that match no task of their group any more, and the tasks that they belonged to. */
class LostEntries {
    readonly #indexes: ReadonlySet<number | null>;
    readonly #fingerprints = new Map<string, number>();

    constructor(entries: readonly StoredEntry[]) {
        this.#indexes = new Set(entries.map((stored) => stored.entry.index));
        for (const { entry } of entries) {
            const fingerprint = entry.fingerprint ?? '';
            this.#fingerprints.set(fingerprint, (this.#fingerprints.get(fingerprint) ?? 0) + 1);
        }
    }

    /** Why a task without an entry lost the one it had; null if it never had one. */
    reasonFor({ rounded }: PlanTask, index: number): 'input changed' | 'input was rounded' | null {
        const left = rounded === null ? 0 : (this.#fingerprints.get(rounded) ?? 0);
        if (rounded !== null && left > 0) {
            this.#fingerprints.set(rounded, left - 1);
            return 'input was rounded';
        }
        return this.#indexes.has(index) ? 'input changed' : null;
    }
}

function explainUnfinished(
    open: OpenTask | null,
    withoutVerdict: boolean,
    lost: DueReason | null,
): DueReason {
    if (withoutVerdict) return 'earlier file without a verdict';
    if (open !== null) {
        const isUnderWay = open.tests !== undefined || open.reason === 'in-progress';
        return isUnderWay ? 'not final yet' : 'failed before';
    }
    return lost ?? 'new';
}

/** Why a finished entry is due again, or null if it stays. */
function explainAgain(
    input: PlanInput,
    task: PlanTask,
    { entry }: StoredEntry,
    {
        group,
        limits,
        earlier,
    }: { readonly group: string; readonly limits: Limits | null; readonly earlier: boolean },
): DueReason | null {
    const { options, measuredGroup } = input;
    const place = {
        id: input.id,
        group,
        ...(measuredGroup === null ? {} : { isMeasured: group === measuredGroup }),
    };
    const labels = findChangedLabels(entry, task.input) ?? undefined;
    if (isAskedFor(options.rerun, place, withLabels(entry, labels), limits)) return 'asked for';
    // Our own entries have limits; an entry without them was imported from a file of the earlier tools.
    const isImported = earlier || (entry.limits === undefined && entry.attempts.length === 0);
    if (isImported && hasOtherTests(entry.result, input.tests)) return 'another number of tests';
    if (limits !== null) {
        const why = isImported ? explainTimeOutAgain(entry.result, limits) : null;
        if (why !== null) return why;
        if (!isImported && isLimitRaised(entry, limits)) return 'limit raised';
    }
    if (options.allTests && hasStoppedEarly(entry.result, input.tests)) return 'stopped early';
    if (hasCompilerChanged(entry, task, options.compilers)) return 'compiler changed';
    return null;
}

/** Only verdicts caused by a limit can change under a higher one. */
function isLimitRaised(entry: StoredEntry['entry'], limits: Limits): boolean {
    const verdict = entry.result['verdict'];
    const limit = isVerdict(verdict) ? findExceededLimit(verdict) : null;
    if (limit === null || entry.limits === undefined) return false;
    const [now, before] = [limits[limit], entry.limits[limit]];
    // Without a current limit, there is nothing to compare the old one with.
    return now !== null && before !== null && now > before;
}

/** An accepted entry of the earlier tools passed the tests that existed then; their number may have changed. */
function hasOtherTests(result: StoredEntry['entry']['result'], tests: number): boolean {
    return tests > 0 && result['verdict'] === 'Accepted' && getTests(result).length !== tests;
}

/**
 * An entry of the earlier tools does not record its limits. A time-out runs again if the limit now exceeds its execution time, or
 * if it printed nothing (it may have been blocked, or its output lost).
 */
function explainTimeOutAgain(result: StoredEntry['entry']['result'], limits: Limits): DueReason | null {
    if (result['verdict'] !== 'TimeLimitExceeded') return null;
    // The first failed test gave the verdict; later ones may have ended differently.
    const run = getTests(result).find((test) => !test.passed)?.exec_info?.run_result;
    if (run === undefined || run === null || run.stdout === '' || run.stdout === undefined)
        return 'time-out without output';
    return limits.time > run.execution_time ? 'limit raised' : null;
}

function hasStoppedEarly(result: StoredEntry['entry']['result'], tests: number): boolean {
    return (
        result['accepted'] !== true && result['verdict'] !== 'CompileError' && getTests(result).length < tests
    );
}

function hasCompilerChanged(
    entry: StoredEntry['entry'],
    task: PlanTask,
    compilers: ReadonlyMap<string, string>,
): boolean {
    if (entry.result['verdict'] !== 'CompileError' || task.input.kind !== 'program') return false;
    const now = compilers.get(task.input.language);
    const then = entry.result['compiler'];
    return now !== undefined && typeof then === 'string' && then !== now;
}

const getTests = (result: StoredEntry['entry']['result']): JudgeResult['tests'] =>
    Array.isArray(result['tests']) ? (result['tests'] as JudgeResult['tests']) : [];

/** For each task, the number of equal tasks before it. */
function countOccurrences(tasks: readonly PlanTask[]): readonly number[] {
    const counts = new Map<string, number>();
    return tasks.map(({ fingerprint }) => {
        const count = counts.get(fingerprint) ?? 0;
        counts.set(fingerprint, count + 1);
        return count;
    });
}

/** The stored form of an occurrence; 0 is omitted. */
export const makeOccurrenceKey = (occurrence: number): { readonly occurrence?: number } =>
    occurrence === 0 ? {} : { occurrence };

/** A failure or unfinished attempt that belongs to this task, by fingerprint and occurrence. */
function findOpen(
    checkpoint: Checkpoint | null,
    group: string,
    task: PlanTask,
    occurrence: number,
): OpenTask | null {
    const belongs = (open: OpenTask): boolean =>
        open.group === group &&
        open.fingerprint === task.fingerprint &&
        (open.occurrence ?? 0) === occurrence;
    return checkpoint?.pending.find(belongs) ?? checkpoint?.failures.find(belongs) ?? null;
}

/** Failures and pending attempts that still belong to a due task, under its current index. */
function openTasks(
    input: PlanInput,
    due: readonly DueTask[],
): { readonly failures: readonly OpenTask[]; readonly pending: readonly OpenTask[] } {
    const still = (list: readonly OpenTask[] | undefined): readonly OpenTask[] =>
        due.flatMap((task) =>
            task.open !== null && list?.includes(task.open) === true
                ? [{ ...task.open, index: task.index, ...makeOccurrenceKey(task.occurrence) }]
                : [],
        );
    return { failures: still(input.checkpoint?.failures), pending: still(input.checkpoint?.pending) };
}

/** Whether the sample's limit can be computed but has not been: an earlier start ended before saving it. */
function awaitsLimit({ measuredGroup, computedLimits }: PlanInput, kept: readonly KeptEntry[]): boolean {
    if (measuredGroup === null || computedLimits !== null) return false;
    const saysLimit = ({ group, stored }: KeptEntry): boolean =>
        group === measuredGroup && isMeasured(stored.entry);
    return kept.some(({ group }) => group !== measuredGroup) && kept.some(saysLimit);
}

/** Whether the file is out of date and must be rewritten even if no task runs. */
function isDirty(
    checkpoint: Checkpoint | null,
    now: Pick<SamplePlan['state'], 'totals' | 'kept' | 'superseded' | 'skipped' | 'failures' | 'pending'>,
): boolean {
    if (checkpoint === null) return now.totals.every(([, total]) => total === 0);
    return (
        checkpoint.origin === 'earlier' ||
        now.superseded.length > 0 ||
        now.totals.length !== checkpoint.totals.size ||
        now.totals.some(([group, total]) => checkpoint.totals.get(group) !== total) ||
        now.kept.some((kept) => kept.index !== kept.stored.entry.index || kept.labels !== undefined) ||
        now.failures.length !== checkpoint.failures.length ||
        now.pending.length !== checkpoint.pending.length ||
        JSON.stringify(now.skipped) !== JSON.stringify(checkpoint.skipped)
    );
}
