import { createHash } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { readResults, tempDir } from '../rig/cli.js';
import { callCli } from '../rig/in-process.js';
import { ChatServer } from '../rig/servers/chat-server.js';

const server = new ChatServer();
beforeAll(() => server.start());
afterAll(() => server.stop());

interface ScoredEntry {
    readonly index: number;
    readonly revision?: number;
    readonly result: Readonly<Record<string, unknown>>;
}

const entriesIn = (cwd: string): readonly ScoredEntry[] =>
    [...readResults(join(cwd, 'results')).values()]
        .flatMap((sample) => sample['main_result'] as ScoredEntry[])
        .sort((a, b) => a.index - b.index);

const resultsIn = (cwd: string) => entriesIn(cwd).map(({ result }) => result);

/** A folder with rows and their answers: the server returns each prompt in capitals. */
async function answered(
    rows: readonly object[],
    ...options: string[]
): Promise<{ readonly cwd: string; readonly score: (...args: string[]) => ReturnType<typeof callCli> }> {
    const cwd = tempDir();
    writeFileSync(join(cwd, 'q.jsonl'), rows.map((row) => `${JSON.stringify(row)}\n`).join(''));
    const run = await callCli(
        ['q.jsonl', '--executor', 'chat', '--model', 'm', '--endpoint', server.url].concat(
            ['--format', 'rows'],
            options,
        ),
        { cwd },
    );
    expect(run.code, run.stderr).toBe(0);
    return { cwd, score: (...args) => callCli(['score', '--dir', 'results', ...args], { cwd }) };
}

describe('resume-run score', () => {
    it('scores stored answers another way, asks nothing, and goes on where it was stopped', async () => {
        server.fault = ({ prompt }) =>
            prompt === 'no'
                ? { kind: 'message', message: { content: null, refusal: 'No.' }, finishReason: 'stop' }
                : null;
        const { cwd, score } = await answered(
            [
                { prompt: 'paris', expected: 'Paris' },
                { prompt: 'it is paris', expected: 'paris' },
                { prompt: 'rome', expected: 'paris' },
                { prompt: 'no', expected: 'paris' },
            ],
            '--scorer',
            'exact',
        );
        const asked = server.requests.length;
        expect(resultsIn(cwd).map(({ verdict }) => verdict)).toEqual([
            'Accepted',
            'WrongAnswer',
            'WrongAnswer',
            'Refused',
        ]);
        const collect = ['collect', '--from', 'results', '--database', 'db'];
        const collected = await callCli(collect, { cwd });
        expect(collected.code, collected.stderr).toBe(0);

        const planned = await score('--scorer', 'contains', '--dry-run');
        expect(planned.stdout).toContain('3 answers in results would be scored by contains');
        const first = await score('--scorer', 'contains');
        expect(first.code, first.stderr).toBe(0);
        expect(first.stdout).toContain('3 answers in results scored by contains; 0 had this score');
        expect(first.stdout).toContain('2/4 (50.0 %) of the tasks with a verdict (1 of them refused)');
        expect(first.stdout).toContain('1 accepted now, 0 no longer');
        const entries = entriesIn(cwd);
        expect(entries.map(({ result, revision }) => [result['verdict'], result['score'], revision])).toEqual(
            [
                ['Accepted', 1, 2],
                ['Accepted', 1, 2],
                ['WrongAnswer', 0, 2],
                ['Refused', undefined, undefined],
            ],
        );
        expect(entries[1]?.result).toMatchObject({ scorer: 'contains', answer: 'IT IS PARIS' });
        expect(entries[1]?.result['scorer_fingerprint']).toMatch(/^score-v1-sha256-[0-9a-f]{64}$/);
        // Replaced entries are never destroyed.
        const superseded = readFileSync(join(cwd, 'checkpoints', 'results', 'superseded.jsonl'), 'utf8');
        expect(superseded.trim().split('\n')).toHaveLength(3);

        // The second time there is nothing to do, even without --scorer: later answers use the same scorer.
        const again = await score('--json');
        expect(JSON.parse(again.stdout)).toMatchObject({
            scorer: 'contains',
            scored: 0,
            unchanged: 3,
            accepted: 2,
            refused: 1,
            finished: 4,
            tasks: 4,
        });
        const resumed = await callCli(['--dir', 'results'], { cwd });
        expect(resumed.code, resumed.stderr).toBe(0);
        expect(server.requests.length).toBe(asked);

        // The database detects the change by its revision.
        const recollected = await callCli(collect, { cwd });
        expect(recollected.code, recollected.stderr).toBe(0);
        const exported = await callCli(['export', '--database', 'db', '--format', 'jsonl'], { cwd });
        const records = exported.stdout
            .trim()
            .split('\n')
            .map((line) => JSON.parse(line) as { verdict: string; score?: number });
        expect(records.map(({ verdict }) => verdict).sort()).toEqual([
            'Accepted',
            'Accepted',
            'Refused',
            'WrongAnswer',
        ]);
        server.fault = () => null;
    });

    it('scores by a function, by a JSON schema, and by the tests of the row', async () => {
        const program = '```python\nprint(int(input()) * 2)\n```';
        server.text = ({ prompt }) => ({ json: '{"a": 1}', code: program })[prompt] ?? prompt;
        const tests = [
            { input: '2', output: '4' },
            { input: '5', output: '10' },
        ];
        const { cwd, score } = await answered([
            { prompt: 'json', tests },
            { prompt: 'code', tests },
            { prompt: 'code', tests: [{ input: '2', output: '5' }] },
        ]);
        const asked = server.requests.length;
        const bySchema = (schema: object) => {
            writeFileSync(join(cwd, 's.json'), JSON.stringify(schema));
            return score('--scorer', 'json-schema:s.json');
        };
        const schema = await bySchema({ type: 'object', required: ['a'] });
        expect(schema.code, schema.stderr).toBe(0);
        expect(resultsIn(cwd).map((one) => one['score'])).toEqual([1, 0, 0]);
        expect(resultsIn(cwd)[1]?.['score_reason']).toBe('the answer holds no JSON');
        // The content of the file counts, not its name.
        expect((await bySchema({ type: 'object', required: ['b'] })).stdout).toContain('3 answers');
        expect(resultsIn(cwd)[0]?.['score']).toBe(0);
        expect((await bySchema({ type: 'nope' })).stderr).toContain('"type": expected one of');

        writeFileSync(
            join(cwd, 'grade.mjs'),
            'export function grade({ answer, row }) { if (row.prompt === "json") throw new Error("cannot"); return { score: answer.includes("print") ? 0.5 : 0, reason: "half" }; }',
        );
        const byModule = await score('--scorer', 'module:grade.mjs#grade', '--retries', '0');
        expect(byModule.code).toBe(1);
        expect(byModule.stderr).toContain('cannot');
        // Answers that could not be scored keep their earlier score.
        expect(resultsIn(cwd).map((one) => [one['score'], one['verdict'], one['score_reason']])).toEqual([
            [0, 'WrongAnswer', expect.stringContaining('#')],
            [0.5, 'WrongAnswer', 'half'],
            [0.5, 'WrongAnswer', 'half'],
        ]);

        const byCode = await score('--scorer', 'code', '--sandbox', 'auto');
        expect(byCode.code, byCode.stderr).toBe(0);
        const [noCode, right, wrong] = resultsIn(cwd);
        expect(noCode).toMatchObject({ score: 0, verdict: 'WrongAnswer' });
        expect(right).toMatchObject({
            score: 1,
            verdict: 'Accepted',
            scorer: 'code',
            score_details: { verdict: 'Accepted', language: 'PYTHON3', tests_passed: 2 },
        });
        expect(wrong).toMatchObject({
            score: 0,
            score_details: { verdict: 'WrongAnswer', tests_passed: 0, failed_test: 'test-1' },
        });
        expect(server.requests.length).toBe(asked);
        server.text = ({ prompt }) => prompt.toUpperCase();
    });

    it('fills the expected text with numbers as the row writes them', async () => {
        server.text = ({ prompt }) => prompt;
        const cwd = tempDir();
        writeFileSync(join(cwd, 'q.jsonl'), '{"seed": 9007199254740993, "f": 1.0, "e": 1e400}\n');
        const template = '{seed} {f} {e}';
        const common = ['--executor', 'chat', '--model', 'm', '--endpoint', server.url, '--format', 'rows'];
        const expected = ['--prompt-template', template, '--scorer', 'exact', '--expected', template];
        const run = await callCli(['q.jsonl', ...common, ...expected], { cwd });
        expect(run.code, run.stderr).toBe(0);
        expect(resultsIn(cwd)).toMatchObject([{ answer: '9007199254740993 1.0 1e400', score: 1 }]);
        const scored = await callCli(['score', '--scorer', 'contains', '--expected', template], { cwd });
        expect(scored.code, scored.stderr).toBe(0);
        expect(resultsIn(cwd)).toMatchObject([{ scorer: 'contains', score: 1 }]);
        server.text = ({ prompt }) => prompt.toUpperCase();
    });

    it('leaves the scores of an earlier reading of numbers alone, and scores them anew when asked to', async () => {
        const { cwd, score } = await answered([{ prompt: '10-5', expected: '-5' }], '--scorer', 'numeric');
        // As an earlier version scored it, which read the hyphen as a sign.
        const [file = ''] = [...readResults(join(cwd, 'results')).keys()];
        const path = join(cwd, 'results', file);
        const before = `score-v1-sha256-${createHash('sha256')
            .update(JSON.stringify(['v1', 'numeric', 1e-6, '{expected}']))
            .digest('hex')}`;
        const sample = JSON.parse(readFileSync(path, 'utf8'));
        const { result } = sample.main_result[0];
        expect(result).toMatchObject({ score: 0, scorer: 'numeric:0.000001' });
        expect(result.scorer_fingerprint).not.toBe(before);
        Object.assign(result, { scorer_fingerprint: before, score: 1, verdict: 'Accepted', accepted: true });
        writeFileSync(path, JSON.stringify(sample));
        const resumed = await callCli(['--dir', 'results'], { cwd });
        expect(resumed.code, resumed.stderr).toBe(0);
        expect(resultsIn(cwd)).toMatchObject([{ score: 1, scorer_fingerprint: before }]);
        expect((await score()).stdout).toContain('0 accepted now, 1 no longer');
        expect(resultsIn(cwd)).toMatchObject([{ score: 0, verdict: 'WrongAnswer' }]);
        expect((await score()).stdout).toContain('1 had this score');
    });

    it('has another model judge, with its cost apart, and keeps the answer while the judge fails', async () => {
        const cwd = tempDir();
        writeFileSync(
            join(cwd, 'q.jsonl'),
            '{"prompt": "2+2?", "expected": "4"}\n{"prompt": "3+3?", "expected": "6"}\n',
        );
        writeFileSync(
            join(cwd, 'prices.json'),
            JSON.stringify({
                date: '2026-11-01',
                models: { m: { input: 1, output: 1 }, grader: { input: 100, output: 1000 } },
            }),
        );
        const isJudge = (body: Record<string, unknown>): boolean => body['model'] === 'grader';
        let isJudgeDown = true;
        server.fault = ({ body }) =>
            isJudge(body) && isJudgeDown
                ? { kind: 'status', status: 500, error: { message: 'broken' } }
                : null;
        server.text = ({ body, prompt }) =>
            isJudge(body) ? (prompt.includes('2+2?') ? 'Right.\n**SCORE: 1**' : 'Score: 0.25') : 'four';
        const args = ['q.jsonl', '--executor', 'chat', '--model', 'm', '--endpoint', server.url].concat([
            '--scorer',
            'model:grader',
            '--prices',
            'prices.json',
            '--retries',
            '0',
        ]);
        const before = server.requests.length;
        const count = (model: string): number =>
            server.requests.slice(before).filter(({ body }) => body['model'] === model).length;
        const down = await callCli(args, { cwd });
        expect(down.code).toBe(1);
        expect(count('m')).toBe(2);
        isJudgeDown = false;
        const up = await callCli(args, { cwd });
        expect(up.code, up.stderr).toBe(0);
        // The answers were paid for and kept, so only the judge is asked again.
        expect(count('m')).toBe(2);
        const [right, wrong] = resultsIn(cwd);
        expect(right).toMatchObject({
            verdict: 'Accepted',
            score: 1,
            model: 'm',
            cost: expect.closeTo(11e-6, 9),
            judge: { model: 'grader', completion_tokens: 7, prompt_tokens: expect.any(Number) },
        });
        expect(right).toHaveProperty(
            'judge.cost',
            expect.toSatisfy((cost: number) => cost > 0.007),
        );
        expect(wrong).toMatchObject({ verdict: 'WrongAnswer', score: 0.25, score_reason: 'Score: 0.25' });
        server.fault = () => null;
        server.text = ({ prompt }) => prompt.toUpperCase();
    });

    it('keeps a model that judges within a budget, says so, and goes on with another one', async () => {
        const rows = Array.from({ length: 5 }, (_, i) => ({ prompt: `p${i}`, expected: 'x' }));
        const { cwd, score } = await answered(rows);
        writeFileSync(
            join(cwd, 'prices.json'),
            JSON.stringify({ date: '2026-11-01', models: { grader: { input: 0, output: 10_000 } } }),
        );
        server.text = () => 'SCORE: 1';
        const before = server.requests.length;
        const asked = (): number => server.requests.length - before;
        const unpriced = await score('--scorer', 'model:grader', '--max-cost', '1');
        expect(unpriced.code).toBe(2);
        expect(unpriced.stderr).toContain('the price of the model grader is unknown; set it in --prices');
        expect(asked()).toBe(0);
        // A judgement costs $0.07, and $10.24 is reserved for it.
        const judge = (most: string, ...more: string[]) =>
            score('--scorer', 'model:grader', '--prices', 'prices.json', '--max-cost', most, ...more);
        const bounded = await judge('10.35');
        expect(bounded.code, bounded.stderr).toBe(1);
        expect(asked()).toBe(2);
        expect(bounded.stdout).toContain('2 answers in results scored by model:grader');
        expect(bounded.stdout).toContain(
            'stopped because the budget of $10.35 (--max-cost) is spent: $0.140 used, the next request may cost $10.2: the same command scores the rest',
        );
        const told = await judge('10.3', '--json');
        expect(told.code).toBe(1);
        expect(JSON.parse(told.stdout)).toMatchObject({
            scored: 1,
            unchanged: 2,
            stopped: true,
            budget_spent: expect.stringContaining('$10.3 (--max-cost) is spent'),
        });
        const rest = await judge('1000');
        expect(rest.code, rest.stderr).toBe(0);
        expect(asked()).toBe(5);
        expect(rest.stdout).not.toContain('stopped');
        server.text = ({ prompt }) => prompt.toUpperCase();
    });

    it('bounds the answers of a model that judges, and sets no more aside for them', async () => {
        const rows = Array.from({ length: 5 }, (_, i) => ({ prompt: `p${i}`, expected: 'x' }));
        const { cwd, score } = await answered(rows);
        writeFileSync(
            join(cwd, 'prices.json'),
            JSON.stringify({ date: '2026-11-01', models: { grader: { input: 0, output: 10_000 } } }),
        );
        server.text = () => 'SCORE: 1';
        const before = server.requests.length;
        const args = ['--scorer', 'model:grader', '--prices', 'prices.json', '--max-cost', '0.4'];
        const judge = (bound: string) => score(...args, '--judge-max-tokens', bound);
        // A judgement costs $0.07; with 1,000 tokens it could cost $10, with 10 tokens $0.10.
        const refused = await judge('1000');
        expect(refused.code, refused.stderr).toBe(1);
        expect(server.requests.length - before).toBe(0);
        const bounded = await judge('10');
        expect(bounded.code, bounded.stderr).toBe(0);
        expect(bounded.stderr).not.toContain('nobody knows');
        expect(server.requests.slice(before).map(({ body }) => body['max_tokens'])).toEqual(
            Array.from({ length: 5 }, () => 10),
        );
        server.text = ({ prompt }) => prompt.toUpperCase();
    });
});
