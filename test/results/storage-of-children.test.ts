import { readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { BIN, readResults, runCli, tempDir } from '../rig/cli.js';
import { patience } from '../rig/slowness.js';

/*
 * All processes of one process tree write the same format, which the outermost one decides. In the earlier tools each process
 * decided for itself, so that both formats were written.
 */

const WITHOUT_DUCKDB = `--import ${join(import.meta.dirname, '../rig/without-duckdb.mjs')}`;

/** Formats of a database's parts, each once. */
const formatsIn = (cwd: string, database: string): readonly string[] => [
    ...new Set(readdirSync(join(cwd, database, 'parts')).map((name) => name.split('.').at(-1) ?? '')),
];

it.each([
    ['parquet', 'parquet', {}],
    // The outermost process cannot write the requested format, although the processes that it starts could.
    ['parquet', 'jsonl', { NODE_OPTIONS: WITHOUT_DUCKDB }],
] as const)(
    'a run with --storage %s has it written as %s by every process that it starts',
    { timeout: patience(30_000) },
    async (storage, written, env) => {
        const cwd = tempDir();
        for (const name of ['outer', 'inner'])
            writeFileSync(join(cwd, `${name}.jsonl`), `{"name":"${name}"}\n`);
        const inner = [
            'inner.jsonl',
            '--dir',
            'in',
            '--database',
            'inner',
            '--temp-dir',
            'spool',
            '--collect',
        ];
        // Its own options do not name the format, and DuckDB is available to it.
        const start = `NODE_OPTIONS= ${process.execPath} ${BIN} ${inner.join(' ')} --executor exec -- true {name}`;
        const run = [
            'outer.jsonl',
            '--collect',
            '--storage',
            storage,
            '--executor',
            'exec',
            '--',
            'sh',
            '-c',
            start,
        ];
        const end = await runCli([...run, '{name}'], { cwd, env });
        expect(end.code, end.stderr).toBe(0);
        expect([formatsIn(cwd, 'database'), formatsIn(cwd, 'inner')]).toEqual([[written], [written]]);
    },
);

it.each(['thread', 'process', 'async'])('workers in mode %s know the format', async (mode) => {
    const cwd = tempDir();
    writeFileSync(join(cwd, 'rows.jsonl'), '{"name":"a"}\n{"name":"b"}\n');
    writeFileSync(
        join(cwd, 'tell.mjs'),
        'export default () => ({ format: process.env.STORAGE_FORMAT ?? null });\n',
    );
    const run = ['rows.jsonl', '--executor', 'module', '--module', 'tell.mjs', '--mode', mode, '-j', '2'];
    const end = await runCli([...run, '--collect', '--storage', 'parquet'], { cwd });
    expect(end.code, end.stderr).toBe(0);
    const told = [...readResults(join(cwd, 'results')).values()].flatMap((sample) =>
        (sample['main_result'] as { result: { format: string } }[]).map(({ result }) => result.format),
    );
    expect(told).toEqual(['parquet', 'parquet']);
});
