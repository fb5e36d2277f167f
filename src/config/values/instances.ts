import { UserError } from '../../util/user-error.js';

/** Maximum number of instances of a cell: each is a task in the same result file. */
const MAX_INSTANCES = 100_000;

/** The number of instances of a cell, and of rows over which they are spread (null: as many as instances). */
export interface InstanceCount {
    readonly instances: number;
    readonly rows: number | null;
}

/**
 * Parses `20`, or `20x4`: 20 rows, each used 4 times.
 * @param label how messages name the value
 */
export function parseInstances(given: number | string, label: string): InstanceCount {
    const [, first = '', second] = /^\s*(\d{1,9})(?:\s*[xX×*]\s*(\d{1,9}))?\s*$/.exec(String(given)) ?? [];
    const rows = Number(first);
    const instances = rows * Number(second ?? '1');
    if (first === '' || instances < 1 || instances > MAX_INSTANCES) {
        throw new UserError(
            `${label}: expected a number of instances such as 20, or 20x4 (20 rows, 4 times each), ${MAX_INSTANCES} at most; got ${JSON.stringify(given)}`,
        );
    }
    return { instances, rows: second === undefined ? null : rows };
}
