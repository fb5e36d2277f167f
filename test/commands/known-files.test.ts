import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { tempDir } from '../rig/cli.js';
import { callCli } from '../rig/in-process.js';

/*
 * What a start has recorded about complete result files: status, report and analyze must answer from it just as they do from the
 * files.
 */

const ANSWERS = [
    ['analyze'],
    ['analyze', '--by', 'sample'],
    ['analyze', '--by', 'sample,group'],
    ['analyze', '--by', 'verdict'],
    ['status'],
    ['report'],
    ['report', '--csv'],
].map((args) => [...args, '--dir', 'results']);

interface Answered {
    readonly args: readonly string[];
    readonly answer: unknown;
    readonly stderr: string;
}

/** Lists follow the directory order, which is arbitrary. The time of the answer is omitted. */
function sortLists(json: unknown): unknown {
    if (Array.isArray(json))
        return json.map(sortLists).sort((a, b) => (JSON.stringify(a) < JSON.stringify(b) ? -1 : 1));
    if (typeof json !== 'object' || json === null) return json;
    const members = Object.entries(json).map(([key, value]) => [key, key === 'at' ? null : sortLists(value)]);
    return Object.fromEntries(members);
}

async function askAll(cwd: string): Promise<readonly Answered[]> {
    const answers: Answered[] = [];
    for (const args of ANSWERS) {
        const json = args.includes('--csv') ? [] : ['--json'];
        const { code, stdout, stderr } = await callCli([...args, ...json], { cwd });
        expect(code, stderr).toBe(0);
        answers.push({ args, answer: json.length === 0 ? stdout : sortLists(JSON.parse(stdout)), stderr });
    }
    return answers;
}

/** Results of every kind: levels other than those of verdicts, expected verdicts, names that files cannot have, skips. */
async function run(cwd: string): Promise<void> {
    const rows = Array.from({ length: 40 }, (_, n) => ({
        id: n % 10 === 3 ? `odd/${n} 'x'` : `sample-${n}`,
        groups: {
            solution: [{ n }, { n: n + 1 }],
            ...(n % 2 === 0 ? { incorrect_solution: [{ n }] } : {}),
            ...(n % 5 === 0 ? { iteration: [{ n }, { n: n + 1 }, { n: n + 2 }] } : {}),
        },
    }));
    writeFileSync(join(cwd, 'rows.jsonl'), rows.map((row) => `${JSON.stringify(row)}\n`).join(''));
    writeFileSync(
        join(cwd, 'task.mjs'),
        `export default ({ input: { n } }) => {
            if (n === 17) throw new Error('not today');
            const more = [{}, { success_level: 'partial' }, { partial_success: true }, { success: true }][n % 4];
            return { accepted: n % 3 !== 0, verdict: n % 3 === 0 ? 'WrongAnswer' : 'Accepted', ...more };
        };\n`,
    );
    const args = ['rows.jsonl', '--executor', 'module', '--module', 'task.mjs', '--retries', '0'];
    expect((await callCli([...args, '--mode', 'async', '-q'], { cwd })).code).toBe(1);
}

const indexOf = (cwd: string): string => join(cwd, 'checkpoints', 'results', 'index.json');

it('answers the same with what a start has noted as from the files alone', async () => {
    const cwd = tempDir();
    await run(cwd);
    const noted = await askAll(cwd);
    rmSync(indexOf(cwd));
    expect(await askAll(cwd)).toEqual(noted);
});

it('reads a file that is not what it was, and takes none for complete that is not', async () => {
    const cwd = tempDir();
    await run(cwd);
    const path = join(cwd, 'results', 'sample-1.json');
    const before = (await askAll(cwd))[1];
    writeFileSync(path, readFileSync(path, 'utf8').replaceAll('"accepted": true', '"accepted": false'));
    writeFileSync(join(cwd, 'results', 'sample-2.json'), '{"id": "sample-2", "solution_re');
    const noted = await askAll(cwd);
    expect(noted[1]?.stderr).toMatch(/sample-2\.json is left out/);
    expect(noted[1]?.answer).not.toEqual(before?.answer);
    rmSync(indexOf(cwd));
    expect(await askAll(cwd)).toEqual(noted);
});

it('counts no sample that its dataset has lost', async () => {
    const cwd = tempDir();
    await run(cwd);
    const rows = readFileSync(join(cwd, 'rows.jsonl'), 'utf8').split('\n');
    writeFileSync(join(cwd, 'rows.jsonl'), `${rows.slice(0, 20).join('\n')}\n`);
    const noted = await askAll(cwd);
    expect(noted[0]?.stderr).toMatch(/20 samples left out that the dataset no longer has/);
    rmSync(indexOf(cwd));
    expect(await askAll(cwd)).toEqual(noted);
});
