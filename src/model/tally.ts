import type { Checkpoint, StoredEntry } from './checkpoint.js';
import type { OpenTask, SkippedTask, TestResult } from './entry.js';
import { isInPart, isUnexpected } from './expectation.js';
import { isJsonObject } from './json.js';
import { killTime } from './limits.js';
import { chooseExpected } from './sample.js';
import { type ExpectedScore, findMissedScore } from './scoring.js';
import { type CountedTask, findOtherSuccess, isCountedBySelf, type SuccessCounts } from './success-counts.js';
import { findSuccessLevel, levelOfVerdict } from './success-level.js';
import { isVerdict, type Verdict } from './verdict.js';

/** What one sample's result file says, in figures that summary, status and report add up. */
export interface SampleTally {
    readonly id: string;
    readonly groups: Readonly<Record<string, GroupTally>>;
    readonly isComplete: boolean;
    readonly unexpected: readonly Unexpected[];
    /** Known-right programs that scored in part, as their dataset allows. */
    readonly inPart: readonly ScoredInPart[];
    readonly nearLimit: readonly TaskRef[];
    /** Accepted under `--limits flat` with a test that took longer than the sample's own limit. */
    readonly aboveOwn: readonly TaskRef[];
    /** Tasks given up for now. */
    readonly failures: readonly FailedTask[];
    /** Skipped tasks by reason. */
    readonly skips: Readonly<Record<string, number>>;
}

export interface GroupTally {
    readonly total: number;
    readonly completed: number;
    /** Finished tasks by verdict; verdicts that did not occur are absent. */
    readonly verdicts: Readonly<Partial<Record<Verdict, number>>>;
    readonly skipped: number;
    /** Given up for now: the next start tries them again. */
    readonly failed: number;
    readonly pending: number;
    /** Finished tasks that are in the sample's list `inPart` and in no rate; absent: none. */
    readonly inPart?: number;
    /** For finished tasks whose problem has a best score; absent: there are none. */
    readonly scores?: ScoreSum;
    /** For one sample: absent if verdicts alone determine it (`sumSuccess`). */
    readonly success?: SuccessCounts;
}

/** Number of tasks with a share of the best score, and the sum of these shares: each from 0 to 1, ignoring negative scores. */
export interface ScoreSum {
    readonly tasks: number;
    readonly shares: number;
}

export interface TaskRef {
    readonly sample: string;
    readonly group: string;
    readonly index: number;
    readonly name?: string;
}

/** A finished task whose verdict, or score, is not among those expected of it. */
export interface Unexpected extends TaskRef, TaskDetails {
    readonly verdict: Verdict;
    readonly expected: readonly Verdict[];
}

/** A known-right program that scored less than the best score, as its dataset allows. */
export interface ScoredInPart extends TaskRef {
    readonly score: number;
    readonly best: number;
}

/** Details that help to see why a task got its verdict; absent if unknown. */
export interface TaskDetails {
    readonly language?: string;
    /** Position of the first test that did not pass, from 0. */
    readonly failedTest?: number;
    /** Seconds of its slowest test. */
    readonly time?: number;
    /**
     * For a program that timed out just beyond its sample's own limit, and ended by itself: its time as a multiple of the limit,
     * above 1. On a faster machine it may pass.
     */
    readonly timeInLimits?: number;
    /** For a program that timed out under `--timeout`, because its sample has no limit or a longer one: that time, in seconds. */
    readonly stoppedByTimeout?: number;
    /** For a problem with scores. */
    readonly score?: number;
    /** The best score that its problem allows; absent: it sets none. */
    readonly bestScore?: number;
    /** The score as a share of that; absent: there is none. */
    readonly scoreShare?: number;
    /** A score that was expected and differs from the actual one. */
    readonly missedScore?: ExpectedScore;
}

/** A task that was given up, and why: the next start tries it again. */
export interface FailedTask extends TaskRef {
    readonly reason: string;
    readonly message: string;
}

/** What a tally needs to know of a finished task. Kept for every entry, so it is small. */
export interface EntryFigures extends TaskDetails, CountedTask {
    readonly index: number;
    readonly nearLimit: boolean;
    readonly aboveOwn: boolean;
    readonly name?: string;
}

/** A sample's groups with what is known of their tasks. */
export interface GroupFigures {
    readonly name: string;
    readonly total: number;
    readonly entries: Iterable<EntryFigures>;
    readonly skipped: readonly SkippedTask[];
    readonly failed: readonly OpenTask[];
    readonly pending: number;
}

/**
 * The verdict of an entry in a result file: that of its last attempt, else (the earlier tools' entries have no attempts) the one
 * its result states; null if neither is a verdict.
 */
export function getVerdict(entry: StoredEntry['entry']): Verdict | null {
    const last = entry.attempts.at(-1)?.verdict;
    if (last !== undefined) return last;
    const result: unknown = entry.result;
    return isJsonObject(result) && isVerdict(result.verdict) ? result.verdict : null;
}

/** @returns null for an entry without a verdict or an index (an earlier tool's entry that no task was matched to) */
export function readFigures(entry: StoredEntry['entry']): EntryFigures | null {
    const verdict = getVerdict(entry);
    if (verdict === null || entry.index === null) return null;
    const result: unknown = entry.result;
    return {
        index: entry.index,
        verdict,
        nearLimit: isJsonObject(result) && result.near_limit === true,
        aboveOwn: verdict === 'Accepted' && isAboveOwn(entry),
        ...(entry.name === undefined ? {} : { name: entry.name }),
        ...(entry.expected === undefined ? {} : { expected: entry.expected }),
        ...(entry.adopted === undefined ? {} : { isAdopted: true }),
        ...readLevel(result, verdict),
        ...readDetails(entry),
        ...(verdict === 'TimeLimitExceeded' ? explainTimeOut(entry) : {}),
        ...readScores(entry),
    };
}

/** Empty if the verdict determines the level. */
function readLevel(result: unknown, verdict: Verdict): Pick<CountedTask, 'level'> {
    const level = findSuccessLevel(isJsonObject(result) ? result : {}, verdict);
    return level === levelOfVerdict(verdict) ? {} : { level };
}

function readDetails({ language, result }: StoredEntry['entry']): TaskDetails {
    const list: unknown = 'tests' in result ? result.tests : [];
    const tests = Array.isArray(list) ? (list as readonly TestResult[]) : [];
    let failedTest = -1;
    let time = 0;
    for (const [position, test] of tests.entries()) {
        if (!test.passed && failedTest === -1) failedTest = position;
        time = Math.max(time, test.cpu_time ?? test.wall_time ?? 0);
    }
    return {
        ...(language === undefined ? {} : { language }),
        ...(failedTest === -1 ? {} : { failedTest }),
        ...(time === 0 ? {} : { time }),
    };
}

function explainTimeOut({
    limits,
    result,
}: StoredEntry['entry']): Pick<TaskDetails, 'timeInLimits' | 'stoppedByTimeout'> {
    if (limits === undefined || limits.own_time !== undefined) return {};
    if (limits.from_timeout === true) return { stoppedByTimeout: limits.time };
    const tests: unknown = 'tests' in result ? result.tests : [];
    if (!Array.isArray(tests)) return {};
    const time = (tests as readonly TestResult[]).find((test) => !test.passed)?.cpu_time ?? 0;
    return time > limits.time && time < killTime(limits.time) ? { timeInLimits: time / limits.time } : {};
}

function readScores({
    expected_scores: expected,
    result,
}: StoredEntry['entry']): Pick<TaskDetails, 'score' | 'bestScore' | 'scoreShare' | 'missedScore'> {
    const score: unknown = 'score' in result && 'tests' in result ? result.score : undefined;
    if (typeof score !== 'number') return {};
    const missed = findMissedScore(expected, result);
    const best: unknown = 'best_score' in result ? result.best_score : undefined;
    return {
        score,
        ...(typeof best === 'number' ? { bestScore: best } : {}),
        ...(typeof best === 'number' && best > 0 ? { scoreShare: score / best } : {}),
        ...(missed === null ? {} : { missedScore: missed }),
    };
}

function isAboveOwn({ limits, result }: StoredEntry['entry']): boolean {
    const own = limits?.own_time;
    if (own === undefined || !('tests' in result) || !Array.isArray(result.tests)) return false;
    return (result.tests as readonly TestResult[]).some(
        (test) => (test.cpu_time ?? test.wall_time ?? 0) > own,
    );
}

/** Adds up one sample. */
export function tallySample(id: string, groups: readonly GroupFigures[]): SampleTally {
    const tallies = Object.create(null) as Record<string, GroupTally>;
    const unexpected: Unexpected[] = [];
    const inPart: ScoredInPart[] = [];
    const nearLimit: TaskRef[] = [];
    const aboveOwn: TaskRef[] = [];
    const failures: FailedTask[] = [];
    const skips = Object.create(null) as Record<string, number>;
    let isComplete = true;
    for (const group of groups) {
        const verdicts: Partial<Record<Verdict, number>> = {};
        let completed = 0;
        let scores: ScoreSum | null = null;
        const others: CountedTask[] = [];
        const before = inPart.length;
        for (const figures of group.entries) {
            completed += 1;
            if (isCountedBySelf(figures)) others.push(figures);
            verdicts[figures.verdict] = (verdicts[figures.verdict] ?? 0) + 1;
            const task = {
                group: group.name,
                verdict: figures.verdict,
                named: figures.expected ?? null,
                missedScore: figures.missedScore ?? null,
            };
            if (figures.scoreShare !== undefined)
                scores = addScores(scores, { tasks: 1, shares: figures.scoreShare });
            if (isUnexpected(task)) {
                const { verdict, language, failedTest, time, score } = figures;
                const { timeInLimits, stoppedByTimeout, missedScore } = figures;
                unexpected.push({
                    ...taskRef(id, group.name, figures),
                    verdict,
                    expected: chooseExpected(group.name, task.named) ?? [],
                    ...(language === undefined ? {} : { language }),
                    ...(failedTest === undefined ? {} : { failedTest }),
                    ...(time === undefined ? {} : { time }),
                    ...(timeInLimits === undefined ? {} : { timeInLimits }),
                    ...(stoppedByTimeout === undefined ? {} : { stoppedByTimeout }),
                    ...(score === undefined ? {} : { score }),
                    ...(missedScore === undefined ? {} : { missedScore }),
                });
            }
            if (isInPart(task)) {
                const { score = 0, bestScore = 0 } = figures;
                inPart.push({ ...taskRef(id, group.name, figures), score, best: bestScore });
            }
            if (figures.nearLimit) nearLimit.push(taskRef(id, group.name, figures));
            if (figures.aboveOwn) aboveOwn.push(taskRef(id, group.name, figures));
        }
        if (completed !== group.total) isComplete = false;
        // The file lists them in the order in which they failed.
        for (const { index, reason, message } of group.failed.toSorted((a, b) => a.index - b.index)) {
            failures.push({ sample: id, group: group.name, index, reason, message: cutFirstLine(message) });
        }
        for (const { reason } of group.skipped) skips[reason] = (skips[reason] ?? 0) + 1;
        const { total, pending } = group;
        const [skipped, failed] = [group.skipped.length, group.failed.length];
        const tally: GroupTally = { total, completed, verdicts, skipped, failed, pending };
        const parts = inPart.length - before;
        const success = findOtherSuccess(group.name, verdicts, others);
        tallies[group.name] =
            parts === 0 && scores === null && success === null
                ? tally
                : {
                      ...tally,
                      ...(parts === 0 ? {} : { inPart: parts }),
                      ...(scores === null ? {} : { scores }),
                      ...(success === null ? {} : { success }),
                  };
    }
    return {
        id,
        groups: tallies,
        isComplete,
        unexpected,
        inPart,
        nearLimit,
        aboveOwn,
        failures,
        skips: { ...skips },
    };
}

const taskRef = (
    sample: string,
    group: string,
    { index, name }: Pick<EntryFigures, 'index' | 'name'>,
): TaskRef => (name === undefined ? { sample, group, index } : { sample, group, index, name });

/** The sum of two; `sum` may not exist yet. */
export function addScores(sum: ScoreSum | null | undefined, more: ScoreSum): ScoreSum {
    return { tasks: (sum?.tasks ?? 0) + more.tasks, shares: (sum?.shares ?? 0) + more.shares };
}

/** Enough of a message to know what happened; the result file has the rest. */
const cutFirstLine = (message: string): string => message.split('\n', 1)[0]?.slice(0, 200) ?? '';

/** Adds up a result file as it was read, for read-only commands (status, report). */
export function tallyCheckpoint(checkpoint: Checkpoint): SampleTally {
    const names = new Set([...checkpoint.entries.keys(), ...checkpoint.totals.keys()]);
    const groups = [...names].map((name) => {
        const entries: EntryFigures[] = [];
        for (const stored of checkpoint.entries.get(name) ?? []) {
            const figures = readFigures(stored.entry);
            if (figures !== null) entries.push(figures);
        }
        return {
            name,
            total: checkpoint.totals.get(name) ?? entries.length,
            entries,
            ...countOpenTasks(checkpoint, name),
        };
    });
    const tally = tallySample(checkpoint.id, groups);
    // A file of the earlier tools has no totals, so what it lacks is unknown.
    return { ...tally, isComplete: checkpoint.isComplete };
}

/** What a group has besides finished tasks. */
export function countOpenTasks(
    from: Pick<Checkpoint, 'skipped' | 'failures' | 'pending'>,
    group: string,
): Pick<GroupFigures, 'skipped' | 'failed' | 'pending'> {
    const of = <T extends { readonly group: string }>(list: readonly T[]): readonly T[] =>
        list.length === 0 ? list : list.filter((item) => item.group === group);
    return { skipped: of(from.skipped), failed: of(from.failures), pending: of(from.pending).length };
}
