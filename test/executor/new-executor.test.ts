import { execFile } from 'node:child_process';
import { cpSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { rolldown } from 'rolldown';
import { describe, expect, it } from 'vitest';
import type { ExecutorKind } from '../../src/executor/executor-kind.js';
import { EXECUTOR_KINDS } from '../../src/executor/kinds.js';
import { readResults, tempDir } from '../rig/cli.js';
import { ECHO } from './pretended/echo-kind.js';

/*
 * "Where to add things" in docs/architecture.md says what a new executor is: an implementation, its row, and a line in kinds.ts.
 * This test adds one to a copy of the build in exactly that way, and uses it.
 */

const ROOT = join(import.meta.dirname, '../..');

/**
 * A copy of the build with the sample executor in it.
 * @returns the file to start
 */
async function buildWithEcho(folder: string): Promise<string> {
    for (const name of ['package.json', 'dist', 'native']) {
        cpSync(join(ROOT, name), join(folder, name), {
            recursive: true,
            filter: (path) => !path.endsWith('/dist/bundle'),
        });
    }
    symlinkSync(join(ROOT, 'node_modules'), join(folder, 'node_modules'));
    const sources = join(folder, 'sources');
    mkdirSync(sources);
    for (const name of ['echo.ts', 'echo-kind.ts']) {
        cpSync(join(import.meta.dirname, 'pretended', name), join(sources, name));
    }
    const registry = readFileSync(join(ROOT, 'src/executor/kinds.ts'), 'utf8');
    const withEcho = registry
        .replace(/^import/m, "import { ECHO } from './echo-kind.js';\nimport")
        .replace(/\bEXECUTOR_KINDS = \[/, '$&ECHO,');
    expect(withEcho.split('\n').length).toBe(registry.split('\n').length + 1);
    writeFileSync(join(sources, 'kinds.ts'), withEcho);
    for (const name of ['echo', 'echo-kind', 'kinds']) {
        const compiled = await rolldown({
            input: join(sources, `${name}.ts`),
            external: (_id, importer) => importer !== undefined,
        });
        await compiled.write({ file: join(folder, 'dist/executor', `${name}.js`), format: 'esm' });
    }
    return join(folder, 'dist/cli.js');
}

async function start(entry: string, cwd: string, ...args: readonly string[]) {
    const { PATH, HOME } = process.env;
    const options = { cwd, env: { PATH, HOME } };
    try {
        const { stdout } = await promisify(execFile)(process.execPath, [entry, ...args], options);
        return { code: 0, text: stdout };
    } catch (error) {
        const { code, stderr } = error as { readonly code: number; readonly stderr: string };
        return { code, text: stderr };
    }
}

describe('a new executor', () => {
    it('is an implementation, its row, and a line in the registry', async () => {
        // The types fit too: every listed executor must be a row.
        const kinds = [...EXECUTOR_KINDS, ECHO] as const satisfies readonly ExecutorKind[];
        expect(kinds.length).toBe(EXECUTOR_KINDS.length + 1);
        const dir = tempDir();
        const entry = await buildWithEcho(join(dir, 'copy'));
        const rows = ['a', 'b'].map((id) => JSON.stringify({ id, groups: { task: [{}] } }));
        writeFileSync(join(dir, 'rows.jsonl'), rows.join('\n'));

        const help = await start(entry, dir, '--help');
        expect(help.text).toContain('--echo-text <text>');
        for (const mode of ['thread', 'process', 'async']) {
            const results = ['--dir', join(dir, mode), '--mode', mode, '-q'];
            const asked = ['rows.jsonl', '--executor', 'echo', '--echo-text', `by ${mode}`];
            expect(await start(entry, dir, ...asked, ...results)).toMatchObject({ code: 0 });
            const files = JSON.stringify([...readResults(join(dir, mode)).values()]);
            expect(files).toContain(`a: by ${mode}`);
            expect(files).toContain(`b: by ${mode}`);
        }
        const run = JSON.parse(readFileSync(join(dir, 'checkpoints/thread/run.json'), 'utf8')) as object;
        expect(run).toMatchObject({ options: { executor: 'echo', 'echo-text': 'by thread' } });

        const beside = await start(entry, dir, 'rows.jsonl', '--executor', 'exec', '--echo-text', 'x');
        expect(beside).toMatchObject({ code: 2 });
        expect(beside.text).toContain('--echo-text needs --executor echo, but the executor is exec');
        const bare = await start(entry, dir, '--executor', 'echo', '--dir', 'none');
        expect(bare.text).toContain('--executor echo needs a dataset');
    });
});
