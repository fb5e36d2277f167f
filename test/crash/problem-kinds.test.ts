import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { killGroup, readResults, startCli, tempDir } from '../rig/cli.js';
import { callCli } from '../rig/in-process.js';
import { rounds } from '../rig/long.js';
import { BISECT, COUNTING, GUESSING } from '../rig/validators.js';

/*
 * Problems with scores, interactive problems and multi-pass problems under kill -9: a submission killed between two groups,
 * during an interaction or between two passes gets the result of an undisturbed run.
 */

const SLOWLY = 'import time\ntime.sleep(0.15)\n';

/** Three packages with two or three submissions each. */
const FILES: Readonly<Record<string, string>> = {
    'scored/problem.yaml': 'type: scoring\nlimits: {time_limit: 5}\n',
    'scored/data/testdata.yaml': 'on_reject: continue\n',
    'scored/data/secret/testdata.yaml': 'on_reject: continue\ngrader_flags: always_accept\n',
    'scored/data/secret/a/testdata.yaml': 'accept_score: 10\ngrader_flags: min\non_reject: break\n',
    'scored/data/secret/b/testdata.yaml': 'accept_score: 20\ngrader_flags: min\non_reject: break\n',
    ...Object.fromEntries(
        ['a/1', 'a/2', 'b/1', 'b/2'].flatMap((name, i) => [
            [`scored/data/secret/${name}.in`, `${i}\n`],
            [`scored/data/secret/${name}.ans`, `${i}\n`],
        ]),
    ),
    'scored/submissions/accepted/right.py': `${SLOWLY}print(input())\n`,
    'scored/submissions/partially_accepted/half.py': `${SLOWLY}print(min(2, int(input())))\n`,
    'scored/submissions/wrong_answer/none.py': `${SLOWLY}print(9)\n`,
    'talk/problem.yaml': 'validation: custom interactive\nlimits: {time_limit: 5}\n',
    'talk/data/secret/1.in': '37\n',
    'talk/data/secret/1.ans': '',
    'talk/data/secret/2.in': '99\n',
    'talk/data/secret/2.ans': '',
    'talk/output_validators/guess.py': GUESSING,
    'talk/submissions/accepted/bisect.py': `${SLOWLY}${BISECT}`,
    'talk/submissions/wrong_answer/ones.py': `${SLOWLY}input()\nfor i in range(11): print(1, flush=True); input()\n`,
    'talk/submissions/run_time_error/crash.py': `${SLOWLY}input()\nprint(37, flush=True)\ninput()\nraise SystemExit(3)\n`,
    'passes/problem.yaml':
        'problem_format_version: 2025-09\ntype: multi-pass\nlimits: {time_limit: 5, validation_passes: 3}\n',
    'passes/data/secret/1.in': '1\n',
    'passes/data/secret/1.ans': '',
    'passes/output_validator/count.py': COUNTING,
    'passes/submissions/accepted/echo.py': `${SLOWLY}print(input())\n`,
    'passes/submissions/wrong_answer/last.py': `${SLOWLY}n = input()\nprint(n if int(n) < 3 else "x")\n`,
};
const TASKS = 8;

function writeFiles(folder: string): void {
    for (const [name, text] of Object.entries(FILES)) {
        mkdirSync(dirname(join(folder, name)), { recursive: true });
        writeFileSync(join(folder, name), text);
    }
}

/** The result of each task: verdict, score, and results of its groups; fails if a task occurs twice. */
function readVerdicts(dir: string): Map<string, string> {
    const verdicts = new Map<string, string>();
    if (!existsSync(dir)) return verdicts;
    for (const [file, sample] of readResults(dir)) {
        for (const group of ['solution', 'incorrect_solution']) {
            const entries = (sample[`${group}_result`] ?? []) as {
                readonly index: number;
                readonly result: Readonly<Record<string, unknown>>;
            }[];
            for (const { index, result } of entries) {
                const key = `${file} ${group} ${index}`;
                expect(verdicts.has(key), `${key} stands twice`).toBe(false);
                verdicts.set(key, JSON.stringify([result['verdict'], result['score'], result['groups']]));
            }
        }
    }
    return verdicts;
}

describe('problems with scores, talks and passes under kill -9', () => {
    it('end as in a run that nobody disturbs', async () => {
        const cwd = tempDir();
        writeFiles(join(cwd, 'problems'));
        const args = (dir: string): string[] => ['problems', '--dir', dir, '-j', '2'];
        const whole = await callCli(args('whole'), { cwd });
        expect(whole.code, whole.stderr).toBe(0);
        const expected = readVerdicts(join(cwd, 'whole'));
        expect(expected.size).toBe(TASKS);
        expect([...expected.values()].filter((each) => each.startsWith('["Accepted"'))).toHaveLength(3);

        let committed = 0;
        for (let round = 0; round < rounds(1); round += 1) {
            const run = startCli(args('killed'), { cwd });
            // Waits until one more task is committed, so that each start makes progress; the next tasks are then running.
            while (run.child.exitCode === null && readVerdicts(join(cwd, 'killed')).size <= committed)
                await new Promise((resolve) => setTimeout(resolve, 20));
            await new Promise((resolve) => setTimeout(resolve, Math.random() * 200));
            killGroup(run.child);
            await run.result;
            committed = readVerdicts(join(cwd, 'killed')).size;
        }
        const end = await callCli(args('killed'), { cwd });
        expect(end.code, end.stderr).toBe(0);
        expect(readVerdicts(join(cwd, 'killed'))).toEqual(expected);
    });
});
