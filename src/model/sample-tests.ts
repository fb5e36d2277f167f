/*
 * Packages that are judged by their samples alone (`--sample-tests`) have their tasks in separate groups: samples let wrong
 * programs pass, so no rate may count them.
 */

const ON_SAMPLES = '_on_samples';

/** `solution_on_samples` */
export const nameOnSamples = (group: string): string => `${group}${ON_SAMPLES}`;

export const renameOnSamples = <T>(groups: Readonly<Record<string, T>>): Record<string, T> =>
    Object.fromEntries(Object.entries(groups).map(([name, tasks]) => [nameOnSamples(name), tasks]));

/** The group that tasks would be in if their package had all of its tests; null for any other group. */
export function readOnSamples(group: string): 'solution' | 'incorrect_solution' | null {
    switch (group) {
        case `solution${ON_SAMPLES}`:
            return 'solution';
        case `incorrect_solution${ON_SAMPLES}`:
            return 'incorrect_solution';
        default:
            return null;
    }
}
