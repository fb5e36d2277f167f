import type { AggregateCell } from '../aggregate/aggregate-files.js';
import { isJsonObject, type JsonObject } from '../../model/json.js';

/** What is wrong in a tree of counts, and where. */
export interface AuditFinding {
    /** Keys from the root, joined by `/`. */
    readonly where: string;
    readonly what: string;
}

/** Rates lose a little in rounding. */
const TOLERANCE = 1e-6;

const LEVELS = ['by_tool_success_rate', 'by_difficulty', 'by_task_type'] as const;

/**
 * Holds a database of counts against its own rules: ours (`master_database.json`) or one of the earlier tools, versions 2 and 3.
 * Leaves must add up, their rates must follow from their counts, and the root must say what the leaves say.
 */
export function auditTree(tree: JsonObject): readonly AuditFinding[] {
    const findings: AuditFinding[] = [];
    const models = isJsonObject(tree.models) ? tree.models : {};
    const totals: number[] = [];
    const whole = { total_tests: 0, total_success: 0, total_partial: 0, total_failure: 0 };
    for (const [model, node] of Object.entries(models)) {
        let sum = 0;
        for (const [where, leaf] of walkLeaves(node, `models/${model}`)) {
            const total = countIn(leaf, 'total');
            findings.push(...auditLeaf(where, leaf));
            sum += total;
            totals.push(total);
            whole.total_success += countSuccess(leaf);
            whole.total_partial += countIn(leaf, 'partial');
            whole.total_failure += countIn(leaf, 'failed');
        }
        whole.total_tests += sum;
        const stated = isJsonObject(node) ? node.total_tests : undefined;
        if (typeof stated === 'number' && stated !== sum)
            findings.push({
                where: `models/${model}`,
                what: `total_tests is ${stated}, its leaves sum to ${sum}`,
            });
    }
    const hasTree = Object.values(models).some(
        (node) => isJsonObject(node) && isJsonObject(node.by_prompt_type),
    );
    if (hasTree && isJsonObject(tree.summary)) findings.push(...auditSummary(tree.summary, whole));
    // Ours is held against the records themselves.
    if (!isJsonObject(tree.resume_run)) findings.push(...auditParity(totals));
    if (isJsonObject(tree.test_groups))
        for (const [name, group] of Object.entries(tree.test_groups))
            if (isJsonObject(group) && !isWithin(group.success_rate, 100))
                findings.push({
                    where: `test_groups/${name}`,
                    what: `success_rate ${JSON.stringify(group.success_rate)} is not per cent`,
                });
    return findings;
}

/** The same for a database that is a row a cell: each row must follow from its counts, and no cell may stand twice. */
export function auditCells(cells: readonly AggregateCell[]): readonly AuditFinding[] {
    const findings: AuditFinding[] = [];
    const seen = new Set<string>();
    const totals: number[] = [];
    for (const {
        model,
        prompt_type,
        tool_success_rate,
        difficulty,
        task_type,
        numbers,
        ...counts
    } of cells) {
        const where = [model, prompt_type, tool_success_rate, difficulty, task_type]
            .map((name) => name ?? '-')
            .join('/');
        if (seen.has(where)) findings.push({ where, what: 'this cell is there already' });
        seen.add(where);
        findings.push(...auditLeaf(where, { ...numbers, ...counts }));
        totals.push(counts.total);
    }
    return [...findings, ...auditParity(totals)];
}

/** The root says what its leaves say. */
function auditSummary(
    summary: JsonObject,
    leaves: Readonly<Record<string, number>>,
): readonly AuditFinding[] {
    return Object.entries(leaves).flatMap(([name, sum]) => {
        const stated = summary[name];
        if (typeof stated !== 'number' || stated === sum) return [];
        return [{ where: 'summary', what: `${name} is ${stated}, the leaves sum to ${sum}` }];
    });
}

/** Totals that parity says something about at least: those of a plan are a few numbers, often even ones. */
const FEWEST_TOTALS = 20;

/** Of different honest totals about half are even; counted twice, all of them are. */
function auditParity(totals: readonly number[]): readonly AuditFinding[] {
    const different = new Set(totals.filter((total) => total > 0)).size;
    const counted = totals.filter((total) => total > 0).length;
    const even = totals.filter((total) => total > 0 && total % 2 === 0).length;
    if (different < FEWEST_TOTALS || even / counted <= 0.9) return [];
    return [
        { where: 'models', what: `${even} of ${counted} totals are even: tasks seem to be counted twice` },
    ];
}

function* walkLeaves(model: unknown, where: string): Generator<readonly [string, JsonObject]> {
    if (!isJsonObject(model) || !isJsonObject(model.by_prompt_type)) return;
    let nodes = Object.entries(model.by_prompt_type).map(([key, node]) => [`${where}/${key}`, node] as const);
    for (const level of LEVELS)
        nodes = nodes.flatMap(([path, node]) =>
            isJsonObject(node) && isJsonObject(node[level])
                ? Object.entries(node[level]).map(([key, child]) => [`${path}/${key}`, child] as const)
                : [],
        );
    for (const [path, node] of nodes) if (isJsonObject(node)) yield [path, node];
}

function auditLeaf(where: string, leaf: JsonObject): AuditFinding[] {
    const findings: AuditFinding[] = [];
    const say = (what: string): void => void findings.push({ where, what });
    const [total, partial, failed] = (['total', 'partial', 'failed'] as const).map((name) =>
        countIn(leaf, name),
    );
    const success = countSuccess(leaf);
    const sum = success + (partial ?? 0) + (failed ?? 0);
    if (sum !== total) say(`success + partial + failed is ${sum}, total is ${total}`);
    for (const [key, value] of Object.entries(leaf)) {
        if (typeof value === 'string' && /^-?(NaN|Infinity)$/.test(value)) say(`${key} is ${value}`);
        if (value === null && key.endsWith('_rate')) say(`${key} is not a number`);
        if (typeof value !== 'number') continue;
        if (value < 0) say(`${key} is negative: ${value}`);
        if (key.endsWith('_rate') && value > 1 + TOLERANCE) say(`${key} is above 1: ${value}`);
    }
    const rate = leaf.success_rate;
    const expected = (total ?? 0) === 0 ? 0 : success / (total ?? 1);
    if (typeof rate === 'number' && Math.abs(rate - expected) > TOLERANCE)
        say(`success_rate is ${rate}, ${success} of ${total} is ${expected}`);
    return findings;
}

/** Some earlier files call it `successful`. */
const countSuccess = (leaf: JsonObject): number =>
    countIn(leaf, leaf.success === undefined ? 'successful' : 'success');

const countIn = (leaf: JsonObject, name: string): number => {
    const value = leaf[name];
    return typeof value === 'number' ? value : 0;
};

const isWithin = (value: unknown, most: number): boolean =>
    value === undefined || (typeof value === 'number' && value >= 0 && value <= most);
