/*
 * How thorough the tests are: the only place that reads this from the environment. The short form (`npm test`, `.ci/run`) does
 * fewer repetitions; `.ci/long` and `npm run crash` request the long form.
 */

/** The long form covers every I/O call, every prefix, and many rounds. */
export const LONG = process.env['LONG_TESTS'] === '1';

const loops = Number(process.env['LOOPS'] ?? 50);

/** Seed of everything random in the crash suite, printed with every failure. */
export const SEED = Number(process.env['SEED'] ?? Date.now() % 1_000_000);

/** How often to try a property. */
export const runs = (usual: number, long = usual * 20): number => (LONG ? long : usual);

/** Rounds of kills and other random things; in the long form, the number given by `LOOPS`. */
export const rounds = (usual: number): number => (LONG ? loops : usual);

/** Every item in the long form; otherwise `count` of them, evenly spread, with a selection that depends on the seed. */
export function sampled<T>(items: readonly T[], count: number): T[] {
    if (LONG || items.length <= count) return [...items];
    const step = items.length / count;
    return Array.from(
        { length: count },
        (_, at) => items[Math.floor(at * step + ((SEED % 97) / 97) * step)],
    ).filter((item) => item !== undefined);
}

/** Options for runs that are not about workers, because each worker takes a third of a second of CPU time to start. */
export const NO_WORKERS: readonly string[] = LONG ? [] : ['--mode', 'async'];

/** One line for the start of a run that names its form. */
export const describeForm = (): string =>
    LONG
        ? `the long form of the tests: ${loops} rounds, seed ${SEED}`
        : `the short form of the tests, seed ${SEED}; npm run test:slow and .ci/long try more`;
