import { expect, it } from 'vitest';
import { auditTree } from '../../../src/results/ask/audit-tree.js';

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
