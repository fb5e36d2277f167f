import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { readResults, tempDir } from '../rig/cli.js';
import { callCli } from '../rig/in-process.js';

/** By kind: the arguments in the last line that `init` prints, and the number of result files that they produce. */
const STARTS: readonly (readonly [string, readonly string[], number])[] = [
    ['judge', [], 1],
    ['exec', [], 1],
    ['module', [], 1],
    ['topics', ['topics'], 2],
    ['matrix', ['matrix', '--test-config', 'matrix.yaml'], 4],
];

it.each(STARTS)('init %s writes what runs as it is', async (kind, args, samples) => {
    const cwd = tempDir();
    const made = await callCli(['init', kind, 'work'], { cwd });
    expect([made.code, made.stderr]).toEqual([0, '']);
    expect(made.stdout).toContain(`Run it: cd work && resume-run${args.map((arg) => ` ${arg}`).join('')}\n`);
    const work = join(cwd, 'work');
    const done = await callCli([...args, '--quiet'], { cwd: work });
    expect(done.code, done.stdout + done.stderr).toBe(0);
    const results = readResults(join(work, 'results'));
    expect(results.size).toBe(samples);
    for (const file of results.values()) expect(file['progress']).toMatchObject({ is_complete: true });
    // The configuration uses only keys that the program knows, so nothing in it is ignored.
    expect(done.stderr).not.toMatch(/unknown|names no/);
});

it('init overwrites nothing, and says which kinds there are', async () => {
    const cwd = tempDir();
    writeFileSync(join(cwd, 'rows.csv'), 'mine\n');
    const refused = await callCli(['init', 'exec'], { cwd });
    expect(refused.code).toBe(2);
    expect(refused.stderr).toMatch(/^resume-run: .*has rows\.csv already: .*init exec my-exec\n$/);
    expect(readdirSync(cwd)).toEqual(['rows.csv']);
    expect(readFileSync(join(cwd, 'rows.csv'), 'utf8')).toBe('mine\n');
    expect((await callCli(['init', 'nothing'], { cwd })).stderr).toMatch(
        /init takes one of judge, exec, module, topics, matrix, got 'nothing'/,
    );
});
