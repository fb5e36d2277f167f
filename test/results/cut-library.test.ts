import { copyFileSync, readdirSync, symlinkSync, truncateSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { expect, it } from 'vitest';
import { hasDuckDb } from '../../src/results/duckdb.js';
import { findCutLibrary } from '../../src/results/cut-library.js';
import { runCli, tempDir } from '../rig/cli.js';

const api = createRequire(import.meta.url).resolve('@duckdb/node-api');

it('finds nothing wrong with a whole library', async () => {
    expect(findCutLibrary(api)).toBeNull();
    expect(await hasDuckDb()).toBe(true);
});

it.skipIf(process.platform !== 'linux')(
    'says in one line that DuckDB is cut, where loading it would end the process by SIGBUS',
    async () => {
        const cwd = tempDir();
        const library = join(cwd, 'duckdb.node');
        const bindings = dirname(
            createRequire(createRequire(api).resolve('@duckdb/node-bindings')).resolve(
                `@duckdb/node-bindings-linux-${process.arch}/duckdb.node`,
            ),
        );
        copyFileSync(join(bindings, 'duckdb.node'), library);
        symlinkSync(join(bindings, 'libduckdb.so'), join(cwd, 'libduckdb.so'));
        truncateSync(library, 200_000);
        const env = {
            CUT_DUCKDB: library,
            NODE_OPTIONS: `--import ${join(import.meta.dirname, '../rig/cut-duckdb.mjs')}`,
        };
        const collected = await runCli(['collect', '--storage', 'parquet'], { cwd, env });
        expect(collected).toMatchObject({ code: 0, stderr: expect.stringMatching(/Parquet不可用.* is cut/) });
        expect(collected.stdout).toContain('[INFO] 使用JSON存储格式');
        expect(await runCli(['migrate', '--to', 'parquet'], { cwd, env })).toMatchObject({
            code: 2,
            stderr: expect.stringMatching(
                /^resume-run: this needs DuckDB, which cannot be loaded \(.*duckdb\.node is cut: it has 200000 bytes, expected \d+\): npm install .*\n$/,
            ),
        });
        expect(readdirSync(cwd)).toContain('database');
    },
);
