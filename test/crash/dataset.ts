/** A task of the crash suite, as read by `task.mjs`. */
export interface CrashTask {
    /** Unique in the dataset, made of letters, digits and `-`; ends in `x` if the answer is "not accepted". */
    readonly key: string;
    /** Duration in milliseconds. */
    readonly ms?: number;
    /** Approximate size of its result in bytes. */
    readonly size?: number;
    /** A fault that replaces its first `times` executions. */
    readonly fault?: { readonly does: string; readonly times: number };
    /** For `task.mjs#garbage`. */
    readonly returns?: string;
}

export interface CrashSample {
    readonly id: string;
    readonly groups: Readonly<Record<string, readonly CrashTask[]>>;
}

export type CrashDataset = readonly CrashSample[];

/** Pseudo-random numbers from a seed (mulberry32), so that a failure can be reproduced. */
export function random(seed: number): () => number {
    let state = seed >>> 0;
    return () => {
        state = (state + 0x6d2b79f5) >>> 0;
        let t = state;
        t = Math.imul(t ^ (t >>> 15), t | 1);
        t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
        return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
    };
}

export interface DatasetShape {
    readonly samples: number;
    /** Maximum number of tasks in each group. */
    readonly tasks: number;
    /** Maximum duration of a task in milliseconds. */
    readonly ms: number;
    /** Maximum size of a result in bytes. */
    readonly size: number;
}

const IDS = [
    'Codeforces/1575/A',
    'plain',
    'with space',
    'ünïcode',
    'a_b',
    'a/b',
    'UPPER',
    'upper',
    '..',
    'x.json',
];

/** A dataset with difficult ids and groups of many sizes, including an empty one. */
export function makeDataset(shape: DatasetShape, seed = 1): CrashDataset {
    const next = random(seed);
    const upTo = (most: number): number => Math.floor(next() * (most + 1));
    return Array.from({ length: shape.samples }, (_, at) => {
        const list = (group: string, count: number): CrashTask[] =>
            Array.from({ length: count }, (_task, index) => ({
                key: `${at}-${group}-${index}${next() < 0.2 ? 'x' : ''}`,
                ms: upTo(shape.ms),
                size: upTo(shape.size),
            }));
        return {
            id: IDS[at] ?? `sample-${at}`,
            groups: {
                solution: list('s', 1 + upTo(shape.tasks - 1)),
                incorrect_solution: list('i', at % 4 === 3 ? 0 : upTo(shape.tasks)),
                ...(at % 3 === 0 ? { iteration: list('n', shape.tasks) } : {}),
            },
        };
    });
}

/** The dataset as JSONL. */
export const toJsonLines = (dataset: CrashDataset): string =>
    dataset.map((sample) => `${JSON.stringify(sample)}\n`).join('');

/** Keys of all tasks. */
export const keysOf = (dataset: CrashDataset): string[] =>
    dataset.flatMap(({ groups }) => Object.values(groups).flatMap((tasks) => tasks.map((task) => task.key)));
