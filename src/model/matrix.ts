import { createHash } from 'node:crypto';

/*
 * Evaluation matrices: a cell is a point in a product of dimensions, and has a number of instances. Cells are samples,
 * instances are tasks.
 */

/** The value of `format`, the first key of a file that holds a matrix. */
export const MATRIX_FORMAT = 'resume-run-matrix';

/** The group of an instance: `instance_result`, `completed_instances`. */
export const INSTANCE_GROUP = 'instance';

/** Dimensions that the results database knows by name, in the order used in ids and in the tree of master_database.json. */
export const STANDARD_DIMENSIONS = [
    'model',
    'prompt_type',
    'tool_success_rate',
    'difficulty',
    'task_type',
] as const;

export type Coordinate = string | number | boolean;

/** The position of a cell: a value for each dimension. */
export type CellCoordinates = Readonly<Record<string, Coordinate>>;

/** A product of dimensions, each with its values; all of its cells have the same number of instances. */
export interface MatrixBlock {
    /** The phase that names it; null outside phases. */
    readonly phase: string | null;
    readonly dimensions: Readonly<Record<string, readonly Coordinate[]>>;
    readonly instances: number;
    /**
     * Number of rows that the instances are spread over, if smaller: `20x4` is 80 instances of 20 rows. Null: as many as there
     * are.
     */
    readonly rows: number | null;
}

export interface MatrixCell {
    readonly id: string;
    readonly at: CellCoordinates;
    /** The largest number that any block asks for. */
    readonly instances: number;
    /** As in that block. */
    readonly rows: number | null;
    /** Phases that name it, in order; the first is the one that runs it. */
    readonly phases: readonly string[];
}

/** The cells of blocks in order; a cell that several blocks name appears once, where it is first named. */
export function expandBlocks(blocks: readonly MatrixBlock[]): readonly MatrixCell[] {
    const cells = new Map<string, MatrixCell>();
    for (const block of blocks) {
        const phases = block.phase === null ? [] : [block.phase];
        for (const at of multiplyDimensions(block.dimensions)) {
            const id = makeCellId(at);
            const known = cells.get(id);
            const larger = known !== undefined && known.instances >= block.instances ? known : block;
            cells.set(id, {
                id,
                at,
                instances: larger.instances,
                rows: larger.rows,
                phases: [...new Set([...(known?.phases ?? []), ...phases])],
            });
        }
    }
    return [...cells.values()];
}

/** An upper bound on the number of cells of blocks, without creating them. */
export function countCells(blocks: readonly MatrixBlock[]): number {
    return blocks.reduce(
        (sum, { dimensions }) =>
            sum + Object.values(dimensions).reduce((cells, values) => cells * values.length, 1),
        0,
    );
}

/** Every combination; the last dimension changes fastest. */
function* multiplyDimensions(dimensions: MatrixBlock['dimensions']): Generator<CellCoordinates> {
    const names = orderNames(Object.keys(dimensions));
    const at: Record<string, Coordinate> = {};
    function* fill(depth: number): Generator<CellCoordinates> {
        const name = names[depth];
        if (name === undefined) {
            yield { ...at };
            return;
        }
        for (const value of dimensions[name] ?? []) {
            at[name] = value;
            yield* fill(depth + 1);
        }
    }
    yield* fill(0);
}

/** The standard dimensions in their order, then others by name. */
function orderNames(names: readonly string[]): readonly string[] {
    const standard = STANDARD_DIMENSIONS.filter((name) => names.includes(name));
    const others = names.filter((name) => !isStandard(name)).sort();
    return [...standard, ...others];
}

export const isStandard = (name: string): boolean =>
    (STANDARD_DIMENSIONS as readonly string[]).includes(name);

/** The dimensions of a cell that the results database does not know by name; null if there are none. */
export function listOtherCoordinates(at: CellCoordinates): CellCoordinates | null {
    const others = Object.entries(at).filter(([name]) => !isStandard(name));
    return others.length === 0 ? null : Object.fromEntries(others);
}

/** `flawed_tool_misuse` is a prompt with a flaw; null for others. */
export function findFlaw(at: CellCoordinates): string | null {
    const prompt = at['prompt_type'];
    return typeof prompt === 'string' && prompt.startsWith(FLAWED) ? prompt.slice(FLAWED.length) : null;
}

const FLAWED = 'flawed_';

/**
 * The id of a cell: `gpt-4o/optimal/0.8/easy/simple_task`, then `name=value` for other dimensions; if a standard dimension is
 * missing, `name=value` for all. Characters unsuitable for file names are replaced, and a hash then distinguishes ids that became
 * equal.
 */
export function makeCellId(at: CellCoordinates): string {
    const names = orderNames(Object.keys(at));
    const isWhole = STANDARD_DIMENSIONS.every((name) => Object.hasOwn(at, name));
    const parts = names.map((name) => {
        const value = formatCoordinate(name, at[name] ?? '');
        return isWhole && isStandard(name) ? value : `${name}=${value}`;
    });
    const safe = parts.map((part) => part.replace(UNSAFE, '-') || '-');
    const isChanged = safe.some((part, position) => part !== parts[position]);
    return isChanged ? `${safe.join('/')}-${makeShortHash(JSON.stringify([names, parts]))}` : safe.join('/');
}

/** Everything but letters, digits and characters that are safe in every file system and shell; also a leading dot. */
const UNSAFE = /[^\p{L}\p{N}._=+@-]+|^\.+/gu;

const makeShortHash = (text: string): string => createHash('sha256').update(text).digest('hex').slice(0, 6);

/** A coordinate as text. A rate is rounded to 4 places, as the earlier tools wrote it: `0.8`. */
export function formatCoordinate(name: string, value: Coordinate): string {
    const isRate = name === 'tool_success_rate' && typeof value === 'number';
    return String(isRate ? Number(value.toFixed(4)) : value);
}
