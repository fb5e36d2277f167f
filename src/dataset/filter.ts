import { createHash } from 'node:crypto';
import picomatch from 'picomatch';
import type { Shard } from '../model/shard.js';
import { UserError } from '../util/user-error.js';

/** Which samples of the datasets a run takes. Null means no restriction. */
export interface SampleChoice {
    /** `--only`: patterns of ids; a sample must match at least one. */
    readonly only: readonly string[] | null;
    /** Ids chosen by a command; null or absent: no restriction. */
    readonly ids?: ReadonlySet<string> | null;
    /** `--limit`: at most this many samples, counted over all datasets and after the other two restrictions. */
    readonly limit: number | null;
    readonly shard: Shard | null;
}

/** The shard (1 to `count`) that a sample belongs to. It depends only on the id, so it stays the same when the dataset grows. */
export function chooseShard(id: string, count: number): number {
    return (createHash('sha256').update(id).digest().readUInt32BE(0) % count) + 1;
}

/**
 * Whether `--only` selects an id. A pattern is a glob in which `*` does not cross `/` and `**` does. An id always matches its own
 * text, whatever characters it contains. A pattern that begins with `!` excludes what the rest of it matches; `\!` and `\*` stand
 * for the characters themselves.
 * @throws UserError for patterns that are empty or far too long
 */
export function makeIdMatcher(only: readonly string[] | null): (id: string) => boolean {
    if (only === null || only.length === 0) return () => true;
    const chosen = only.filter((pattern) => !pattern.startsWith('!'));
    const leftOut = only.filter((pattern) => pattern.startsWith('!')).map((pattern) => pattern.slice(1));
    const isChosen = chosen.length === 0 ? () => true : makeEitherMatcher(chosen);
    const isLeftOut = leftOut.length === 0 ? () => false : makeEitherMatcher(leftOut);
    return (id) => isChosen(id) && !isLeftOut(id);
}

function makeEitherMatcher(patterns: readonly string[]): (id: string) => boolean {
    const exact = new Set(patterns);
    const matches = globMatcher(patterns);
    return (id) => exact.has(id) || matches(id);
}

function globMatcher(only: readonly string[]): (id: string) => boolean {
    try {
        return picomatch([...only], { dot: true });
    } catch (error) {
        const why = error instanceof Error ? error.message : String(error);
        throw new UserError(`--only ${only.join(' ')}: ${why}`);
    }
}

/** The chosen samples, in order; with `--limit`, the rest of the stream is not read. */
export function* chooseSamples<T>(
    samples: Iterable<T>,
    idOf: (sample: T) => string,
    choice: SampleChoice,
): Iterable<T> {
    const matches = makeIdMatcher(choice.only);
    const { shard } = choice;
    let left = choice.limit ?? Number.POSITIVE_INFINITY;
    if (left <= 0) return;
    for (const sample of samples) {
        if (!matches(idOf(sample)) || choice.ids?.has(idOf(sample)) === false) continue;
        if (shard !== null && chooseShard(idOf(sample), shard.count) !== shard.index) continue;
        yield sample;
        left -= 1;
        if (left === 0) return;
    }
}
