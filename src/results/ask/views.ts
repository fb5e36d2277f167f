import type { DuckDBConnection } from '@duckdb/node-api';
import {
    describeColumns,
    chooseColumnType,
    quoteName,
    quoteText,
    selectNoRecords,
} from '../record/columns.js';
import { ATTEMPT_FIELDS } from '../record/fields.js';

/** Files of records, all absolute paths. */
export interface RecordFiles {
    /** JSON lines. */
    readonly json: readonly string[];
    readonly parquet: readonly string[];
    /** Cells of earlier databases as JSON lines, with the file that they came from and their number. */
    readonly cells: readonly { readonly path: string; readonly source: string; readonly count: number }[];
    /** Folders that hold the files: nothing else may be read later. */
    readonly folders: readonly string[];
}

/** Creates the views `records`, `attempts`, `cells` and `runs`, described in docs/database.md. */
export async function createViews(connection: DuckDBConnection, files: RecordFiles): Promise<void> {
    await connection.run(`CREATE VIEW records AS ${recordsSql(files)}`);
    await connection.run(`CREATE VIEW attempts AS ${ATTEMPTS_SQL}`);
    await connection.run(
        `CREATE VIEW cells AS ${[CELLS_SQL, ...files.cells.map(earlierCellsSql)].join(' UNION ALL BY NAME ')}`,
    );
    await connection.run(`CREATE VIEW runs AS ${RUNS_SQL}`);
}

/** Records of one side of a comparison. */
export interface RecordSide extends RecordFiles {
    /** The run to use; null: everything in the files. */
    readonly run: string | null;
}

/** Creates the views `first` and `second`. */
export async function createSides(
    connection: DuckDBConnection,
    first: RecordSide,
    second: RecordSide,
): Promise<void> {
    for (const [name, side] of [
        ['first', first],
        ['second', second],
    ] as const) {
        const condition = side.run === null ? '' : ` WHERE run = ${quoteText(side.run)}`;
        await connection.run(`CREATE VIEW ${name} AS SELECT * FROM (${recordsSql(side)})${condition}`);
    }
}

function recordsSql({ json, parquet }: RecordFiles): string {
    const list = (paths: readonly string[]): string => `[${paths.map(quoteText).join(', ')}]`;
    const sources = [selectNoRecords()];
    if (json.length > 0)
        sources.push(
            `SELECT * FROM read_json(${list(json)}, format = 'newline_delimited', columns = ${describeColumns()})`,
        );
    if (parquet.length > 0)
        sources.push(`SELECT * FROM read_parquet(${list(parquet)}, union_by_name = true)`);
    return sources.join(' UNION ALL BY NAME ');
}

const ATTEMPT_SHAPE = JSON.stringify([
    // Times as text: an invalid one must not fail the query.
    Object.fromEntries(
        ATTEMPT_FIELDS.map(({ name, type }) => [name, type === 'time' ? 'VARCHAR' : chooseColumnType(type)]),
    ),
]);

const ATTEMPTS_SQL = `
    SELECT run, sample, "group", fingerprint, occurrence, "index", language, model,
        ${ATTEMPT_FIELDS.map(({ name, type }) =>
            type === 'time'
                ? `try_cast(one.${quoteName(name)} AS TIMESTAMPTZ) AS ${quoteName(name)}`
                : `one.${quoteName(name)} AS ${quoteName(name)}`,
        ).join(', ')}
    FROM (
        SELECT *, unnest(from_json(attempt_log, ${quoteText(ATTEMPT_SHAPE)})) AS one
        FROM records WHERE json_valid(attempt_log)
    )`;

/** For a flawed prompt the flaw is the prompt type, as in the earlier tools' trees. */
export const PROMPT_SQL =
    "CASE WHEN is_flawed AND flaw_type IS NOT NULL THEN 'flawed_' || flaw_type ELSE prompt_type END";

const CELLS_SQL = `
    SELECT NULL::VARCHAR AS source, model, ${PROMPT_SQL} AS prompt_type, tool_success_rate, difficulty, task_type,
        count(success_level) AS total,
        count(*) FILTER (WHERE success_level = 'full') AS success,
        count(*) FILTER (WHERE success_level = 'partial') AS partial,
        count(*) FILTER (WHERE success_level = 'failure') AS failed,
        count(*) FILTER (WHERE success_level IS NULL) AS infrastructure,
        avg(wall_time) AS avg_wall_time, avg(turns) AS avg_turns, avg(tool_calls) AS avg_tool_calls,
        avg(coverage) AS avg_coverage, sum(cost) AS cost
    FROM records WHERE model IS NOT NULL GROUP BY ALL`;

/** Counts of an earlier database, next to those of the records; `source` tells them apart. */
function earlierCellsSql({ path, source }: RecordFiles['cells'][number]): string {
    const texts = ['model', 'prompt_type', 'tool_success_rate', 'difficulty', 'task_type'];
    const counts = ['total', 'success', 'partial', 'failed'];
    const columns = [
        ...texts.map((name) => `${name}: 'VARCHAR'`),
        ...counts.map((name) => `${name}: 'BIGINT'`),
        "numbers: 'JSON'",
    ];
    const number = (key: string, name: string): string =>
        `try_cast(numbers->>'$.${key}' AS DOUBLE) AS ${name}`;
    return `
        SELECT ${quoteText(source)} AS source, model, prompt_type,
            try_cast(tool_success_rate AS DOUBLE) AS tool_success_rate, difficulty, task_type, ${counts.join(', ')},
            ${number('avg_execution_time', 'avg_wall_time')}, ${number('avg_turns', 'avg_turns')},
            ${number('avg_tool_calls', 'avg_tool_calls')}, ${number('tool_coverage_rate', 'avg_coverage')}
        FROM read_json(${quoteText(path)}, format = 'newline_delimited', columns = {${columns.join(', ')}})`;
}

const RUNS_SQL = `
    SELECT run, count(*) AS records, count(DISTINCT sample) AS samples,
        count(success_level) AS total,
        count(*) FILTER (WHERE success_level = 'full') AS success,
        count(*) FILTER (WHERE success_level = 'partial') AS partial,
        count(*) FILTER (WHERE success_level = 'failure') AS failed,
        count(*) FILTER (WHERE success_level IS NULL) AS infrastructure,
        min(started_at) AS started_at, max(finished_at) AS finished_at, sum(cost) AS cost
    FROM records GROUP BY run`;
