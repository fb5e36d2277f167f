import { createHash } from 'node:crypto';
import { basename } from 'node:path';
import { openFile } from '../../host/open-file.js';
import { isJsonObject, type Json, type JsonObject } from '../../model/json.js';
import { UserError } from '../../util/user-error.js';
import { openDuckDb } from '../duckdb.js';
import { parsePythonJson } from '../collect/python-json.js';
import { quoteText } from '../record/columns.js';
import { formatRateKey } from '../tree/master-tree.js';
import type { AggregateCell, AggregateSet } from './aggregate-files.js';

/*
 * Databases of the earlier tools: JSON version 3 (a tree), JSON version 2 (`test_groups`, whose keys are joined by `_` and whose
 * rates are percentages), and Parquet (one row per cell, or rows that their own migration made up from counts, recognisable by
 * `source` and `test_id`).
 */

/** @param path used as the name of the source */
export function readAggregatesFromJson(path: string, json: JsonObject, sha256: string): AggregateSet {
    const tree = isJsonObject(json.models) ? cellsOfTree(json.models) : [];
    const groups = isJsonObject(json.test_groups) ? json.test_groups : {};
    // A tree holds the same counts, under unambiguous names.
    const cells = tree.length > 0 ? tree : Object.entries(groups).flatMap(cellOfGroup);
    return { source: basename(path), sha256, cells };
}

function cellsOfTree(models: JsonObject): AggregateCell[] {
    const cells: AggregateCell[] = [];
    for (const [model, prompt, promptNode] of listChildren(models, 'by_prompt_type'))
        for (const [, rate, rateNode] of childrenIn(promptNode, 'by_tool_success_rate'))
            for (const [, difficulty, difficultyNode] of childrenIn(rateNode, 'by_difficulty'))
                for (const [, task, leaf] of childrenIn(difficultyNode, 'by_task_type'))
                    cells.push(
                        readCell(leaf, {
                            model,
                            prompt_type: prompt,
                            tool_success_rate: rate,
                            difficulty,
                            task_type: task,
                        }),
                    );
    return cells;
}

type Child = readonly [parent: string, name: string, node: JsonObject];

function* listChildren(nodes: JsonObject, key: string): Generator<Child> {
    for (const [parent, node] of Object.entries(nodes))
        if (isJsonObject(node))
            for (const [, name, child] of childrenIn(node, key)) yield [parent, name, child];
}

function* childrenIn(node: JsonObject, key: string): Generator<Child> {
    const children = node[key];
    if (!isJsonObject(children)) return;
    for (const [name, child] of Object.entries(children)) if (isJsonObject(child)) yield [key, name, child];
}

const TASK_TYPES = 'simple_task|basic_task|data_pipeline|api_integration|multi_stage_pipeline';
const DIFFICULTIES = 'very_easy|easy|medium|hard|very_hard';
/** `model_task_prompt_difficulty[_flawed_flaw]`. The parts contain `_` too; the known names tell them apart. */
const GROUP_KEY = new RegExp(
    `^(?<model>.+)_(?<task>${TASK_TYPES})_(?<prompt>[a-z]+)_(?<difficulty>${DIFFICULTIES})(?:_flawed_(?<flaw>\\w+))?$`,
);

function cellOfGroup([key, group]: readonly [string, Json]): readonly AggregateCell[] {
    if (!isJsonObject(group)) return [];
    const parts = GROUP_KEY.exec(key)?.groups;
    const flaw = parts?.['flaw'];
    const stats = isJsonObject(group.statistics) ? { ...group.statistics, ...group } : group;
    const { success_rate: rate } = stats;
    const fraction = typeof rate === 'number' ? { success_rate: rate / 100 } : {};
    const numbers = { ...stats, ...fraction, key };
    return [
        readCell(numbers, {
            model: parts?.['model'] ?? null,
            prompt_type: flaw === undefined ? (parts?.['prompt'] ?? null) : `flawed_${flaw}`,
            tool_success_rate: null,
            difficulty: parts?.['difficulty'] ?? null,
            task_type: parts?.['task'] ?? null,
        }),
    ];
}

type Coordinates = Pick<
    AggregateCell,
    'model' | 'prompt_type' | 'tool_success_rate' | 'difficulty' | 'task_type'
>;

function readCell(numbers: JsonObject, at: Coordinates): AggregateCell {
    const count = (...names: readonly string[]): number => {
        for (const name of names) {
            const value = numbers[name];
            if (typeof value === 'number' && Number.isFinite(value)) return value;
        }
        return 0;
    };
    const total = count('total', 'total_tests');
    const success = count('success', 'successful', 'success_count', 'full_success');
    const partial = count('partial', 'partial_success');
    const failed = numbers['failed'] === undefined ? Math.max(0, total - success - partial) : count('failed');
    return { ...at, total, success, partial, failed, numbers };
}

/** @throws UserError (exit 2) that says what to install, or that the file is not from the earlier tools */
export async function readAggregatesFromParquet(path: string): Promise<AggregateSet> {
    const duckdb = await openDuckDb();
    let rows: readonly JsonObject[];
    try {
        const result = await duckdb.runAndReadAll(
            `SELECT to_json(t)::VARCHAR FROM read_parquet(${quoteText(path)}) t`,
        );
        rows = result
            .getRows()
            .map(([text]) => parsePythonJson(String(text)))
            .filter(isJsonObject);
    } catch (error) {
        const why = error instanceof Error ? (error.message.split('\n')[0] ?? '') : String(error);
        throw new UserError(`cannot read ${path} as Parquet: ${why}`, 2, { cause: error });
    }
    const [first] = rows;
    if (first !== undefined && !('model' in first && 'task_type' in first))
        throw new UserError(
            `${path} is not a database of the earlier tools: expected the columns model and task_type`,
        );
    const isInvented = first !== undefined && 'test_id' in first && 'source' in first;
    const cells = isInvented ? countInvented(rows) : rows.map((row) => readCell(row, readCoordinates(row)));
    return { source: basename(path), sha256: await hashFile(path), cells };
}

function readCoordinates(row: JsonObject): Coordinates {
    const text = (name: string): string | null => (typeof row[name] === 'string' ? row[name] : null);
    const rate = row['tool_success_rate'];
    return {
        model: text('model'),
        prompt_type: text('prompt_type'),
        tool_success_rate: typeof rate === 'number' ? formatRateKey(rate) : null,
        difficulty: text('difficulty'),
        task_type: text('task_type'),
    };
}

/** Counts the rows that a migration made up from counts. What all rows of a cell repeat is kept once. */
function countInvented(rows: readonly JsonObject[]): AggregateCell[] {
    const cells = new Map<string, { at: Coordinates; row: JsonObject; counts: [number, number, number] }>();
    for (const row of rows) {
        const at = readCoordinates(row);
        const key = JSON.stringify(at);
        const cell = cells.get(key) ?? { at, row, counts: [0, 0, 0] };
        cells.set(key, cell);
        cell.counts[row['success'] === true ? 0 : row['partial_success'] === true ? 1 : 2] += 1;
    }
    return [...cells.values()].map(({ at, row, counts: [success, partial, failed] }) => {
        const { test_id: _id, success: _success, partial_success: _partial, ...numbers } = row;
        return { ...at, total: success + partial + failed, success, partial, failed, numbers };
    });
}

async function hashFile(path: string): Promise<string> {
    const hash = createHash('sha256');
    const file = await openFile(path);
    for await (const chunk of file.createReadStream()) hash.update(chunk as Buffer);
    return hash.digest('hex');
}
