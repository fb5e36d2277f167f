import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { readResults, tempDir } from '../rig/cli.js';
import { callCli } from '../rig/in-process.js';

/** Runs a package with Python programs, for which this machine has no interpreter. */
async function run(files: Readonly<Record<string, string>>) {
    const cwd = tempDir();
    const all = {
        'p/data/secret/1.in': '1\n',
        'p/data/secret/1.ans': '1\n',
        'p/submissions/accepted/echo.sh': 'cat\n',
        ...files,
    };
    for (const [name, text] of Object.entries(all)) {
        mkdirSync(dirname(join(cwd, name)), { recursive: true });
        writeFileSync(join(cwd, name), text);
    }
    const missing = { run: ['no-such-interpreter', '{source}'] };
    const config = { languages: { python3: missing, pypy3: missing }, sandbox: 'none' };
    writeFileSync(join(cwd, 'resume-run.config.json'), JSON.stringify(config));
    const { code } = await callCli(['p', '--dir', 'out'], { cwd });
    return { code, sample: readResults(join(cwd, 'out')).get('p.json') };
}

describe('a package whose own programs have no toolchain is skipped with the reason', () => {
    const SCORING = {
        'p/problem.yaml': 'type: scoring\ngrading: custom\nlimits: {time_limit: 5}\n',
        'p/graders/grade.py': 'print("AC 1")\n',
    };
    const CUSTOM = 'validation: custom\nlimits: {time_limit: 5}\n';
    const VALIDATED = { 'p/problem.yaml': CUSTOM, 'p/output_validators/check.py': 'raise SystemExit(42)\n' };

    it.each([
        ['validator', 'check.py', VALIDATED],
        ['grader', 'grade.py', SCORING],
    ])('%s', async (role, name, files) => {
        const { code, sample } = await run(files);
        expect(sample).toMatchObject({
            skipped: [{ reason: `no toolchain for PYTHON3, the language of its ${role} ${name}` }],
        });
        expect(sample).not.toHaveProperty('failures');
        expect(code).toBe(0);
    });

    it('and one that brings none is judged', async () => {
        const { sample } = await run({ 'p/problem.yaml': 'limits: {time_limit: 5}\n' });
        expect(sample).toMatchObject({ solution_result: [{ result: { verdict: 'Accepted' } }] });
    });
});
