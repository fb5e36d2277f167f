import { appendFileSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { expect, it } from 'vitest';
import { auditDatabase } from '../../src/results/ask/audit.js';
import { openDuckDb } from '../../src/results/duckdb.js';
import { openStore } from '../../src/results/store/open-store.js';
import { pinGeneration } from '../../src/results/store/read-generation.js';
import { writeMasterTree } from '../../src/results/tree/write-tree.js';
import { commitRecords, records } from '../results/records.js';
import { writeTasks } from '../results/fixtures.js';
import { runCli, tempDir } from '../rig/cli.js';
import { callCli } from '../rig/in-process.js';

it('reads the database that the command line names, whatever folder a config file names', async () => {
    const cwd = tempDir();
    const store = await openStore({ dir: join(cwd, 'db'), storage: 'json', onNotice: () => undefined });
    await commitRecords(store, records(10));
    await store.close();
    writeFileSync(join(cwd, 'resume-run.config.yaml'), 'dir: results\n');
    const done = await callCli(['analyze', 'rates', '--database', 'db', '--json'], { cwd });
    expect(done).toMatchObject({ code: 0, stderr: '' });
    expect(JSON.parse(done.stdout)).toMatchObject({ rows: [{ total: 10 }] });
    expect((await callCli(['export', '--database', 'db'], { cwd })).stdout.trim().split('\n')).toHaveLength(
        10,
    );
    const both = await callCli(['analyze', '--database', 'db', '--dir', 'results'], { cwd });
    expect(both.code).toBe(2);
    expect(both.stderr).toContain('--dir and --database cannot be used together');
    for (const [where, why] of [
        ['model = ', 'syntax error'],
        ['nothing > 1', '"nothing" not found'],
    ] as const) {
        const wrong = await callCli(['analyze', '--database', 'db', '--where', where], { cwd });
        expect(wrong.code).toBe(2);
        expect(wrong.stderr).toContain(
            `--where: expected a condition in SQL, such as "model = 'm'", got "${where}"`,
        );
        expect(wrong.stderr).toContain(why);
        expect(wrong.stderr).not.toContain('LINE');
    }
});

it('answers from result directories, with no database made before, in every format', async () => {
    const cwd = tempDir();
    writeTasks(join(cwd, 'results'), 'a', [{}, { verdict: 'WrongAnswer' }, { failure: 'endpoint' }]);
    writeTasks(join(cwd, 'results'), '=b|c', [{ group: 'incorrect_solution', language: 'PYTHON3' }]);
    const table = await callCli(['analyze', '--dir', 'results'], { cwd });
    expect(table).toMatchObject({ code: 0, stderr: '' });
    expect(table.stdout).toMatch(/^group +total +success/);
    expect(table.stdout).toMatch(/^solution +2 +1 +0 +1 +1 +50\.0 %/m);
    // A condition makes it read whole records, which must not change anything.
    for (const question of [[], ['--by', 'group,verdict,language'], ['pass-at-k', '--by', 'group']]) {
        const brief = await callCli(['analyze', ...question, '--dir', 'results', '--json'], { cwd });
        const whole = await callCli(
            ['analyze', ...question, '--dir', 'results', '--json', '--where', 'true'],
            { cwd },
        );
        expect(brief).toMatchObject({ code: 0, stdout: whole.stdout });
    }
    const csv = await callCli(['analyze', 'weak-tests', '--format', 'csv'], { cwd });
    expect(csv.stdout.split('\r\n')[1]).toMatch(/^'=b\|c,1,1,1,/);
    const json = await callCli(
        ['analyze', '--sql', 'select sample, "index" i from records order by all', '--json'],
        {
            cwd,
        },
    );
    expect(JSON.parse(json.stdout)).toMatchObject({
        rows: [
            { sample: '=b|c', i: 0 },
            { sample: 'a', i: 0 },
            { sample: 'a', i: 1 },
            { sample: 'a', i: 2 },
        ],
    });
    const file = await callCli(['analyze', '--by', 'sample', '--format', 'parquet', '-o', 'out.parquet'], {
        cwd,
    });
    expect(file).toMatchObject({ code: 0, stdout: '', stderr: '' });
    const read = await (await openDuckDb()).runAndReadAll(
        `SELECT sample, total::INTEGER, success_rate FROM '${join(cwd, 'out.parquet')}' ORDER BY total`,
    );
    expect(read.getRows()).toEqual([
        ['=b|c', 1, 1],
        ['a', 2, 0.5],
    ]);
    const markdown = await callCli(['analyze', 'weak-tests', '--format', 'markdown', '-o', 'm/weak.md'], {
        cwd,
    });
    expect(markdown.code).toBe(0);
    expect(readFileSync(join(cwd, 'm/weak.md'), 'utf8')).toContain('| `=b\\|c` | 1 | 1 | 100 % |');
    expect(readdirSync(cwd).sort()).toEqual(['m', 'out.parquet', 'results']);
});

it('counts no samples that the dataset no longer has, as report does', async () => {
    const cwd = tempDir();
    const rows = ['kept', 'gone'].map((id) => `{"id":"${id}","groups":{"iteration":[1]}}\n`);
    writeFileSync(join(cwd, 'rows.jsonl'), rows.join(''));
    const exec = ['run', 'rows.jsonl', '-q', '--mode', 'async', '--executor', 'exec', '--', 'true'];
    expect(await callCli(exec, { cwd })).toMatchObject({ code: 0 });
    writeFileSync(join(cwd, 'rows.jsonl'), rows[0] ?? '');
    const answer = await callCli(['analyze', '--by', 'sample', '--format', 'csv'], { cwd });
    expect(answer.stdout).toMatch(/^kept,1,1/m);
    expect(answer.stdout).not.toContain('gone');
    expect((await callCli(['export'], { cwd })).stdout).toContain('"sample":"gone"');
});

it('answers from a database, while a compaction moves its parts, with the counts of earlier databases beside', async () => {
    const cwd = tempDir();
    writeTasks(join(cwd, 'results'), 'a', [{}, { verdict: 'WrongAnswer' }]);
    const leaf =
        '{"total": 4, "success": 1, "partial": 1, "failed": 2, "avg_turns": 2.5, "success_rate": NaN}';
    const byRate = `{"by_tool_success_rate": {"0.8": {"by_difficulty": {"easy": {"by_task_type": {"t": ${leaf}}}}}}}`;
    writeFileSync(
        join(cwd, 'old.json'),
        `{"version": "3.0", "models": {"m": {"by_prompt_type": {"cot": ${byRate}}}}}`,
    );
    for (const from of ['results', 'old.json'])
        expect(await callCli(['collect', '--from', from], { cwd })).toMatchObject({ code: 0 });
    const database = join(cwd, 'database');
    const pinned = await pinGeneration(database);
    const store = await openStore({ dir: database, storage: 'json', onNotice: () => undefined });
    await commitRecords(store, records(3, { run: 'other', success_level: 'failure' }));
    await store.compact();
    await store.close();
    rmSync(join(database, 'replaced'), { recursive: true });
    // In its state when it was opened, although its part is gone.
    expect(
        readFileSync(pinned.parts[0]?.path ?? '', 'utf8')
            .trim()
            .split('\n'),
    ).toHaveLength(2);
    await pinned.close();
    const rates = await callCli(['analyze', '--database', 'database', '--by', 'run', '--json'], { cwd });
    expect(rates.stderr).toBe('');
    expect(JSON.parse(rates.stdout)).toMatchObject({
        rows: expect.arrayContaining([expect.objectContaining({ run: 'other', total: 3, success: 0 })]),
        notes: expect.arrayContaining([
            expect.stringContaining('Counts of earlier databases (cells: 1) have no records'),
        ]),
    });
    const sql = 'select source, model, tool_success_rate, total, avg_turns from cells';
    const cells = await callCli(['analyze', '--database', 'database', '--sql', sql, '--json'], { cwd });
    expect(JSON.parse(cells.stdout)).toMatchObject({
        rows: [{ source: 'old.json', model: 'm', tool_success_rate: 0.8, total: 4, avg_turns: 2.5 }],
    });
    const audit = await callCli(['analyze', '--audit', 'old.json', '--json'], { cwd });
    expect(audit.code).toBe(1);
    expect(JSON.parse(audit.stdout)).toMatchObject({
        rows: [{ where: 'models/m/cot/0.8/easy/t', what: 'success_rate is NaN' }],
    });
});

it('audits a database folder: parts that are damaged, doubled or miscounted, and a tree that says otherwise', async () => {
    const dir = tempDir();
    const store = await openStore({ dir, storage: 'json', onNotice: () => undefined });
    await commitRecords(store, records(3, { model: 'm' }));
    await commitRecords(store, records(2, { model: 'm', run: 'other' }));
    await writeMasterTree(dir);
    // Another generation of the same records.
    await store.addAggregates({ source: 'earlier.json', sha256: 'x', cells: [] });
    await store.close();
    expect(await auditDatabase(dir)).toEqual([]);
    await writeMasterTree(dir);
    const [first = '', second = ''] = store.manifest.parts.map(({ path }) => join(dir, path));
    appendFileSync(second, readFileSync(first));
    const doubled = await auditDatabase(dir);
    expect(doubled.map(({ what }) => what)).toEqual([
        expect.stringMatching(/^expected \d+ bytes \(manifest\), found \d+$/),
        'expected 2 records (manifest), found 5',
        '3 of its records duplicate earlier ones',
        ...Array<string>(10).fill('it is 5, but the records give 8'),
        expect.stringMatching(/^\d+ more of its values differ/),
    ]);
    expect(doubled[3]?.where).toBe('master_database.json: summary/total_tests');
    appendFileSync(first, '{"run":');
    rmSync(join(dir, 'master_database.json'));
    const found = await auditDatabase(dir);
    expect(found[0]?.what).toMatch(/the last line is cut/);
    expect(found.at(-1)?.what).toMatch(/it is missing/);
});

it('audits Parquet of the earlier tools: cells that stand twice, and rates that do not follow from their counts', async () => {
    const path = join(tempDir(), 'old.parquet');
    const row =
        "'m' AS model, 'cot' AS prompt_type, 0.8 AS tool_success_rate, 'easy' AS difficulty, 't' AS task_type";
    await (await openDuckDb()).run(
        `COPY (SELECT ${row}, 4 AS total, 1 AS success, 1 AS partial, 2 AS failed, 0.0 AS success_rate
            UNION ALL SELECT ${row}, 2, 1, 0, 1, 0.5) TO '${path}' (FORMAT parquet)`,
    );
    expect(await auditDatabase(path)).toEqual([
        { where: 'm/cot/0.8/easy/t', what: 'success_rate is 0, 1 of 4 is 0.25' },
        { where: 'm/cot/0.8/easy/t', what: 'this cell occurs more than once' },
    ]);
});

it('says in one line what is wrong with a question, and what to install', async () => {
    const cwd = tempDir();
    const hook = pathToFileURL(join(import.meta.dirname, '../rig/without-duckdb.mjs')).href;
    const withoutDuckDb = (args: readonly string[]) =>
        runCli(['analyze', ...args], { cwd, env: { NODE_OPTIONS: `--import ${hook}` } });
    const missing = await withoutDuckDb(['slowest']);
    expect(missing.code).toBe(2);
    expect(missing.stderr).toMatch(/needs DuckDB.*npm install @duckdb\/node-api@\S+\n/);
    // Rates of result files need nothing else.
    writeTasks(join(cwd, 'results'), 'a', [{}, { verdict: 'WrongAnswer' }]);
    expect(await withoutDuckDb([])).toMatchObject({
        code: 0,
        stdout: expect.stringMatching(/^solution +2/m),
    });
    expect(await withoutDuckDb(['--by', 'model'])).toMatchObject({ code: 2 });
    const unknown = await callCli(['analyze', 'slowst'], { cwd });
    expect(unknown).toMatchObject({ code: 2 });
    expect(unknown.stderr).toMatch(/expected a question.*did you mean slowest/);
    for (const [args, why] of [
        [['rates', '--k', '5'], "'rates' has no option --k"],
        [['--sql', 'select 1', '--where', 'true'], '--where cannot be used with --sql'],
        [['--sql', 'select 1', '--rows', '3'], '--rows cannot be used with --sql'],
        [
            ['--audit', 'database', '--rows', '3'],
            '--audit always checks the whole database: leave out --rows',
        ],
    ] as const) {
        const unused = await callCli(['analyze', ...args], { cwd });
        expect(unused.stderr).toContain(why);
    }
    const absent = await callCli(['analyze', '--dir', 'nowhere'], { cwd });
    expect(absent.code).toBe(2);
    expect(absent.stderr).toMatch(/cannot read .*nowhere: .*no such file/);
});
