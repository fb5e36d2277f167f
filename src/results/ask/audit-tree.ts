import type { AggregateCell } from '../aggregate/aggregate-files.js';
import { isJsonObject, type JsonObject } from '../../model/json.js';
import { type AuditFinding, auditLeaf, auditParent, countIn, countSuccess } from './audit-leaf.js';

/** Rounding changes rates slightly. */
const RATE_TOLERANCE = 1e-6;

const LEVELS = ['by_tool_success_rate', 'by_difficulty', 'by_task_type'] as const;

/**
 * Checks a database of counts against its own rules: ours (`master_database.json`), or version 2 or 3 of the earlier tools.
 * Leaves must add up, their rates must follow from their counts, and the root must agree with the leaves.
 */
export function auditTree(tree: JsonObject): readonly AuditFinding[] {
    const findings: AuditFinding[] = [];
    const models = isJsonObject(tree.models) ? tree.models : {};
    // Version 2 counts in groups; its models have no tree.
    const hasGroups = isJsonObject(tree.test_groups) && Object.keys(tree.test_groups).length > 0;
    findings.push(...auditShape(tree));
    const totals: number[] = [];
    const whole = { total_tests: 0, total_success: 0, total_partial: 0, total_failure: 0 };
    let infrastructure = 0;
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
            infrastructure += countIn(leaf, 'infrastructure');
        }
        findings.push(...auditParents(node, `models/${model}`));
        // Databases of the earlier tools have this fault.
        if (sum > 0 && isJsonObject(node) && isEmptyObject(node.overall_stats))
            findings.push({
                where: `models/${model}/overall_stats`,
                what: `it is empty, the leaves sum to ${sum} tests`,
            });
        whole.total_tests += sum;
        const stated = isJsonObject(node) ? node.total_tests : undefined;
        const isWithoutTree = hasGroups && isJsonObject(node) && node.by_prompt_type === undefined;
        if (typeof stated === 'number' && stated !== sum && !isWithoutTree)
            findings.push({
                where: `models/${model}`,
                what: `total_tests is ${stated}, its leaves sum to ${sum}`,
            });
    }
    const hasTree = Object.values(models).some(
        (node) => isJsonObject(node) && isJsonObject(node.by_prompt_type),
    );
    if ((hasTree || !hasGroups) && isJsonObject(tree.summary))
        findings.push(...auditSummary(tree.summary, whole, Object.keys(models)));
    // Our own is compared with the records themselves.
    if (!isJsonObject(tree.resume_run)) findings.push(...auditParity(totals));
    else findings.push(...auditOwn(tree.resume_run, infrastructure, whole.total_tests + infrastructure));
    if (isJsonObject(tree.test_groups))
        for (const [name, group] of Object.entries(tree.test_groups))
            if (isJsonObject(group) && !isWithin(group.success_rate, 100))
                findings.push({
                    where: `test_groups/${name}`,
                    what: `success_rate ${JSON.stringify(group.success_rate)} is not a percentage (0 to 100)`,
                });
    return findings;
}

const isEmptyObject = (value: unknown): boolean => isJsonObject(value) && Object.keys(value).length === 0;

/** Reports values that should be objects but are not: their counts are missing from every sum. */
function auditShape(tree: JsonObject): readonly AuditFinding[] {
    const findings: AuditFinding[] = [];
    const say = (where: string, what: string): void => void findings.push({ where, what });
    let nodes: (readonly [string, unknown])[] = listChildren('models', tree.models ?? {});
    if (tree.models !== undefined && !isJsonObject(tree.models)) say('models', 'it is not an object');
    for (const level of ['by_prompt_type', ...LEVELS] as const) {
        const children: (readonly [string, unknown])[] = [];
        for (const [where, node] of nodes) {
            const list = isJsonObject(node) ? node[level] : undefined;
            children.push(...listChildren(where, list));
            if (!isJsonObject(node)) say(where, 'it is not an object');
            // A model of version 2 has no tree.
            else if (!isJsonObject(list) && (list !== undefined || level !== 'by_prompt_type'))
                say(where, `${level} is ${list === undefined ? 'missing' : 'not an object'}`);
        }
        nodes = children;
    }
    for (const [where, leaf] of nodes) if (!isJsonObject(leaf)) say(where, 'it is not an object');
    return findings;
}

const listChildren = (where: string, node: unknown): (readonly [string, unknown])[] =>
    isJsonObject(node) ? Object.entries(node).map(([key, child]) => [`${where}/${key}`, child] as const) : [];

/** The same for a database with one row per cell: each row must follow from its counts, and no cell may occur twice. */
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
        if (seen.has(where)) findings.push({ where, what: 'this cell occurs more than once' });
        seen.add(where);
        findings.push(...auditLeaf(where, { ...numbers, ...counts }));
        totals.push(counts.total);
    }
    return [...findings, ...auditParity(totals)];
}

/** Nodes between a model and its leaves. */
function auditParents(model: unknown, where: string): readonly AuditFinding[] {
    const leavesIn = (node: unknown): readonly JsonObject[] =>
        [...walkLeaves(node, '')].map(([, leaf]) => leaf);
    if (!isJsonObject(model)) return [];
    const prompts = isJsonObject(model.by_prompt_type) ? model.by_prompt_type : {};
    const nodes = Object.entries(prompts).map(([prompt, node]) => ({
        where: `${where}/${prompt}/summary`,
        node: isJsonObject(node) ? node.summary : undefined,
        leaves: leavesIn({ by_prompt_type: { [prompt]: node } }),
    }));
    const all = { where: `${where}/overall_stats`, node: model.overall_stats, leaves: leavesIn(model) };
    return [all, ...nodes].flatMap(({ where: place, node, leaves }) =>
        isJsonObject(node) ? auditParent(place, node, leaves) : [],
    );
}

/** Checks that the root agrees with its leaves. */
function auditSummary(
    summary: JsonObject,
    leaves: Readonly<Record<string, number>>,
    models: readonly string[],
): readonly AuditFinding[] {
    const findings: AuditFinding[] = [];
    const say = (what: string): void => void findings.push({ where: 'summary', what });
    for (const [name, sum] of Object.entries(leaves)) {
        const stated = summary[name];
        if (typeof stated === 'number' && stated !== sum)
            say(`${name} is ${stated}, the leaves sum to ${sum}`);
    }
    const { overall_success_rate: rate, models_tested: tested } = summary;
    const [success, total] = [leaves['total_success'] ?? 0, leaves['total_tests'] ?? 0];
    const expected = total === 0 ? 0 : success / total;
    if (typeof rate === 'number' && Math.abs(rate - expected) > RATE_TOLERANCE)
        say(`overall_success_rate is ${rate}, ${success} of ${total} is ${expected}`);
    if (Array.isArray(tested)) {
        const listed = new Set(tested.map(String));
        for (const model of models) if (!listed.has(model)) say(`models_tested lacks ${model}`);
        for (const model of listed)
            if (!models.includes(model)) say(`models_tested has ${model}, the tree has not`);
    }
    return findings;
}

/** Checks the keys that the collector adds to those of the earlier tools. */
function auditOwn(own: JsonObject, infrastructure: number, records: number): readonly AuditFinding[] {
    return Object.entries({ infrastructure, records_in_tree: records }).flatMap(([name, sum]) => {
        const stated = own[name];
        if (typeof stated !== 'number' || stated === sum) return [];
        return [{ where: 'resume_run', what: `${name} is ${stated}, the leaves sum to ${sum}` }];
    });
}

/** Fewest totals for which parity means anything: the totals of a plan are often just a few numbers, many of them even. */
const MIN_TOTALS = 20;

/** About half of all distinct honest totals are even. If tasks were counted twice, all of them are. */
function auditParity(totals: readonly number[]): readonly AuditFinding[] {
    const different = new Set(totals.filter((total) => total > 0)).size;
    const counted = totals.filter((total) => total > 0).length;
    const even = totals.filter((total) => total > 0 && total % 2 === 0).length;
    if (different < MIN_TOTALS || even / counted <= 0.9) return [];
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

const isWithin = (value: unknown, most: number): boolean =>
    value === undefined || (typeof value === 'number' && value >= 0 && value <= most);
