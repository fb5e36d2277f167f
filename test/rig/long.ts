/*
 * How much the tests try: the one place that reads it from the environment. The ordinary form (`npm test`, `.ci/run`) tries less
 * of what is only tried more often; `.ci/long` and `npm run crash` ask for the long one.
 */

/** The long form: every I/O call, every prefix, many rounds. */
export const LONG = process.env['LONG_TESTS'] === '1';

const loops = Number(process.env['LOOPS'] ?? 50);

/** Of everything random in the crash suite; told with every failure. */
export const SEED = Number(process.env['SEED'] ?? Date.now() % 1_000_000);

/** How often a property is tried. */
export const runs = (usual: number, long = usual * 20): number => (LONG ? long : usual);

/** Rounds of kills and other things that are random; in the long form as many as `LOOPS` says. */
export const rounds = (usual: number): number => (LONG ? loops : usual);

/** Every item in the long form; otherwise `count` of them, spread evenly, other ones with another seed. */
export function sampled<T>(items: readonly T[], count: number): T[] {
    if (LONG || items.length <= count) return [...items];
    const step = items.length / count;
    return Array.from(
        { length: count },
        (_, at) => items[Math.floor(at * step + ((SEED % 97) / 97) * step)],
    ).filter((item) => item !== undefined);
}

/** Options for runs that are not about workers, each of which takes a third of a second of CPU time to start. */
export const NO_WORKERS: readonly string[] = LONG ? [] : ['--mode', 'async'];

/** One line that says which form it is, for the beginning of a run. */
export const describeForm = (): string =>
    LONG
        ? `the long form of the tests: ${loops} rounds, seed ${SEED}`
        : `the short form of the tests, seed ${SEED}; npm run test:slow and .ci/long try more`;
