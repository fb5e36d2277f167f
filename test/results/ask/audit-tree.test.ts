import { expect, it } from 'vitest';
import { isJsonObject, type JsonObject } from '../../../src/model/json.js';
import { auditTree } from '../../../src/results/ask/audit-tree.js';
import { makeRecord } from '../../../src/results/record/record.js';
import { MasterTree } from '../../../src/results/tree/master-tree.js';
import { recordInput } from '../records.js';

const tree = (leaf: { readonly [key: string]: number }, root: number) => ({
    version: '3.0',
    summary: { total_tests: root },
    models: {
        m: {
            by_prompt_type: {
                optimal: {
                    by_tool_success_rate: {
                        '0.8': { by_difficulty: { easy: { by_task_type: { t: leaf } } } },
                    },
                },
            },
        },
    },
});

it('finds leaves that do not add up, impossible rates, and a root that says otherwise', () => {
    const good = { total: 3, success: 1, partial: 1, failed: 1, success_rate: 1 / 3 };
    expect(auditTree(tree(good, 3))).toEqual([]);
    const where = 'models/m/optimal/0.8/easy/t';
    expect(auditTree(tree({ ...good, failed: 2, timeout_error_rate: 1.5, success_rate: 0 }, 4))).toEqual([
        { where, what: 'success + partial + failed is 4, total is 3' },
        { where, what: 'timeout_error_rate is above 1: 1.5' },
        { where, what: expect.stringMatching(/^success_rate is 0, 1 of 3 is/) },
        { where: 'summary', what: 'total_tests is 4, the leaves sum to 3' },
    ]);
});

it('finds a model whose own counts are empty beside those of its leaves', () => {
    const good = tree({ total: 3, success: 1, partial: 1, failed: 1 }, 3);
    const emptied = { ...good, models: { m: { ...good.models.m, overall_stats: {} } } };
    expect(auditTree(emptied)).toEqual([
        { where: 'models/m/overall_stats', what: 'it is empty, the leaves sum to 3 tests' },
    ]);
    expect(auditTree({ ...emptied, models: { m: { overall_stats: {}, by_prompt_type: {} } } })).toEqual([
        { where: 'summary', what: 'total_tests is 3, the leaves sum to 0' },
    ]);
});

/** A tree of one model whose cells have these totals, all of them failures, and whose root has the total `root`. */
const treeOfTotals = (totals: readonly number[], root: number) => ({
    summary: { total_tests: root, total_failure: root },
    models: {
        m: {
            by_prompt_type: Object.fromEntries(
                totals.map((total, at) => [
                    `prompt-${at}`,
                    {
                        by_tool_success_rate: {
                            '0.8': {
                                by_difficulty: { easy: { by_task_type: { t: { total, failed: total } } } },
                            },
                        },
                    },
                ]),
            ),
        },
    },
});

const sum = (numbers: readonly number[]): number => numbers.reduce((all, one) => all + one, 0);

it('finds counts that were doubled, by the root and by totals that are all even', () => {
    const honest = Array.from({ length: 40 }, (_, at) => at + 1);
    const doubled = honest.map((total) => 2 * total);
    expect(auditTree(treeOfTotals(honest, sum(honest)))).toEqual([]);
    expect(auditTree(treeOfTotals(doubled, sum(honest))).map(({ what }) => what)).toEqual([
        'total_tests is 820, the leaves sum to 1640',
        'total_failure is 820, the leaves sum to 1640',
        '40 of 40 totals are even: tasks seem to be counted twice',
    ]);
});

it('takes the even totals of a plan for what they are', () => {
    const planned = Array.from({ length: 100 }, () => 20);
    expect(auditTree(treeOfTotals(planned, 2000))).toEqual([]);
});

it('finds a history that was replaced: the tree is empty, and the root still counts it', () => {
    const replaced = { summary: { total_tests: 500 }, models: { m: { total_tests: 3, by_prompt_type: {} } } };
    expect(auditTree(replaced).map(({ what }) => what)).toEqual([
        'total_tests is 3, its leaves sum to 0',
        'total_tests is 500, the leaves sum to 0',
    ]);
});

it('finds what is no object where counts should be', () => {
    const summary = { total_tests: 3 };
    expect(auditTree({ summary, models: [] })).toEqual([
        { where: 'models', what: 'it is not an object' },
        { where: 'summary', what: 'total_tests is 3, the leaves sum to 0' },
    ]);
    const models = {
        a: null,
        b: { by_prompt_type: [] },
        c: { by_prompt_type: { cot: {} } },
        d: { total_tests: 0 },
        e: {
            by_prompt_type: {
                cot: {
                    by_tool_success_rate: { '1.0': { by_difficulty: { easy: { by_task_type: { t: 3 } } } } },
                },
            },
        },
    };
    expect(auditTree({ models })).toEqual([
        { where: 'models/a', what: 'it is not an object' },
        { where: 'models/b', what: 'by_prompt_type is not an object' },
        { where: 'models/c/cot', what: 'by_tool_success_rate is missing' },
        { where: 'models/e/cot/1.0/easy/t', what: 'it is not an object' },
    ]);
    // Version 2: groups, and models without a tree.
    const groups = { m_t_cot_easy: { success_rate: 50 } };
    expect(auditTree({ test_groups: groups, models: { m: { total_tests: 3 } }, summary })).toEqual([]);
});

/** Paths of all numbers. */
function* pathsOfNumbers(node: JsonObject, above: readonly string[] = []): Generator<readonly string[]> {
    for (const [key, value] of Object.entries(node)) {
        if (typeof value === 'number') yield [...above, key];
        else if (isJsonObject(value)) yield* pathsOfNumbers(value, [...above, key]);
    }
}

/** A copy in which the number at `path` is one higher. */
function raise(node: JsonObject, [key = '', ...rest]: readonly string[]): JsonObject {
    const value = node[key];
    return { ...node, [key]: isJsonObject(value) ? raise(value, rest) : Number(value) + 1 };
}

it('finds one number that was changed, wherever it stands in a tree of ours', () => {
    const master = new MasterTree();
    for (const [at, task_type] of ['a', 'b', 'b'].entries())
        for (const prompt_type of ['cot', 'optimal'])
            master.add(
                makeRecord(
                    recordInput({
                        sample: `${at}`,
                        model: 'm',
                        task_type,
                        prompt_type,
                        success_level: (['full', 'partial', 'failure'] as const)[at] ?? 'full',
                        wall_time: at + 1,
                        turns: at,
                        timeout_errors: 2,
                        other_errors: 1,
                        assisted_success: 1,
                        assisted_turns: 2,
                    }),
                ),
            );
    const whole = master.toJson('2026-01-01T00:00:00Z', {});
    expect(auditTree(whole)).toEqual([]);
    const missed = [...pathsOfNumbers(whole)]
        .filter((path) => auditTree(raise(whole, path)).length === 0)
        // A mean over some of several leaves may have any value, and what is not in the tree is not held against it.
        .filter((path) => !(path.includes('by_task_type') && path.at(-1)?.startsWith('avg_')));
    expect(missed).toEqual([['resume_run', 'records_without_model']]);
});
