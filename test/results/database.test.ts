import { execFileSync } from 'node:child_process';
import { readdirSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { renderFieldTable } from '../../src/results/record/schema.js';
import { makeRecord, type ResultRecord } from '../../src/results/record/record.js';
import type { StorageFormat } from '../../src/results/result-store.js';
import { openStore } from '../../src/results/store/open-store.js';
import { renderFormulaTable } from '../../src/results/tree/leaf-formulas.js';
import { writeMasterTree } from '../../src/results/tree/write-tree.js';
import { tempDir } from '../rig/cli.js';
import { callCli } from '../rig/in-process.js';
import { findPythonReaders } from '../rig/python.js';
import { commitRecords, recordInput, records } from './records.js';

const DOC = readFileSync(join(import.meta.dirname, '../../docs/database.md'), 'utf8');

async function fill(dir: string, batches: readonly ResultRecord[][], storage: StorageFormat): Promise<void> {
    const store = await openStore({ dir, storage, onNotice: () => undefined });
    for (const batch of batches) await commitRecords(store, batch);
    await store.close();
}

it('docs/database.md has the tables of the code', () => {
    expect(DOC).toContain(renderFieldTable());
    expect(DOC).toContain(renderFormulaTable());
});

it('backs up, compacts, restores and tells what there is', async () => {
    const cwd = tempDir();
    const database = join(cwd, 'database');
    await fill(database, [records(3), records(2, { run: 'run-2' })], 'json');
    const run = async (...args: string[]) => {
        const result = await callCli(['database', ...args, '--json'], { cwd });
        return result.code === 0 ? JSON.parse(result.stdout) : result.stderr;
    };
    expect(await run('info')).toMatchObject({ records: 5, parts: 2, storage: 'json', generation: 2 });
    expect(await run('backup', 'copy')).toMatchObject({ generation: 2 });
    expect(await run('backup', 'copy')).toMatch(/copy already exists/);
    expect(await run('compact')).toMatchObject({ before: 2, after: 1 });
    // The manifest is damaged: nothing may write here until a backup is restored, and the damaged database is kept.
    writeFileSync(join(database, 'manifest.json'), '{"version": 1,');
    expect(await run('info')).toMatch(/database restore/);
    const { aside } = await run('restore', 'copy');
    expect(readdirSync(join(aside, 'parts'))).toHaveLength(1);
    expect(readFileSync(join(aside, 'manifest.json'), 'utf8')).toBe('{"version": 1,');
    // A new generation number, because readers tell generations apart by it.
    expect(await run('info')).toMatchObject({ records: 5, parts: 2, generation: 3 });
    rmSync(database, { recursive: true });
    await run('restore', 'copy');
    expect(await run('compact')).toMatchObject({ after: 1 });
    expect(await run('restore', 'nowhere')).toMatch(/not a backup/);
});

it('restores no backup that is not whole, and leaves the database as it was', async () => {
    const cwd = tempDir();
    await fill(join(cwd, 'database'), [records(3)], 'json');
    const run = (...args: string[]) => callCli(['database', ...args], { cwd });
    await run('backup', 'copy');
    const [part = ''] = readdirSync(join(cwd, 'copy/parts'));
    const before = readdirSync(join(cwd, 'database'));
    truncateSync(join(cwd, 'copy/parts', part), 100);
    expect(await run('restore', 'copy')).toMatchObject({
        code: 2,
        stderr: expect.stringMatching(/copy is not a complete backup: .* has 100 bytes, expected \d+\n$/),
    });
    expect((await run('restore', 'database')).stderr).toMatch(/database is the database itself\n$/);
    rmSync(join(cwd, 'copy/parts', part));
    expect(await run('restore', 'copy')).toMatchObject({
        code: 2,
        stderr: expect.stringMatching(/copy is not a complete backup: cannot read .*there is no such file/),
    });
    expect(readdirSync(join(cwd, 'database'))).toEqual(before);
    expect(readdirSync(cwd).sort()).toEqual(['copy', 'database']);
    expect((await run('info')).stdout).toMatch(/^Records +3 in 1 part/m);
});

const python = findPythonReaders();

it.skipIf(python === null)(
    'is read by pandas, pyarrow and DuckDB for Python as docs/database.md says',
    async () => {
        const cwd = tempDir();
        const inputs = Array.from({ length: 20 }, (_, at) =>
            makeRecord(
                recordInput({
                    sample: `00${at}`,
                    fingerprint: `f${at}`,
                    finished_at: `2026-11-29T03:21:${10 + at}.123Z`,
                    model: at % 2 === 0 ? 'm' : 'n',
                    wall_time: at,
                    prompt_type: 'cot',
                    tool_success_rate: 0.8,
                    difficulty: 'easy',
                    task_type: 't',
                }),
            ),
        );
        const database = join(cwd, 'database');
        await fill(database, [inputs.slice(0, 10)], 'parquet');
        await fill(database, [inputs.slice(10)], 'json');
        await writeMasterTree(database);
        const [lines] = /^ {4}import json, pandas[\s\S]*?for p in parts\)$/m.exec(DOC) ?? [''];
        const [toDatetime] = /pd\.to_datetime\(.*?utc=True\)/.exec(DOC) ?? [''];
        const script = `${lines.replaceAll(/^ {4}/gm, '')}
import duckdb, pyarrow.parquet as pq
tree = json.load(open("database/master_database.json"))
total = sum(leaf["total"] for model in tree["models"].values() for prompt in model["by_prompt_type"].values()
    for rate in prompt["by_tool_success_rate"].values() for difficulty in rate["by_difficulty"].values()
    for leaf in difficulty["by_task_type"].values())
parquet = [p for p in parts if p.endswith(".parquet")]
times = ${toDatetime}
print(json.dumps([sorted(records["sample"]) == sorted("00%d" % at for at in range(20)),
    sorted(times.dt.strftime("%S.%f")) == ["%d.123000" % (10 + at) for at in range(20)],
    len(records), float(records["wall_time"].sum()), total, tree["summary"]["total_tests"],
    pq.read_table(parquet[0]).num_rows, duckdb.read_parquet(parquet).aggregate("count(*)").fetchall()[0][0]]))`;
        expect(JSON.parse(execFileSync(python ?? '', ['-c', script], { cwd, encoding: 'utf8' }))).toEqual([
            true,
            true,
            20,
            190,
            20,
            20,
            10,
            10,
        ]);
    },
);
