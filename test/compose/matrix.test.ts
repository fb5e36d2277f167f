import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { generateMatrix } from '../../src/compose/matrix.js';
import { choosePhases, type MatrixFlags, readMatrixConfig } from '../../src/config/matrix-config.js';
import { makeCellId, expandBlocks, type MatrixBlock } from '../../src/model/matrix.js';
import type { Sample } from '../../src/model/sample.js';
import { measureMatrix, renderMatrix } from '../../src/report/matrix-table.js';
import { openAll } from '../dataset/rig.js';
import { tempDir } from '../rig/cli.js';

const EXAMPLE = join(import.meta.dirname, '../../examples/matrix/phases.yaml');

const FLAGS: MatrixFlags = {
    models: [],
    promptTypes: [],
    toolSuccessRate: [],
    difficulty: [],
    taskTypes: [],
    numInstances: null,
    dimensions: [],
    rows: [],
};

const block = (dimensions: MatrixBlock['dimensions'], instances = 2): MatrixBlock => ({
    phase: null,
    dimensions,
    instances,
    rows: null,
});

/** The samples of a matrix, as a start would load them. */
async function samplesOf(dir: string, text: string): Promise<readonly Sample[]> {
    const path = join(dir, 'matrix.json');
    writeFileSync(path, text);
    const [dataset] = await openAll([path], { lists: { accepted: true } });
    const samples: Sample[] = [];
    for await (const several of dataset?.index() ?? [])
        for (const one of several) samples.push(...(dataset === undefined ? [] : [await dataset.load(one)]));
    return samples;
}

it('words stand for the values that they did in the earlier tools', async () => {
    const valuesOf = async (flags: Partial<MatrixFlags>, name: string): Promise<readonly unknown[]> => {
        const matrix = await readMatrixConfig(null, { ...FLAGS, models: ['m'], ...flags });
        return choosePhases(matrix, [])[0]?.dimensions[name] ?? [];
    };
    expect(await valuesOf({ promptTypes: ['all'] }, 'prompt_type')).toEqual(['baseline', 'cot', 'optimal']);
    const flawed = await valuesOf({ promptTypes: ['all_with_flawed'] }, 'prompt_type');
    expect(flawed).toHaveLength(10);
    expect(flawed.slice(0, 4)).toEqual(['baseline', 'cot', 'optimal', 'flawed_sequence_disorder']);
    expect(await valuesOf({ taskTypes: ['all'] }, 'task_type')).toHaveLength(5);
});

it('cells that a shard leaves out are counted apart, not as done', async () => {
    const matrix = generateMatrix(await readMatrixConfig(EXAMPLE, FLAGS));
    await matrix.dataset.rows(null);
    const all = matrix.askedCells();
    const shards = [1, 2, 3].map((index) =>
        matrix.askedCells({ only: [], limit: null, shard: { index, count: 3 } }),
    );
    expect(new Set(shards.flat().map(({ id }) => id)).size).toBe(all.length);
    const chosen = shards[0] ?? [];
    // Nothing is done yet, so everything in this shard is left.
    const due = new Map(chosen.map(({ id, asked }) => [id, asked]));
    const progress = measureMatrix({ all, chosen }, [], due);
    expect(progress).toMatchObject({ done: 0, otherCells: all.length - chosen.length });
    expect(renderMatrix(progress)).toMatch(
        new RegExp(`^matrix  ${chosen.length} of ${all.length} cells, [\\d,]+ instances: 0/`),
    );
    expect(renderMatrix(measureMatrix({ all, chosen: all }, [], new Map()))).toMatch(
        /^matrix {2}\d+ cells, /,
    );
});

describe('phases', () => {
    it('of the example run 800, 1,000, 5,600, 2,400 and 1,600 instances, and share 800 with 5.1 twice', async () => {
        const config = await readMatrixConfig(EXAMPLE, FLAGS);
        const matrix = generateMatrix(config);
        await matrix.dataset.rows(null);
        const cells = matrix.askedCells();
        const due = new Map(cells.map(({ id, asked }) => [id, asked]));
        const { phases, toRun } = measureMatrix({ all: cells, chosen: cells }, config.phases, due);
        expect(phases.map(({ phase, toRun: own, shared }) => [phase, own, shared])).toEqual([
            ['5.1', 800, 0],
            ['5.2', 1000, 0],
            ['5.3', 5600, 0],
            ['5.4', 2400, 800],
            ['5.5', 1600, 800],
        ]);
        expect(toRun).toBe(11_400);
    });

    it('that run alone know of the cells that earlier ones have run', async () => {
        const config = await readMatrixConfig(EXAMPLE, FLAGS);
        const start = (phase: string) => generateMatrix({ ...config, blocks: choosePhases(config, [phase]) });
        const first = start('5.1');
        const before = await first.dataset.rows(null);
        expect(first.dataset.samples?.()).toBeNull();
        const second = start('5.2');
        await second.dataset.rows(before);
        expect(second.dataset.samples?.()?.size).toBe(50);
        const third = start('5.4');
        await third.dataset.rows(before);
        const known = new Set(first.askedCells().map(({ id }) => id));
        expect(third.askedCells().filter(({ id }) => known.has(id))).toHaveLength(40);
        expect(third.askedCells()).toHaveLength(160);
    });
});

describe('cells', () => {
    it('have ids that are paths of their coordinates, safe as file names', () => {
        const at = {
            model: 'gpt-4o',
            prompt_type: 'cot',
            tool_success_rate: 0.8,
            difficulty: 'easy',
            task_type: 'simple_task',
        };
        expect(makeCellId(at)).toBe('gpt-4o/cot/0.8/easy/simple_task');
        expect(makeCellId({ language: 'en', ...at })).toBe('gpt-4o/cot/0.8/easy/simple_task/language=en');
        expect(makeCellId({ model: 'a' })).toBe('model=a');
        expect(makeCellId({ ...at, model: '../x y' })).toMatch(
            /^--x-y\/cot\/0\.8\/easy\/simple_task-[0-9a-f]{6}$/,
        );
    });

    it('of different coordinates have different ids', () => {
        const value = fc.oneof(
            fc.string({ maxLength: 6 }),
            fc.constantFrom('a/b', 'a-b', 'a b', '..', '%2F'),
        );
        const at = fc.record({ model: value, prompt_type: value, task_type: value });
        fc.assert(
            fc.property(at, at, (one, other) => {
                const isSame = JSON.stringify(one) === JSON.stringify(other);
                expect(makeCellId(one) === makeCellId(other)).toBe(isSame);
                expect(makeCellId(one)).not.toMatch(/[\s\\:*?"<>|%]|(^|\/)\.\.?(\/|$)/);
            }),
        );
    });

    it('that several blocks name are there once, with the most instances', () => {
        const cells = expandBlocks([block({ model: ['a', 'b'] }, 3), block({ model: ['b', 'c'] }, 5)]);
        expect(cells.map(({ id, instances }) => [id, instances])).toEqual([
            ['model=a', 3],
            ['model=b', 5],
            ['model=c', 5],
        ]);
    });
});

describe('the dataset', () => {
    it('spreads instances over the rows that fit a cell, and fills the prompt of its type', async () => {
        const dir = tempDir();
        const rows = join(dir, 'rows.jsonl');
        writeFileSync(
            rows,
            '{"task_type":"x","q":"x1","n":9007199254740993}\n{"task_type":"y","q":"y1"}\n{"q":"any"}\n',
        );
        const prompts = {
            default: { template: '{q} ({instance})', system: null },
            flawed: { template: '{flaw_type}: {q}', system: 'You are {model}.' },
        };
        const blocks = [
            block({ model: ['m'], prompt_type: ['cot', 'flawed_tool_misuse'], task_type: ['x'] }, 3),
        ];
        const text = await generateMatrix({ blocks, rows: [rows], prompts }).dataset.rows(null);
        const [cot, flawed] = await samplesOf(dir, text);
        const data = (sample: Sample | undefined) =>
            (sample?.groups['instance'] ?? []).map((input) => (input.kind === 'data' ? input : null));
        expect(data(cot).map((one) => one?.data)).toMatchObject([
            { prompt: 'x1 (0)' },
            { prompt: 'any (1)' },
            { prompt: 'x1 (2)' },
        ]);
        expect(data(cot)[0]?.text).toContain('"n":9007199254740993');
        const first = data(flawed)[0];
        expect(first?.data).toMatchObject({
            prompt: 'tool_misuse: x1',
            system: 'You are m.',
            is_flawed: true,
        });
        expect(first?.cell).toEqual({
            model: 'm',
            prompt_type: 'flawed_tool_misuse',
            row_hash: expect.stringMatching(/^[0-9a-f]{32}$/),
            task_type: 'x',
            is_flawed: true,
            flaw_type: 'tool_misuse',
            instance: '0',
        });
    });

    it('keeps what earlier starts asked for, and leaves out what the last one did not ask for', async () => {
        const dir = tempDir();
        const ask = (instances: number, model: string) =>
            generateMatrix({ blocks: [block({ model: [model] }, instances)], rows: [], prompts: {} }).dataset;
        const first = await ask(4, 'a').rows(null);
        const fewer = await ask(1, 'a').rows(first);
        const other = await ask(2, 'b').rows(fewer);
        const counts = async (text: string) =>
            (await samplesOf(dir, text)).map(({ id, groups }) => {
                const inputs = groups['instance'] ?? [];
                return [
                    id,
                    inputs.length,
                    inputs.filter((one) => one.kind === 'data' && one.skip === undefined).length,
                ];
            });
        expect(await counts(fewer)).toEqual([['model=a', 4, 1]]);
        expect(await counts(other)).toEqual([
            ['model=b', 2, 2],
            ['model=a', 4, 4],
        ]);
        expect(await counts(await ask(6, 'a').rows(other))).toEqual([
            ['model=a', 6, 6],
            ['model=b', 2, 2],
        ]);
    });
});
