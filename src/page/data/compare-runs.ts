import { computeExactMcnemar } from '../../results/ask/statistics.js';
import type { RunData } from './run-data.js';

/** A task that has a verdict in both runs, as an entry of each. */
export interface TaskPair {
    readonly first: number;
    readonly second: number;
}

export interface RunComparison {
    readonly pairs: number;
    readonly onlyFirst: number;
    readonly onlySecond: number;
    readonly bothRight: number;
    readonly bothWrong: number;
    readonly regressions: number;
    readonly fixes: number;
    /** p values of the exact McNemar test. */
    readonly byTasks: number;
    readonly bySamples: number;
    /** Pairs with different verdicts. */
    readonly changes: readonly (TaskPair & { readonly kind: 'regression' | 'fix' | 'changed' })[];
}

/**
 * Pairs tasks of the same sample and group by fingerprint, the rest by index, and counts what changed. A verdict is right if the
 * dataset expects it, or accepted where the dataset expects nothing, as in `resume-run compare`.
 */
export function compareRuns(a: RunData, b: RunData): RunComparison {
    const positions = new Map(b.header.samples.map((id, at) => [id, at]));
    const counts = { bothRight: 0, bothWrong: 0, regressions: 0, fixes: 0 };
    const better = { first: 0, second: 0 };
    const changes: RunComparison['changes'][number][] = [];
    let pairs = 0;
    for (const [sample, id] of a.header.samples.entries()) {
        const other = positions.get(id);
        if (other === undefined) continue;
        let ahead = 0;
        for (const pair of pairTasks(a, sample, b, other)) {
            pairs += 1;
            const right = { first: a.isRight(pair.first), second: b.isRight(pair.second) };
            ahead += Number(right.first) - Number(right.second);
            if (right.first && right.second) counts.bothRight += 1;
            else if (right.first) counts.regressions += 1;
            else if (right.second) counts.fixes += 1;
            else counts.bothWrong += 1;
            if (a.getOutcome(pair.first) === b.getOutcome(pair.second)) continue;
            const kind = right.first === right.second ? 'changed' : right.first ? 'regression' : 'fix';
            changes.push({ ...pair, kind });
        }
        if (ahead > 0) better.first += 1;
        if (ahead < 0) better.second += 1;
    }
    return {
        pairs,
        onlyFirst: judgedIn(a) - pairs,
        onlySecond: judgedIn(b) - pairs,
        ...counts,
        byTasks: computeExactMcnemar(counts.regressions, counts.fixes),
        bySamples: computeExactMcnemar(better.first, better.second),
        changes,
    };
}

function judgedIn(data: RunData): number {
    let judged = 0;
    for (let entry = 0; entry < data.count; entry += 1) if (data.isJudged(entry)) judged += 1;
    return judged;
}

function pairTasks(a: RunData, sampleOfA: number, b: RunData, sampleOfB: number): readonly TaskPair[] {
    const left = new Map<string, number[]>();
    const rest = new Set<number>();
    for (const entry of judgedEntries(b, sampleOfB)) {
        const key = `${b.getGroup(entry)} ${b.value('task', entry)}`;
        left.set(key, [...(left.get(key) ?? []), entry]);
        rest.add(entry);
    }
    const pairs: TaskPair[] = [];
    const unmatched: number[] = [];
    for (const entry of judgedEntries(a, sampleOfA)) {
        const second = left.get(`${a.getGroup(entry)} ${a.value('task', entry)}`)?.shift();
        if (second === undefined) unmatched.push(entry);
        else {
            pairs.push({ first: entry, second });
            rest.delete(second);
        }
    }
    const byIndex = new Map(
        [...rest].map((entry) => [`${b.getGroup(entry)} ${b.value('index', entry)}`, entry]),
    );
    for (const first of unmatched) {
        const second = byIndex.get(`${a.getGroup(first)} ${a.value('index', first)}`);
        if (second !== undefined) pairs.push({ first, second });
    }
    return pairs;
}

function* judgedEntries(data: RunData, sample: number): Generator<number> {
    for (let entry = data.starts[sample] ?? 0; entry < (data.starts[sample + 1] ?? 0); entry += 1)
        if (data.isJudged(entry)) yield entry;
}
