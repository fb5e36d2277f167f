import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { writeTasks } from '../results/fixtures.js';
import { tempDir } from '../rig/cli.js';
import { callCli } from '../rig/in-process.js';

const FILES = 1100;

it('answers the same of a thousand result files as of a database made of them', async () => {
    const cwd = tempDir();
    const results = join(cwd, 'results');
    for (let at = 0; at < FILES; at += 1) {
        const verdict = at % 3 === 0 ? 'WrongAnswer' : 'Accepted';
        const failed = at % 100 === 7 ? [{ failure: 'endpoint' }] : [];
        writeTasks(results, `sample-${at}`, [{ verdict, language: 'PYTHON3' }, ...failed]);
    }
    // A file larger than one read, a file that is not a result file, and one of the earlier tools.
    writeTasks(results, 'large', [{ result: { accepted: true, text: 'x'.repeat(200_000) } }]);
    writeFileSync(join(results, 'torn.json'), '{"id": "torn", "solution_re');
    const tests = [{ passed: true, exec_info: { run_result: { status: 'Finished', return_code: 0 } } }];
    const entry = { solution: 'print(1)', language: 'PYTHON3', result: { accepted: true, tests } };
    writeFileSync(join(results, 'old.json'), JSON.stringify({ id: 'old', solution_result: [entry] }));
    writeTasks(results, 'late', [{ verdict: 'TimeLimitExceeded' }]);

    expect(await callCli(['collect', '--from', 'results'], { cwd })).toMatchObject({ code: 0 });
    for (const question of [
        ['--by', 'group,verdict,language'],
        ['--sql', 'select * exclude (attempt_log) from records order by sample, "group", "index"'],
        ['--sql', 'select sample, verdict, duration from attempts order by all'],
    ]) {
        const files = await callCli(['analyze', ...question, '--dir', 'results', '--json'], { cwd });
        const parts = await callCli(['analyze', ...question, '--database', 'database', '--json'], { cwd });
        expect(files).toMatchObject({ code: 0, stdout: parts.stdout });
        expect(files.stderr).toMatch(/torn\.json is left out: /);
        expect(files.stderr.match(/left out/g)).toHaveLength(1);
    }
    const count = await callCli(
        ['analyze', '--sql', 'select count(*) n, count(distinct sample) samples from records', '--json'],
        { cwd },
    );
    expect(JSON.parse(count.stdout)).toMatchObject({ rows: [{ n: FILES + 11 + 3, samples: FILES + 3 }] });
});
