import { basename } from 'node:path';
import type { DuckDBConnection, JS } from '@duckdb/node-api';
import { connectToDuckDb } from '../duckdb.js';
import { describeColumns, quoteName, quoteText, selectNoRecords } from '../record/columns.js';
import type { StorageFormat } from '../result-store.js';
import { PartError } from '../store/part-codec.js';
import { CellSums, ERROR_FIELDS, MEAN_FIELDS } from './cell-sums.js';
import { findCoordinates, MasterTree, type PartCells } from './master-tree.js';

/**
 * Adds up the records of parts inside the engine, about ten times as fast as one by one. The parts are queried in two halves at
 * the same time: many parts share a query because preparing it takes as long as answering it.
 * @param paths of parts with the same codec
 * @returns the cells of each part
 * @throws UserError without DuckDB, PartError
 */
export async function addUpBySql(
    paths: readonly string[],
    codec: StorageFormat,
): Promise<readonly PartCells[]> {
    const middle = Math.ceil(paths.length / 2);
    const halves = [paths.slice(0, middle), paths.slice(middle)].filter((half) => half.length > 0);
    return (await Promise.all(halves.map((half) => addUpSome(half, codec)))).flat();
}

async function addUpSome(paths: readonly string[], codec: StorageFormat): Promise<readonly PartCells[]> {
    // Connect outside of the try block: a missing package is not an error of the parts.
    const duckdb = await connectToDuckDb();
    try {
        return await addUpTogether(duckdb, paths, codec);
    } catch (error) {
        const [path = ''] = paths;
        if (paths.length > 1) {
            // Read them one by one to find out which part fails.
            const cells: PartCells[] = [];
            for (const one of paths) cells.push(...(await addUpSome([one], codec)));
            return cells;
        }
        const why = error instanceof Error ? (error.message.split('\n')[0] ?? '') : String(error);
        throw new PartError(path, why, { cause: error });
    } finally {
        duckdb.closeSync();
    }
}

async function addUpTogether(
    duckdb: DuckDBConnection,
    paths: readonly string[],
    codec: StorageFormat,
): Promise<readonly PartCells[]> {
    const list = `[${paths.map(quoteText).join(', ')}]`;
    const source =
        codec === 'parquet'
            ? `read_parquet(${list}, filename = ${FILE}, union_by_name = true)`
            : `read_json(${list}, filename = ${FILE}, format = 'newline_delimited', columns = ${describeColumns()})`;
    const result = await duckdb.runAndReadAll(
        `SELECT ${FILE}, ${CELLS} FROM (${selectNoRecords()} UNION ALL BY NAME SELECT * FROM ${source}) GROUP BY ALL`,
    );
    const rows = new Map(paths.map((path): [string, SumsRow[]] => [basename(path), []]));
    for (const row of result.getRowObjectsJS()) rows.get(basename(textIn(row, FILE) ?? ''))?.push(row);
    return Array.from(rows.values(), collectCells);
}

/** Column that holds the path of the record's part. */
const FILE = 'part_file';

const LEVEL = 'success_level';
/** Only finished tasks count in sums and means, as in `CellSums.add`. */
const ENDED = `FILTER (WHERE ${LEVEL} IS NOT NULL)`;
const ASSISTED = ['assisted_failure', 'assisted_success', 'assisted_turns'] as const;

const CELLS = `
    model, is_flawed, flaw_type, prompt_type, tool_success_rate, difficulty, task_type,
        count(*) FILTER (WHERE ${LEVEL} = 'full') AS success, count(*) FILTER (WHERE ${LEVEL} = 'partial') AS "partial",
        count(*) FILTER (WHERE ${LEVEL} NOT IN ('full', 'partial')) AS failed,
        count(*) FILTER (WHERE ${LEVEL} IS NULL) AS infrastructure, count(*) AS records,
        ${MEAN_FIELDS.map((field) => `sum(${quoteName(field)}) ${ENDED} AS ${quoteName(`sum_${field}`)}, count(${quoteName(field)}) ${ENDED} AS ${quoteName(`count_${field}`)}`).join(', ')},
        ${[...ERROR_FIELDS, ...ASSISTED].map((field) => `sum(${field}) ${ENDED} AS ${field}`).join(', ')},
        count(*) FILTER (WHERE ${LEVEL} IS NOT NULL AND (${ASSISTED.map((field) => `${field} > 0`).join(' OR ')})) AS assisted_tests,
        epoch_ms(min(finished_at) ${ENDED}) AS first_time, epoch_ms(max(finished_at) ${ENDED}) AS last_time`;

type SumsRow = Readonly<Record<string, JS>>;

function collectCells(rows: readonly SumsRow[]): PartCells {
    const tree = new MasterTree();
    for (const row of rows) {
        const model = textIn(row, 'model');
        if (model === null) {
            tree.addCells({ without_model: Number(row['records']), cells: [] });
            continue;
        }
        const at = findCoordinates(
            {
                is_flawed: row['is_flawed'] === true,
                flaw_type: textIn(row, 'flaw_type'),
                prompt_type: textIn(row, 'prompt_type'),
                tool_success_rate:
                    row['tool_success_rate'] === null ? null : Number(row['tool_success_rate']),
                difficulty: textIn(row, 'difficulty'),
                task_type: textIn(row, 'task_type'),
            },
            model,
        );
        tree.addCells({ without_model: 0, cells: [{ at, sums: readSums(row).toJson() }] });
    }
    return tree.partCells();
}

const textIn = (row: SumsRow, name: string): string | null => {
    const value = row[name];
    return typeof value === 'string' ? value : null;
};

/** SQL sums of nothing are null. */
const numberIn = (row: SumsRow, name: string): number => Number(row[name] ?? 0);

function readSums(row: SumsRow): CellSums {
    const sums = new CellSums();
    sums.success = numberIn(row, 'success');
    sums.partial = numberIn(row, 'partial');
    sums.failed = numberIn(row, 'failed');
    sums.infrastructure = numberIn(row, 'infrastructure');
    sums.assistedFailure = numberIn(row, 'assisted_failure');
    sums.assistedSuccess = numberIn(row, 'assisted_success');
    sums.assistedTurns = numberIn(row, 'assisted_turns');
    sums.assistedTests = numberIn(row, 'assisted_tests');
    for (const field of MEAN_FIELDS)
        sums.sums[field] = { sum: numberIn(row, `sum_${field}`), count: numberIn(row, `count_${field}`) };
    for (const field of ERROR_FIELDS) sums.errors[field] = numberIn(row, field);
    sums.firstTime = timeIn(row, 'first_time');
    sums.lastTime = timeIn(row, 'last_time');
    return sums;
}

const timeIn = (row: SumsRow, name: string): string => {
    const value = row[name];
    return value === null || value === undefined ? '' : new Date(Number(value)).toISOString();
};
