import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { readResults, tempDir } from '../rig/cli.js';
import { callCli } from '../rig/in-process.js';

const NEVER = 'int main() { return missing; }\n';

/** A language that "compiles" with a shell command, so that no toolchain is needed. */
function settings(cwd: string, check: string): void {
    const compile = ['sh', '-c', `${check} && cp "$0" "$1"`, '{source}', '{out}'];
    const languages = {
        notes: { extensions: ['.notes'], source: 'main.notes', compile, run: ['cat', '{out}'] },
    };
    writeFileSync(join(cwd, 'resume-run.config.json'), JSON.stringify({ languages, sandbox: 'none' }));
}

const resultIn = (cwd: string): unknown => {
    const file = readResults(join(cwd, 'out')).get('one.json');
    const entries = (file?.['solution_result'] ?? []) as readonly { readonly result: unknown }[];
    return entries[0]?.result;
};

it('runs CompileErrors again when the compile command changed, and only then', async () => {
    const cwd = tempDir();
    const row = {
        id: 'one',
        tests: [{ input: '', output: NEVER }],
        solutions: [{ language: 'notes', source: NEVER }],
    };
    writeFileSync(join(cwd, 'one.jsonl'), JSON.stringify(row));
    settings(cwd, 'false');
    expect((await callCli(['one.jsonl', '--dir', 'out'], { cwd })).code).toBe(0);
    expect(resultIn(cwd)).toMatchObject({
        verdict: 'CompileError',
        compiler: expect.stringContaining('false'),
    });
    expect((await callCli(['--dir', 'out', '--dry-run'], { cwd })).stdout).toContain(
        '0 of 1 tasks would run',
    );
    settings(cwd, 'true');
    expect((await callCli(['--dir', 'out', '--dry-run'], { cwd })).stdout).toContain('compiler changed');
    await callCli(['--dir', 'out'], { cwd });
    expect(resultIn(cwd)).toMatchObject({ verdict: 'Accepted' });
});
