import {
    appendFileSync,
    existsSync,
    mkdirSync,
    readdirSync,
    readFileSync,
    rmSync,
    writeFileSync,
} from 'node:fs';
import { basename, join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { batchText, changeText } from '../../src/results/collect/own-batch.js';
import type { ResultRecord } from '../../src/results/record/record.js';
import { openDuckDb } from '../../src/results/duckdb.js';
import { readGeneration } from '../../src/results/store/read-generation.js';
import { type CliResult, runCli, tempDir } from '../rig/cli.js';
import { callCli } from '../rig/in-process.js';
import { records } from './records.js';
import { writeResultFile } from './result-files.js';

const WITHOUT_DUCKDB = `--import ${join(import.meta.dirname, '../rig/without-duckdb.mjs')}`;

const collect = (cwd: string, args: readonly string[], env?: NodeJS.ProcessEnv): Promise<CliResult> =>
    env === undefined ? callCli(['collect', ...args], { cwd }) : runCli(['collect', ...args], { cwd, env });

async function recordsIn(cwd: string, database = 'database'): Promise<ResultRecord[]> {
    const all: ResultRecord[] = [];
    for await (const some of await (await readGeneration(join(cwd, database))).records()) all.push(...some);
    return all.sort((a, b) => (a.fingerprint < b.fingerprint ? -1 : 1));
}

describe('resume-run collect --from', () => {
    it('brings result files in once, follows their changes and retires what they lost', async () => {
        const cwd = tempDir();
        const results = join(cwd, 'results');
        expect(await collect(cwd, [])).toMatchObject({
            code: 0,
            stdout: expect.stringContaining('没有待提交的结果'),
        });
        writeResultFile(results, 'a/1', [{ fingerprint: 'f0' }, { fingerprint: 'f1' }]);
        writeResultFile(results, 'b', [
            {
                fingerprint: 'f2',
                verdict: 'WrongAnswer',
                result: {
                    model: 'm',
                    success_level: 'partial_success',
                    tool_success_rate: 80,
                    turns: 3,
                    tool_calls: ['x', 'y'],
                    error_type: 'timeout',
                    workflow_score: null,
                },
            },
        ]);
        writeFileSync(join(results, 'notes.json'), '{"text": 1}');
        const first = await collect(cwd, ['results', '--json']);
        expect(JSON.parse(first.stdout)).toMatchObject({
            added: 3,
            files: 2,
            storage: 'json',
            skipped: [{ path: join(results, 'notes.json') }],
        });
        expect(first.stderr).toMatch(/read the tool success rate 80 as a percentage/);
        expect((await recordsIn(cwd))[2]).toMatchObject({
            run: 'run-1',
            sample: 'b',
            group: 'main',
            model: 'm',
            success_level: 'partial',
            tool_success_rate: 0.8,
            turns: 3,
            tool_calls: 2,
            timeout_errors: 1,
            workflow_score: null,
            wall_time: 1.5,
            finished_at: '2026-11-29T01:02:04.500Z',
        });
        // One task ran again, and another left the dataset; superseded.jsonl records both.
        writeResultFile(results, 'a/1', [{ fingerprint: 'f0', revision: 2, verdict: 'WrongAnswer' }]);
        mkdirSync(join(cwd, 'checkpoints', 'results'), { recursive: true });
        const log = join(cwd, 'checkpoints', 'results', 'superseded.jsonl');
        for (const fingerprint of ['f0', 'f1'])
            appendFileSync(
                log,
                `${JSON.stringify({ sample: 'a/1', group: 'main', reason: 'x', at: '', entry: { fingerprint } })}\n`,
            );
        // Already in the log although its file is not rewritten yet, so it stays.
        appendFileSync(
            log,
            '{"sample": "b", "group": "main", "entry": {"fingerprint": "f2"}}\n{"sample": "b',
        );
        expect((await collect(cwd, ['--from', 'results'])).stdout).toMatch(
            /使用JSON存储格式.*\n0 records added, 1 replaced, 1 retired, 1 known already\n/,
        );
        const records = await recordsIn(cwd);
        expect(records.map((one) => [one.fingerprint, one.revision, one.verdict])).toEqual([
            ['f0', 2, 'WrongAnswer'],
            ['f2', 1, 'WrongAnswer'],
        ]);
    });

    it('reads batches of ours and both spool shapes of the earlier tools, whole or not at all', async () => {
        const cwd = tempDir();
        const spool = join(cwd, 'spool');
        mkdirSync(spool);
        const put = (name: string, text: string): void => writeFileSync(join(spool, name), text);
        const ownText = batchText(records(3).map((record) => changeText({ kind: 'record', record })));
        put('run-1_7_20260101_ab.json', ownText);
        const result = {
            model: 'gpt/4o',
            success: true,
            execution_time: 2,
            timestamp: '2025-08-17T02:28:06',
        };
        const other = {
            ...result,
            success: false,
            partial_success: true,
            is_flawed: true,
            flaw_type: 'tool_misuse',
        };
        const batch = {
            model: 'other',
            pid: 7,
            timestamp: '',
            results: [result, result, other],
            result_count: 3,
        };
        put('other_7_123456.json', JSON.stringify(batch));
        put(
            'result_session_1_2_3.json',
            JSON.stringify({ ...result, _collector_session: 's', _collector_index: 0 }),
        );
        put('torn.json', JSON.stringify(batch).slice(0, -9));
        put('miscounted.json', JSON.stringify({ ...batch, result_count: 4 }));
        put('misfit.json', ownText.replace('"attempts":1', '"attempts":"x"'));
        const first = JSON.parse((await collect(cwd, ['spool', '--json'])).stdout);
        expect(first).toMatchObject({ added: 7, files: 3 });
        const skipped = first.skipped as { readonly path: string; readonly why: string }[];
        expect(Object.fromEntries(skipped.map(({ path, why }) => [basename(path), why]))).toEqual({
            'miscounted.json': 'expected 4 results, found 3',
            'misfit.json': expect.stringContaining('attempts: expected an integer, got "x"'),
            'torn.json': expect.stringContaining('JSON'),
        });
        expect(JSON.parse((await collect(cwd, ['spool', '--json'])).stdout)).toMatchObject({
            added: 0,
            duplicates: 7,
        });
        const earlier = (await recordsIn(cwd)).filter((one) => one.fingerprint.startsWith('record-'));
        expect(earlier.map((one) => one.model)).toEqual(Array(4).fill('gpt/4o'));
        expect(earlier.map((one) => String(one.success_level)).toSorted()).toEqual([
            'full',
            'full',
            'full',
            'partial',
        ]);
        expect(earlier[0]).toMatchObject({
            finished_at: '2025-08-17T02:28:06.000Z',
            started_at: '2025-08-17T02:28:04.000Z',
        });
    });

    it('keeps an upgraded file of the earlier tools from being counted twice', async () => {
        const cwd = tempDir();
        const results = join(cwd, 'results');
        const entry = {
            language: 'PYTHON3',
            solution: 'print(1)',
            result: { accepted: true, tests: [{ passed: true, exec_info: { status: 'Success' } }] },
        };
        const earlier = JSON.stringify({ id: 'p', main_result: [entry, entry] });
        mkdirSync(results);
        writeFileSync(join(results, 'p.json'), earlier);
        await collect(cwd, ['results']);
        expect((await recordsIn(cwd)).map((one) => one.occurrence)).toEqual([0, 1]);
        const [{ run } = { run: '' }] = await recordsIn(cwd);
        mkdirSync(join(cwd, 'checkpoints/results/earlier'), { recursive: true });
        writeFileSync(join(cwd, 'checkpoints/results/earlier/p.json'), earlier);
        writeResultFile(results, 'p', [{ fingerprint: 'f0' }, { fingerprint: 'f1' }], { run });
        await collect(cwd, ['results']);
        expect((await recordsIn(cwd)).map((one) => one.fingerprint)).toEqual(['f0', 'f1']);
    });

    it('writes Parquet where DuckDB is, and warns once and writes JSON where it is not', async () => {
        const cwd = tempDir();
        writeResultFile(join(cwd, 'results'), 'a', [{ fingerprint: 'f0' }]);
        const parquet = await collect(cwd, ['results'], { STORAGE_FORMAT: 'Parquet' });
        expect(parquet.stdout).toContain('[INFO] 使用Parquet存储格式');
        const json = await collect(cwd, ['results', '--database', 'other'], {
            STORAGE_FORMAT: 'parquet',
            NODE_OPTIONS: WITHOUT_DUCKDB,
        });
        expect(json.code).toBe(0);
        expect(json.stderr.match(/Parquet不可用/g)).toHaveLength(1);
        expect(json.stdout).toContain('[INFO] 使用JSON存储格式');
        const parts = ['database', 'other'].flatMap((name) => readdirSync(join(cwd, name, 'parts')));
        expect(parts.map((name) => name.split('.')[1])).toEqual(['parquet', 'jsonl']);
        const broken = await collect(cwd, ['results', '--database', 'third', '--storage', 'parquet'], {
            NODE_OPTIONS: `--import ${join(import.meta.dirname, '../rig/broken-duckdb.mjs')}`,
        });
        expect(broken.code).toBe(0);
        expect(broken.stderr).toMatch(/Parquet不可用.*cannot be loaded \(libduckdb\.so: cannot open/);
        // Once DuckDB is back, a Parquet database that was continued as JSON is reported as having two formats.
        writeResultFile(join(cwd, 'results'), 'b', [{ fingerprint: 'f1' }]);
        await collect(cwd, ['results'], { NODE_OPTIONS: WITHOUT_DUCKDB });
        const mixed = await collect(cwd, ['results']);
        expect(mixed.stderr).toMatch(
            /has parquet parts, and new parts are written as json; run `resume-run migrate --to json` \(or --to parquet\)/,
        );
        const migrated = await callCli(['migrate', '--to', 'parquet'], { cwd });
        expect(migrated).toMatchObject({ code: 0, stderr: expect.not.stringContaining('new parts are') });
        expect((await collect(cwd, ['results'])).stderr).toBe('');
        // That a part cannot be read here is not a finding about the database.
        const audit = await runCli(['analyze', '--audit', 'database'], {
            cwd,
            env: { NODE_OPTIONS: WITHOUT_DUCKDB },
        });
        expect(audit).toMatchObject({ code: 2, stderr: expect.stringContaining('npm install @duckdb/') });
    });

    it('reads the Parquet folder of the earlier tools, with increments that were not merged yet', async () => {
        const cwd = tempDir();
        const folder = join(cwd, 'pilot_bench_parquet_data');
        mkdirSync(join(folder, 'incremental'), { recursive: true });
        const duckdb = await openDuckDb();
        for (const [file, model, total] of [
            ['test_results.parquet', 'a', 4],
            ['incremental/increment_7_20250817_022806.parquet', 'b', 2],
        ] as const)
            await duckdb.run(
                `COPY (SELECT '${model}' AS model, 'cot' AS prompt_type, 0.8 AS tool_success_rate, 'easy' AS difficulty,
                    't' AS task_type, ${total} AS total, 1 AS success, 0 AS partial, ${total - 1} AS failed)
                    TO '${join(folder, file)}' (FORMAT parquet)`,
            );
        const first = await collect(cwd, ['--from', 'pilot_bench_parquet_data', '--json']);
        expect(JSON.parse(first.stdout)).toMatchObject({ added: 0, aggregates: 2, files: 2 });
        const again = await collect(cwd, ['--from', 'pilot_bench_parquet_data', '--json']);
        expect(JSON.parse(again.stdout)).toMatchObject({ aggregates: 0, known_aggregates: 2 });
    });

    it('says so where counts of a file come in a second time because it has grown', async () => {
        const cwd = tempDir();
        const write = (total: number): void =>
            writeFileSync(
                join(cwd, 'master_database.json'),
                JSON.stringify({
                    models: {},
                    test_groups: { m_simple_task_cot_easy: { total, success: 1 } },
                }),
            );
        for (const [total, warning] of [
            [3, /^$/],
            [3, /^$/],
            [5, /^warning: the database already has counts from another master_database\.json, and both/],
        ] as const) {
            write(total);
            const { code, stderr } = await collect(cwd, ['master_database.json']);
            expect(code).toBe(0);
            expect(stderr).toMatch(warning);
        }
    });

    it('counts records that the earlier migration made up from counts, and takes none of them for a record', async () => {
        const cwd = tempDir();
        const duckdb = await openDuckDb();
        await duckdb.run(
            `COPY (SELECT 'migrated_' || n AS test_id, 'json_migration' AS source, 'a' AS model, 'cot' AS prompt_type,
                0.8 AS tool_success_rate, 'easy' AS difficulty, 't' AS task_type, n = 1 AS success, n = 2 AS partial_success
                FROM range(1, 6) AS t(n)) TO '${join(cwd, 'test_results.parquet')}' (FORMAT parquet)`,
        );
        const result = await collect(cwd, ['--from', 'test_results.parquet', '--json']);
        expect(JSON.parse(result.stdout)).toMatchObject({ added: 0, aggregates: 1 });
        const sql = 'select model, total, success, "partial", failed from cells where source is not null';
        const cells = await callCli(['analyze', '--database', 'database', '--sql', sql, '--json'], { cwd });
        expect(JSON.parse(cells.stdout)).toMatchObject({
            rows: [{ model: 'a', total: 5, success: 1, partial: 1, failed: 3 }],
        });
    });

    it('says why it failed, and leaves everything as it was', async () => {
        const cwd = tempDir();
        writeResultFile(join(cwd, 'results'), 'a', [{ fingerprint: 'f0' }]);
        expect(await collect(cwd, ['missing'])).toMatchObject({
            code: 2,
            stderr: expect.stringContaining('missing: there is no such file or folder'),
        });
        mkdirSync(join(cwd, 'database'));
        writeFileSync(join(cwd, 'database/manifest.json'), '{');
        expect(await collect(cwd, ['results'])).toMatchObject({
            code: 4,
            stderr: expect.stringMatching(/❌ 结果收集失败: .*manifest\.json is damaged/),
        });
        rmSync(join(cwd, 'database'), { recursive: true });
        writeFileSync(join(cwd, 'database'), 'a file');
        expect(await collect(cwd, ['results'])).toMatchObject({
            code: 4,
            stderr: expect.stringMatching(/❌ 结果收集失败: cannot lock/),
        });
        expect(readFileSync(join(cwd, 'database'), 'utf8')).toBe('a file');
        expect(existsSync(join(cwd, 'results/a.json'))).toBe(true);
    });
});
