import type { Stopwatch } from './stopwatch.js';

/** What every measurement receives. */
export interface Bench {
    readonly stopwatch: Stopwatch;
    /** The measurement's own folder, empty when it starts and removed after it. */
    readonly folder: string;
    /** How often each thing is measured; the median is used. */
    readonly repetitions: number;
    /** 1 for the published sizes; smaller for a quick look. */
    readonly scale: number;
    /** Concurrent tasks, on both sides. */
    readonly concurrency: number;
}

/** One line of the table. */
export interface Figure {
    readonly what: string;
    readonly product: string;
    readonly baseline: string;
    readonly ratio: string;
    readonly goal: string;
    /** null if there is no goal. */
    readonly met: boolean | null;
    /** Whether README shows it as well: about one figure per measurement. */
    readonly headline?: boolean;
}

/** One measurement: a letter, what it shows, and how to take it. Returns no figure if a tool it needs is missing, and says so. */
export interface Measurement {
    readonly key: string;
    readonly about: string;
    measure(bench: Bench): Promise<readonly Figure[]>;
}

export function median(values: readonly number[]): number {
    const sorted = values.toSorted((a, b) => a - b);
    const middle = sorted.length >> 1;
    const upper = sorted[middle];
    if (upper === undefined) throw new Error('a median of nothing');
    return sorted.length % 2 === 1 ? upper : ((sorted[middle - 1] ?? upper) + upper) / 2;
}

/**
 * Runs the sides in turn, each `repetitions` times, so that other load on the machine affects all of them alike. A different side
 * starts in each round.
 */
export async function interleaved<Side extends string, Result>(
    repetitions: number,
    sides: Readonly<Record<Side, (round: number) => Promise<Result>>>,
): Promise<Readonly<Record<Side, readonly Result[]>>> {
    const names = Object.keys(sides) as Side[];
    const results = Object.fromEntries(names.map((name) => [name, [] as Result[]])) as Record<Side, Result[]>;
    for (let round = 0; round < repetitions; round += 1) {
        for (let turn = 0; turn < names.length; turn += 1) {
            const name = names[(round + turn) % names.length] as Side;
            results[name].push(await sides[name](round));
        }
    }
    return results;
}

/** The median ratio of one side to the other, taken round by round. */
export function medianRatio<T>(
    numerators: readonly T[],
    denominators: readonly T[],
    of: (result: T) => number,
): number {
    return median(numerators.map((item, round) => of(item) / of(denominators[round] as T)));
}

export const perSecond = (count: number, seconds: number): string => `${grouped(count / seconds)}/s`;

export function grouped(value: number): string {
    return value >= 100 ? Math.round(value).toLocaleString('en-US') : value.toPrecision(3);
}

export const percent = (share: number): string => `${(100 * share).toFixed(0)} %`;
export const times = (ratio: number): string => `${ratio.toFixed(ratio < 10 ? 2 : 1)} x`;
export const seconds = (value: number): string => `${value.toFixed(value < 10 ? 2 : 1)} s`;
export const megabytes = (bytes: number): string => `${grouped(bytes / 1e6)} MB`;
