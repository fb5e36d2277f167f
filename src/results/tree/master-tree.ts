import type { Json, JsonObject } from '../../model/json.js';
import type { ResultRecord } from '../record/record.js';
import { CellSums, type CellSumsJson } from './cell-sums.js';
import { buildLeaf } from './leaf-formulas.js';

/** Used for a coordinate that a record lacks. */
const UNKNOWN = 'unknown';

/** A cell's keys at the five levels of the tree. */
export type Coordinates = readonly [
    model: string,
    prompt: string,
    rate: string,
    difficulty: string,
    task: string,
];

/** The records of one part, added up by cell. */
export interface PartCells {
    readonly without_model: number;
    readonly cells: readonly { readonly at: Coordinates; readonly sums: CellSumsJson }[];
}

/**
 * Adds up records by cell and builds the tree of master_database.json from the sums. Memory grows with the number of cells, not
 * of records.
 */
export class MasterTree {
    readonly #cells = new Map<string, { readonly at: Coordinates; readonly sums: CellSums }>();
    #inTree = 0;
    #withoutModel = 0;

    add(record: ResultRecord): void {
        if (record.model === null) {
            this.#withoutModel += 1;
            return;
        }
        this.#inTree += 1;
        this.#cellAt(findCoordinates(record, record.model)).add(record);
    }

    /** Adds the output of `partCells` of another tree. @throws TypeError for anything else */
    addCells({ without_model: withoutModel, cells }: PartCells): void {
        this.#withoutModel += withoutModel;
        for (const { at, sums } of cells) {
            const cell = this.#cellAt(at);
            const before = cell.records;
            cell.addJson(sums);
            this.#inTree += cell.records - before;
        }
    }

    /** Everything added so far, as plain JSON. */
    partCells(): PartCells {
        const cells = [...this.#cells.values()].map(({ at, sums }) => ({ at, sums: sums.toJson() }));
        return { without_model: this.#withoutModel, cells };
    }

    #cellAt(at: Coordinates): CellSums {
        const key = JSON.stringify(at);
        let cell = this.#cells.get(key);
        if (cell === undefined) {
            cell = { at, sums: new CellSums() };
            this.#cells.set(key, cell);
        }
        return cell.sums;
    }

    /**
     * The tree, with the keys of the earlier tools, and ours under `resume_run`.
     * @param createdAt ISO 8601 time at which the database was created
     * @param own further keys for `resume_run`
     */
    toJson(createdAt: string, own: JsonObject): JsonObject {
        const cells = [...this.#cells.values()].sort((a, b) => compare(a.at, b.at));
        const all = new CellSums();
        for (const { sums } of cells) all.addSums(sums);
        const models = nest(cells, 0, modelNode);
        return {
            version: '3.0',
            created_at: withoutZone(createdAt),
            last_updated: withoutZone(new Date().toISOString()),
            test_groups: {},
            models,
            summary: {
                total_tests: all.total,
                total_success: all.success,
                total_partial: all.partial,
                total_failure: all.failed,
                models_tested: Object.keys(models),
                last_test_time: withoutZone(all.lastTime),
                overall_success_rate: all.total === 0 ? 0 : all.success / all.total,
            },
            resume_run: {
                infrastructure: all.infrastructure,
                records_in_tree: this.#inTree,
                records_without_model: this.#withoutModel,
                ...own,
            },
        };
    }
}

interface Cell {
    readonly at: Coordinates;
    readonly sums: CellSums;
}

type NodeOf = (name: string, cells: readonly Cell[]) => JsonObject;

/** An object with a node for each value of one coordinate. */
function nest(cells: readonly Cell[], level: number, node: NodeOf): JsonObject {
    const groups = new Map<string, Cell[]>();
    for (const cell of cells) {
        const name = cell.at[level] ?? UNKNOWN;
        const group = groups.get(name);
        if (group === undefined) groups.set(name, [cell]);
        else group.push(cell);
    }
    // Use a null prototype, so that a model named __proto__ is a key like any other.
    const object = Object.create(null) as Record<string, Json>;
    for (const [name, group] of groups) object[name] = node(name, group);
    return object;
}

function sumCells(cells: readonly Cell[]): CellSums {
    const sum = new CellSums();
    for (const { sums } of cells) sum.addSums(sums);
    return sum;
}

function modelNode(name: string, cells: readonly Cell[]): JsonObject {
    const sums = sumCells(cells);
    return {
        model_name: name,
        first_test_time: withoutZone(sums.firstTime),
        last_test_time: withoutZone(sums.lastTime),
        total_tests: sums.total,
        overall_stats: buildLeaf(sums),
        experiment_metrics: {},
        by_prompt_type: nest(cells, 1, (_, prompt) => ({
            by_tool_success_rate: nest(prompt, 2, (_rate, rate) => ({
                by_difficulty: nest(rate, 3, (_difficulty, difficulty) => ({
                    by_task_type: nest(difficulty, 4, (_task, task) => buildLeaf(sumCells(task))),
                })),
            })),
            summary: buildLeaf(sumCells(prompt)),
        })),
    };
}

/** The coordinates of a record's cell. @param model its model, which is not null */
export function findCoordinates(
    record: Pick<
        ResultRecord,
        'is_flawed' | 'flaw_type' | 'prompt_type' | 'tool_success_rate' | 'difficulty' | 'task_type'
    >,
    model: string,
): Coordinates {
    const { is_flawed: isFlawed, flaw_type: flaw, prompt_type: prompt } = record;
    return [
        model,
        isFlawed === true && flaw !== null ? `flawed_${flaw}` : (prompt ?? UNKNOWN),
        record.tool_success_rate === null ? UNKNOWN : formatRateKey(record.tool_success_rate),
        record.difficulty ?? UNKNOWN,
        record.task_type ?? UNKNOWN,
    ];
}

/** A rate as the earlier tools' Python code wrote it: rounded to four places, `0.8`, `1.0`. */
export function formatRateKey(rate: number): string {
    const rounded = Math.round(rate * 10_000) / 10_000;
    return Number.isInteger(rounded) ? `${rounded}.0` : String(rounded);
}

function compare(a: Coordinates, b: Coordinates): number {
    for (const [level, name] of a.entries()) {
        const other = b[level] ?? '';
        if (name !== other) return name < other ? -1 : 1;
    }
    return 0;
}

/** A time as the earlier tools wrote it, without a zone; ours are UTC. Null: unknown. */
function withoutZone(time: string): string | null {
    return time === '' ? null : time.replace(/Z$/, '');
}
