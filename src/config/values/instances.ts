import { UserError } from '../../util/user-error.js';

/** Instances of a cell at most: each is a task of one result file. */
const MOST_INSTANCES = 100_000;

/** How many instances a cell has, and over how many rows they are spread (null: as many as there are). */
export interface InstanceCount {
    readonly instances: number;
    readonly rows: number | null;
}

/**
 * Reads `20`, or `20x4`: 20 rows, each asked 4 times.
 * @param label how messages name what was given
 */
export function parseInstances(given: number | string, label: string): InstanceCount {
    const [, first = '', second] = /^\s*(\d{1,9})(?:\s*[xX×*]\s*(\d{1,9}))?\s*$/.exec(String(given)) ?? [];
    const rows = Number(first);
    const instances = rows * Number(second ?? '1');
    if (first === '' || instances < 1 || instances > MOST_INSTANCES) {
        throw new UserError(
            `${label}: expected a number of instances such as 20, or 20x4 (20 rows, 4 times each), ${MOST_INSTANCES} at most; got ${JSON.stringify(given)}`,
        );
    }
    return { instances, rows: second === undefined ? null : rows };
}
