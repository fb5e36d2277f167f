import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { JsonObject } from '../../src/model/json.js';
import { readAggregatesFromJson } from '../../src/results/aggregate/earlier-database.js';
import { makeRecord, type RecordInput, type ResultRecord } from '../../src/results/record/record.js';
import { STORAGE_FORMATS } from '../../src/results/result-store.js';
import { openStore } from '../../src/results/store/open-store.js';
import { addUpBySql } from '../../src/results/tree/cells-by-sql.js';
import { type PartCells, MasterTree, formatRateKey } from '../../src/results/tree/master-tree.js';
import { writeMasterTree } from '../../src/results/tree/write-tree.js';
import { tempDir } from '../rig/cli.js';
import { callCli } from '../rig/in-process.js';
import { commitRecords, recordInput } from './records.js';

type Tree = JsonObject;

let made = 0;
const cell = (more: Partial<RecordInput>): ResultRecord =>
    makeRecord(
        recordInput({
            fingerprint: `f${made++}`,
            model: 'm',
            prompt_type: 'optimal',
            tool_success_rate: 0.8,
            difficulty: 'easy',
            task_type: 'simple_task',
            finished_at: '2026-11-29T01:02:03.456Z',
            ...more,
        }),
    );

function treeOf(records: readonly ResultRecord[]): JsonObject {
    const tree = new MasterTree();
    for (const record of records) tree.add(record);
    return JSON.parse(JSON.stringify(tree.toJson('2026-11-29T00:00:00.000Z', {}))) as JsonObject;
}

/** Follows keys into JSON; undefined if there is nothing. */
function at(json: unknown, ...path: readonly string[]): unknown {
    return path.reduce<unknown>(
        (node, key) => (typeof node === 'object' && node !== null ? Reflect.get(node, key) : undefined),
        json,
    );
}

const LEAF = [
    'models',
    'm',
    'by_prompt_type',
    'optimal',
    'by_tool_success_rate',
    '0.8',
    'by_difficulty',
    'easy',
    'by_task_type',
    'simple_task',
] as const;

/** Every node that has counts, with its direct children. */
function* nodesOf(tree: JsonObject): Generator<{ node: unknown; children: unknown[] }> {
    const below = (node: unknown, key: string): unknown[] => Object.values(Object(at(node, key)));
    const leavesOf = (prompt: unknown): unknown[] =>
        below(prompt, 'by_tool_success_rate')
            .flatMap((rate) => below(rate, 'by_difficulty'))
            .flatMap((difficulty) => below(difficulty, 'by_task_type'));
    for (const model of below(tree, 'models')) {
        const prompts = below(model, 'by_prompt_type');
        yield { node: at(model, 'overall_stats'), children: prompts.map((one) => at(one, 'summary')) };
        for (const prompt of prompts) {
            yield { node: at(prompt, 'summary'), children: leavesOf(prompt) };
            for (const leaf of leavesOf(prompt)) yield { node: leaf, children: [] };
        }
    }
}

describe('the tree of master_database.json', () => {
    it('computes rates and means from sums, so that a small batch does not replace a large one', () => {
        const nine = Array.from({ length: 9 }, () => cell({ wall_time: 10, success_level: 'full' }));
        const one = cell({ wall_time: 100, success_level: 'failure', workflow_score: null });
        const leaf = at(treeOf([...nine, one]), ...LEAF);
        expect(leaf).toMatchObject({
            total: 10,
            success: 9,
            partial: 0,
            failed: 1,
            success_rate: 0.9,
            failure_rate: 0.1,
            weighted_success_score: 0.9,
            avg_execution_time: 19,
            assistance_rate: 0,
        });
        // A null score is not a 0, and errors are absent until one occurs.
        expect(leaf).not.toHaveProperty('avg_workflow_score');
        expect(leaf).not.toHaveProperty('total_errors');
    });

    it('divides error rates by all errors, and counts infrastructure failures apart', () => {
        const tree = treeOf([
            cell({ success_level: 'failure', timeout_errors: 3, workflow_score: 0.5 }),
            cell({ success_level: 'partial', other_errors: 1, assisted_turns: 4, assisted_success: 1 }),
            cell({ success_level: null, verdict: null, accepted: null, timeout_errors: 7 }),
        ]);
        expect(at(tree, ...LEAF)).toMatchObject({
            total: 2,
            infrastructure: 1,
            total_errors: 4,
            timeout_errors: 3,
            timeout_error_rate: 0.75,
            other_error_rate: 0.25,
            avg_workflow_score: 0.5,
            tests_with_assistance: 1,
            avg_assisted_turns: 4,
            assisted_success_rate: 1,
            assistance_rate: 0.5,
            weighted_success_score: 0.25,
        });
        expect(tree).toMatchObject({
            version: '3.0',
            summary: { total_tests: 2, last_test_time: '2026-11-29T01:02:03.456' },
            resume_run: { infrastructure: 1 },
        });
    });

    it('names cells as the earlier tools did', () => {
        expect([0.8, 1, 0.123456, 0].map(formatRateKey)).toEqual(['0.8', '1.0', '0.1235', '0.0']);
        const tree = treeOf([
            cell({ model: '__proto__', is_flawed: true, flaw_type: 'tool_misuse' }),
            cell({ model: null }),
            cell({ prompt_type: null, tool_success_rate: null, difficulty: null, task_type: null }),
        ]);
        expect(Object.keys(Object(at(tree, 'models')))).toEqual(['__proto__', 'm']);
        expect(Object.keys(Object(at(tree, 'models', '__proto__', 'by_prompt_type')))).toEqual([
            'flawed_tool_misuse',
        ]);
        expect(at(tree, 'models', 'm', 'total_tests')).toBe(1);
        expect(tree).toMatchObject({ resume_run: { records_in_tree: 2, records_without_model: 1 } });
    });

    it('adds up in every node, whatever the records are', () => {
        const level = fc.constantFrom('full', 'partial', 'failure', null);
        const word = fc.constantFrom('a', 'b', null);
        const record = fc.record({
            success_level: level,
            model: word,
            prompt_type: word,
            difficulty: word,
            task_type: word,
            tool_success_rate: fc.constantFrom(0.6, 0.8, null),
        });
        fc.assert(
            fc.property(fc.array(record, { maxLength: 40 }), (inputs) => {
                const tree = treeOf(inputs.map(cell));
                const counted = inputs.filter((one) => one.model !== null && one.success_level !== null);
                expect(at(tree, 'summary', 'total_tests')).toBe(counted.length);
                for (const { node, children } of nodesOf(tree)) {
                    const of = (one: unknown, key: string): number => Number(at(one, key));
                    expect(of(node, 'success') + of(node, 'partial') + of(node, 'failed')).toBe(
                        of(node, 'total'),
                    );
                    for (const key of ['total', 'success', 'infrastructure'])
                        if (children.length > 0)
                            expect(children.reduce<number>((sum, child) => sum + of(child, key), 0)).toBe(
                                of(node, key),
                            );
                }
            }),
            { numRuns: 60 },
        );
    });

    it('is the same whether records are added up one by one or by the engine, in both codecs', async () => {
        const level = fc.constantFrom('full', 'partial', 'failure', null);
        const word = fc.constantFrom('a', 'b\'"', null);
        const count = fc.option(fc.integer({ min: 0, max: 3 }));
        const input = fc.record({
            success_level: level,
            model: word,
            prompt_type: word,
            is_flawed: fc.constantFrom(true, false, null),
            flaw_type: fc.constantFrom('tool_misuse', null),
            tool_success_rate: fc.constantFrom(0.6, 0.60001, 0.8, 1, null),
            wall_time: count,
            workflow_score: count,
            timeout_errors: count,
            assisted_turns: count,
            assisted_failure: count,
            finished_at: fc.constantFrom('2026-11-29T01:02:03.456Z', '2025-01-01T00:00:00.000Z', null),
        });
        const inputs =
            fc.sample(fc.array(input, { minLength: 300, maxLength: 300 }), { numRuns: 1, seed: 7 })[0] ?? [];
        const all = inputs.map(cell);
        const expected = treeOf(all);
        for (const storage of STORAGE_FORMATS) {
            const dir = tempDir();
            const store = await openStore({ dir, storage, onNotice: () => undefined });
            for (const some of [all.slice(0, 100), all.slice(100, 101), all.slice(101)])
                await commitRecords(store, some);
            await store.close();
            const paths = store.manifest.parts.map(({ path }) => join(dir, path));
            expect(paths).toHaveLength(3);
            const tree = new MasterTree();
            for (const cells of await addUpBySql(paths, storage)) tree.addCells(cells);
            const found = JSON.parse(
                JSON.stringify(tree.toJson('2026-11-29T00:00:00.000Z', {})),
            ) as JsonObject;
            expect({ ...found, last_updated: '' }).toEqual({ ...expected, last_updated: '' });
            const one = await Promise.all(paths.map((path) => addUpBySql([path], storage)));
            expect((await addUpBySql(paths, storage)).map(sortCells)).toEqual(one.flat().map(sortCells));
            writeFileSync(paths[1] ?? '', '{"torn');
            await expect(addUpBySql(paths, storage)).rejects.toMatchObject({ path: paths[1] });
        }
    });

    it('reads only the parts that came since it was last written, and a damaged cache not at all', async () => {
        const dir = tempDir();
        const store = await openStore({ dir, storage: 'json', onNotice: () => undefined });
        await commitRecords(store, [cell({}), cell({})]);
        await writeMasterTree(dir);
        const [first] = store.manifest.parts;
        const path = join(dir, first?.path ?? '');
        const bytes = readFileSync(path);
        writeFileSync(path, 'not a part');
        await commitRecords(store, [cell({})]);
        await writeMasterTree(dir);
        const total = (): unknown =>
            at(JSON.parse(readFileSync(join(dir, 'master_database.json'), 'utf8')), ...LEAF, 'total');
        expect(total()).toBe(3);
        writeFileSync(path, bytes);
        for (const cache of readdirSync(join(dir, 'keys')).filter((name) => name.endsWith('.cells.json')))
            writeFileSync(join(dir, 'keys', cache), '{"version":1,"records":2,"cells":[{}]}');
        await commitRecords(store, [cell({})]);
        await writeMasterTree(dir);
        expect(total()).toBe(4);
        await store.close();
    });

    it('keeps the history of a model when a few results come in', async () => {
        const dir = tempDir();
        const store = await openStore({ dir, storage: null, onNotice: () => undefined });
        await commitRecords(
            store,
            Array.from({ length: 500 }, () => cell({})),
        );
        await writeMasterTree(dir);
        const three = Array.from({ length: 3 }, () => cell({ task_type: 'basic_task' }));
        await commitRecords(store, three);
        await commitRecords(store, three);
        await writeMasterTree(dir);
        await store.close();
        const tree = JSON.parse(readFileSync(join(dir, 'master_database.json'), 'utf8')) as Tree;
        expect(at(tree, 'models', 'm', 'total_tests')).toBe(503);
        expect(at(tree, ...LEAF, 'total')).toBe(500);
        expect(at(tree, 'summary', 'total_tests')).toBe(503);
    });
});

describe('databases of the earlier tools', () => {
    it('come in once, as counts that stay apart, whatever Python put into them', async () => {
        const cwd = tempDir();
        const leaf =
            '{"total": 4, "successful": 1, "partial": 1, "failed": 2, "success_rate": NaN, "stray": "NaN"}';
        const tree = `{"by_tool_success_rate": {"0.8": {"by_difficulty": {"easy": {"by_task_type": {"t": ${leaf}}}}}}}`;
        const text = `{"version": "3.0", "models": {"m": {"by_prompt_type": {"cot": ${tree}}}}}`;
        writeFileSync(join(cwd, 'master_database.json'), text);
        const collect = () => callCli(['collect', '--json', 'master_database.json'], { cwd });
        expect(JSON.parse((await collect()).stdout)).toMatchObject({ aggregates: 1, added: 0 });
        expect(JSON.parse((await collect()).stdout)).toMatchObject({ aggregates: 0, known_aggregates: 1 });
        // The human-readable output also says that they are known, not that there was nothing.
        const again = await callCli(['collect', 'master_database.json'], { cwd });
        expect(again.stdout).toContain('0 records added, 1 cell of earlier databases known already');
        expect(again.stdout).not.toContain('没有待提交的结果');
        const written = JSON.parse(readFileSync(join(cwd, 'database/master_database.json'), 'utf8')) as Tree;
        expect(at(written, 'summary', 'total_tests')).toBe(0);
        expect(at(written, 'resume_run', 'aggregates')).toMatchObject([
            {
                source: 'master_database.json',
                cells: [
                    {
                        model: 'm',
                        prompt_type: 'cot',
                        tool_success_rate: '0.8',
                        total: 4,
                        success: 1,
                        failed: 2,
                        numbers: { success_rate: null, stray: 'NaN' },
                    },
                ],
            },
        ]);
    });

    it('of version 2 have keys joined by _, and rates in per cent', () => {
        const json = {
            version: '2.0',
            test_groups: {
                a_b_simple_task_cot_very_easy: { total: 4, success: 3, success_rate: 75 },
                m_basic_task_optimal_easy_flawed_tool_misuse: { total: 2, success: 0 },
                'what is this': { total: 1 },
            },
        };
        const { cells } = readAggregatesFromJson('v2.json', json, 'hash');
        expect(cells).toMatchObject([
            {
                model: 'a_b',
                prompt_type: 'cot',
                difficulty: 'very_easy',
                failed: 1,
                numbers: { success_rate: 0.75 },
            },
            { model: 'm', prompt_type: 'flawed_tool_misuse', task_type: 'basic_task' },
            { model: null, total: 1, numbers: { key: 'what is this' } },
        ]);
    });
});

/** The engine returns cells in any order. */
const sortCells = ({ cells, ...rest }: PartCells): PartCells => ({
    ...rest,
    cells: [...cells].sort((a, b) => (JSON.stringify(a.at) < JSON.stringify(b.at) ? -1 : 1)),
});
