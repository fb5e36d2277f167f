import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { CumulativeTestManagerAdapter, ResultAggregator, ResultCollector } from '../../src/legacy.js';
import { openStore } from '../../src/results/store/open-store.js';
import { tempDir } from '../rig/cli.js';

const place = () => {
    const cwd = tempDir();
    return { tempDir: join(cwd, 'temp_results'), database: join(cwd, 'database') };
};

const totalIn = (database: string): number => {
    const text = readFileSync(join(database, 'master_database.json'), 'utf8');
    return (JSON.parse(text) as { summary: { total_tests: number } }).summary.total_tests;
};

it('ResultCollector keeps equal results of equal batches apart, and loses none when it cannot collect', async () => {
    const options = place();
    const collector = new ResultCollector(options);
    for (let at = 0; at < 3; at += 1)
        await collector.addBatchResult('org/m', [{ success: true }, { success: true }]);
    expect(await collector.getPendingCount()).toBe(3);
    const other = await openStore({ dir: options.database, storage: null, onNotice: () => undefined });
    await expect(collector.collectAllResults()).rejects.toMatchObject({ exitCode: 3 });
    expect(await collector.getPendingCount()).toBe(3);
    await other.close();
    expect(await collector.collectAllResults()).toMatchObject({ added: 6 });
    expect(await collector.collectAllResults()).toMatchObject({ added: 0, duplicates: 0 });
    expect(await collector.getPendingCount()).toBe(0);
    expect(totalIn(options.database)).toBe(6);
});

it('ResultCollector takes a model whose name is not whole UTF-16', async () => {
    const options = place();
    const collector = new ResultCollector(options);
    await collector.addBatchResult('m\ud800', [{ success: true }]);
    expect(await collector.collectAllResults()).toMatchObject({ added: 1 });
    expect(totalIn(options.database)).toBe(1);
});

it('ResultCollector refuses a batch that is larger than the collector takes, and writes nothing of it', async () => {
    const options = place();
    const collector = new ResultCollector(options);
    const result = { success: true, log: 'x'.repeat(1 << 20) };
    const many = Array.from({ length: 257 }, () => result);
    await expect(collector.addBatchResult('m', many)).rejects.toThrow(
        /^257 results are 269\d{6} bytes, and a batch has 268435456 at most: add fewer at once$/,
    );
    expect(await collector.getPendingCount()).toBe(0);
});

it('ResultAggregator computes rates from sums', () => {
    const slow = { success: false, execution_time: 100, tool_success_rate: 100 };
    const fast = Array.from({ length: 9 }, () => ({ ...slow, success: true, execution_time: 10 }));
    const tree = new ResultAggregator().aggregateResults([
        { model: 'm', results: fast },
        { model: 'm', results: [slow] },
    ]);
    expect(tree).toMatchObject({
        summary: { total_tests: 10 },
        models: { m: { overall_stats: { success_rate: 0.9, avg_execution_time: 19 } } },
    });
});

it('CumulativeTestManagerAdapter keeps each result at once, of any model, and says what it kept', async () => {
    const options = place();
    const manager = new CumulativeTestManagerAdapter({ ...options, useResultCollector: false });
    expect(await manager.appendTestResult({ model: 'a', success: true })).toBe(true);
    expect(await manager.appendTestResult({ success: true })).toBe(false);
    expect(
        await manager.appendTestResults([
            { model: 'b', success: true },
            { model: 'c', success: false },
        ]),
    ).toBe(2);
    expect(readdirSync(options.tempDir)).toHaveLength(2);
    const leaving = new CumulativeTestManagerAdapter({ ...options, useResultCollector: true });
    expect(await leaving.saveDatabase()).toBe(false);
    expect(await manager.saveDatabase()).toBe(true);
    expect(await leaving.saveDatabase()).toBe(true);
    expect(totalIn(options.database)).toBe(3);
});
