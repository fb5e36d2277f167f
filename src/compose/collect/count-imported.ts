import { join } from 'node:path';
import { type CellCoordinates, STANDARD_DIMENSIONS } from '../../model/matrix.js';
import { readAggregates } from '../../results/aggregate/aggregate-files.js';
import { readGeneration } from '../../results/store/read-generation.js';

/**
 * Reads how many runs an earlier database counted for a cell without keeping records, as imported into a results database as
 * aggregate cells.
 * @param database absolute
 * @returns 0 for an unknown cell, and for cells with dimensions other than the five of the earlier tools
 * @throws UserError (exit 2) if there is no database
 */
export async function readImportedCounts(database: string): Promise<(at: CellCoordinates) => number> {
    const { manifest } = await readGeneration(database);
    const totals = new Map<string, number>();
    for (const { path } of manifest.aggregates) {
        for (const cell of await readAggregates(join(database, path))) {
            const { total } = cell;
            if (typeof total !== 'number' || !Number.isSafeInteger(total) || total < 1) continue;
            const key = makeKey(STANDARD_DIMENSIONS.map((name) => cell[name]));
            totals.set(key, (totals.get(key) ?? 0) + total);
        }
    }
    return (at) => {
        const isKnown = Object.keys(at).length === STANDARD_DIMENSIONS.length;
        return isKnown ? (totals.get(makeKey(STANDARD_DIMENSIONS.map((name) => at[name]))) ?? 0) : 0;
    };
}

/** A rate is a number here, but text in the database: `0.8`, `1.0`. */
function makeKey(values: readonly unknown[]): string {
    const rate = STANDARD_DIMENSIONS.indexOf('tool_success_rate');
    return JSON.stringify(
        values.map((value, position) =>
            position === rate && value !== null
                ? String(Math.round(Number(value) * 10_000) / 10_000)
                : String(value),
        ),
    );
}
