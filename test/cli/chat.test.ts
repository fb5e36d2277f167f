import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { killGroup, readResults, startCli, tempDir } from '../rig/cli.js';
import { callCli } from '../rig/in-process.js';
import { NO_WORKERS } from '../rig/long.js';
import { buildCompletion, ChatServer } from '../rig/servers/chat-server.js';

const server = new ChatServer();
beforeAll(() => server.start());
afterAll(() => server.stop());

const KEY = 'sk-not-to-be-seen-anywhere';

/** Answers in the result files of `cwd`. */
function answersIn(cwd: string): { readonly question: string; readonly answer: string }[] {
    if (!existsSync(join(cwd, 'results'))) return [];
    return [...readResults(join(cwd, 'results')).values()].flatMap((sample) =>
        (sample['main_result'] as { row: { question: string }; result: { answer: string } }[]).map(
            ({ row, result }) => ({ question: row.question, answer: result.answer }),
        ),
    );
}

describe('a model batch over a list', () => {
    it('asks for no answer again that was saved before kill -9, and keeps the key out of every file', async () => {
        const cwd = tempDir();
        const rows = Array.from({ length: 300 }, (_, i) => JSON.stringify({ question: `q${i}`, n: i }));
        writeFileSync(join(cwd, 'questions.jsonl'), `${rows.join('\n')}\n`);
        server.latency = 15;
        server.fault = (_, seen) =>
            seen === 1 && Math.random() < 0.05 ? { kind: 'status', status: 500 } : null;
        const args = [
            'questions.jsonl',
            '--executor',
            'chat',
            '--model',
            'm',
            '--endpoint',
            server.url,
        ].concat([
            '--prompt-template',
            'Answer {question}.',
            '--api-key-env',
            'MY_KEY',
            '--rows-per-sample',
            '50',
        ]);
        const env = { MY_KEY: KEY };
        /** Prompts whose answers were on disk after a kill, with the number of times they had been asked by then. */
        const saved = new Map<string, number>();
        for (let kill = 0; kill < 3; kill += 1) {
            const before = server.requests.length;
            const run = startCli(args, { cwd, env });
            const onDisk = answersIn(cwd).length;
            const hasBegun = () => server.requests.length >= before + 30 && answersIn(cwd).length > onDisk;
            for (let i = 0; i < 1000 && !hasBegun(); i += 1) {
                await new Promise((resolve) => setTimeout(resolve, 20));
            }
            killGroup(run.child);
            await run.result;
            const counts = server.counts();
            for (const { question } of answersIn(cwd)) {
                const prompt = `Answer ${question}.`;
                saved.set(prompt, saved.get(prompt) ?? counts.get(prompt) ?? 0);
            }
        }
        expect(saved.size).toBeGreaterThan(0);
        const end = await callCli(args, { cwd, env });
        expect(end.code, end.stderr).toBe(0);

        const answers = answersIn(cwd);
        expect(new Set(answers.map(({ question }) => question)).size).toBe(300);
        for (const { question, answer } of answers) expect(answer).toBe(`ANSWER ${question.toUpperCase()}.`);
        const counts = server.counts();
        for (const [prompt, times] of saved) expect(counts.get(prompt), prompt).toBe(times);

        const asked = server.requests.length;
        const again = await callCli(['--dir', 'results'], { cwd, env });
        expect(again.code, again.stderr).toBe(0);
        expect(server.requests.length).toBe(asked);
        expect(server.requests[0]?.headers.authorization).toBe(`Bearer ${KEY}`);
        const files = [...readResults(join(cwd, 'results')).keys()].map((name) => join(cwd, 'results', name));
        for (const file of [...files, join(cwd, 'checkpoints', 'results', 'run.json')]) {
            expect(readFileSync(file, 'utf8')).not.toContain(KEY);
        }
        expect(end.stdout + end.stderr).not.toContain(KEY);
    });

    it('tells how many answers were cut off, and keeps why each ended', async () => {
        const cwd = tempDir();
        writeFileSync(
            join(cwd, 'rows.jsonl'),
            '{"prompt": "cut a"}\n{"prompt": "cut b"}\n{"prompt": "whole"}\n',
        );
        server.latency = 0;
        server.fault = ({ prompt }) =>
            prompt.startsWith('cut')
                ? { kind: 'message', message: { content: 'Half an ans' }, finishReason: 'length' }
                : null;
        const args = ['rows.jsonl', '--executor', 'chat', '--model', 'm', '--endpoint', server.url];
        const end = await callCli(args, { cwd });
        server.fault = () => null;
        expect(end.code, end.stderr).toBe(0);
        expect(end.stdout).toContain('2 answers cut off at the token limit (finish_reason length)');
        const [file] = readResults(join(cwd, 'results')).values();
        const entries = file?.['main_result'] as { result: { finish_reason: string } }[];
        expect(entries.map(({ result }) => result.finish_reason)).toEqual(['length', 'length', 'stop']);
    });

    it('says what is missing before it asks anything', async () => {
        const cwd = tempDir();
        writeFileSync(join(cwd, 'q.jsonl'), '{"question": "x"}\n');
        const run = (...args: string[]) => callCli(['q.jsonl', '--executor', 'chat', ...args], { cwd });
        const endpoint = ['--endpoint', server.url];
        const asked = server.requests.length;
        for (const [args, message] of [
            [[], '--executor chat needs --model'],
            [['--model', 'm'], 'choose a service with --endpoint'],
            [['--model', 'm', ...endpoint], '--prompt-template names {prompt}'],
            [
                [
                    '--model',
                    'm',
                    ...endpoint,
                    '--prompt-template',
                    '{question}',
                    '--api-key-env',
                    'NONE_SUCH',
                ],
                'the environment variable NONE_SUCH is not set',
            ],
        ] as const) {
            const { code, stderr } = await run(...args);
            expect(code).toBe(2);
            expect(stderr).toContain(message);
        }
        expect(server.requests.length).toBe(asked);
    });

    it('stops within a budget, says how to go on, and goes on', async () => {
        const cwd = tempDir();
        const rows = Array.from({ length: 30 }, (_, i) => JSON.stringify({ prompt: `b${i}` }));
        writeFileSync(join(cwd, 'q.jsonl'), `${rows.join('\n')}\n`);
        writeFileSync(
            join(cwd, 'prices.json'),
            JSON.stringify({ date: '2026-11-01', models: { m: { input: 1, output: 1000 } } }),
        );
        server.latency = 0;
        server.fault = () => null;
        const args = ['q.jsonl', '--executor', 'chat', '--model', 'm', '--endpoint', server.url].concat(
            NO_WORKERS,
            ['--max-tokens', '10', '--prices', 'prices.json'],
        );
        const asked = () => server.requests.length;
        const before = asked();
        const enough = await callCli([...args, '--stop-after', '7'], { cwd });
        expect(enough.code, enough.stderr).toBe(1);
        expect(enough.stdout + enough.stderr).toContain('--stop-after 7');
        expect(asked() - before).toBe(7);
        // An answer costs $0.007 and could cost up to $0.01.
        const spent = await callCli([...args, '--max-cost', '0.05'], { cwd });
        expect(spent.code, spent.stderr).toBe(1);
        expect(spent.stdout + spent.stderr).toContain('--max-cost');
        const cost = answersIn(cwd).length - 7;
        expect(cost).toBeGreaterThanOrEqual(4);
        expect(cost * 0.007).toBeLessThanOrEqual(0.05);
        const tokens = await callCli([...args, '--max-tokens-total', '40'], { cwd });
        expect(tokens.code, tokens.stderr).toBe(1);
        expect(tokens.stdout + tokens.stderr).toContain('--max-tokens-total');
        const end = await callCli(args, { cwd });
        expect(end.code, end.stderr).toBe(0);
        expect(asked() - before).toBe(30);
        const unpriced = await callCli(
            [
                'q.jsonl',
                '--dir',
                'other',
                '--executor',
                'chat',
                '--model',
                'x',
                '--endpoint',
                server.url,
            ].concat(['--max-cost', '1']),
            { cwd },
        );
        expect(unpriced.code).toBe(2);
        expect(unpriced.stderr).toContain('the price of the model x is unknown; set it in --prices');
        expect(asked() - before).toBe(30);
    });

    it('keeps to a budget where the service gives longer answers than it was asked for', async () => {
        const cwd = tempDir();
        const rows = Array.from({ length: 40 }, (_, i) => JSON.stringify({ prompt: `c${i}` }));
        writeFileSync(join(cwd, 'q.jsonl'), `${rows.join('\n')}\n`);
        server.latency = 20;
        server.mostInFlight = 0;
        const long = {
            ...(JSON.parse(buildCompletion({ content: 'x' }, 'stop', 'p')) as object),
            usage: { prompt_tokens: 3, completion_tokens: 100, total_tokens: 103 },
        };
        server.fault = () => ({ kind: 'body', text: JSON.stringify(long) });
        const asked = server.requests.length;
        const args = ['q.jsonl', '--executor', 'chat', '--model', 'm', '--endpoint', server.url];
        const bounds = ['-j', '32', '--max-tokens', '10', '--max-tokens-total', '1000'];
        const { code, stdout } = await callCli([...args, ...bounds], { cwd });
        expect(code).toBe(1);
        // An answer takes about 103 tokens although only 11 are reserved: 32 at once would spend three times the budget.
        const answers = answersIn(cwd).length;
        expect(server.requests.length - asked).toBe(answers);
        expect(answers).toBeGreaterThanOrEqual(6);
        expect(answers * 103).toBeLessThanOrEqual(1000);
        expect(Number(/spent +([\d,]+) tokens/.exec(stdout)?.[1]?.replace(',', ''))).toBeLessThanOrEqual(
            1000,
        );
        // The next start has not learned this, and a large budget lets as many run at once as requested.
        server.fault = () => null;
        const end = await callCli([...args, '-j', '32', '--max-tokens-total', '100000'], { cwd });
        expect(end.code, end.stderr).toBe(0);
        expect(server.mostInFlight).toBeGreaterThan(8);
    });

    it('asks for every row once, whatever the number of shards is by the next start', async () => {
        const cwd = tempDir();
        const rows = Array.from({ length: 40 }, (_, i) => JSON.stringify({ prompt: `s${i}` }));
        writeFileSync(join(cwd, 'q.jsonl'), `${rows.join('\n')}\n`);
        server.latency = 0;
        server.fault = () => null;
        const before = server.requests.length;
        const endpoint = ['--model', 'm', '--endpoint', server.url];
        const args = ['q.jsonl', '--executor', 'chat', ...endpoint, ...NO_WORKERS];
        for (const shard of ['1/2', '1/3', '2/3', '3/3']) {
            const part = await callCli([...args, '--rows-per-sample', '4', '--shard', shard], { cwd });
            expect(part.code, part.stderr).toBe(0);
        }
        expect(answersIn(cwd)).toHaveLength(40);
        expect(server.requests.length - before).toBe(40);
    });

    it('counts refusals as verdicts, and asks another model anew', async () => {
        const cwd = tempDir();
        writeFileSync(join(cwd, 'q.txt'), 'one\ntwo\n');
        server.latency = 0;
        server.fault = ({ prompt, body }) =>
            prompt === 'two' && body['model'] === 'strict'
                ? { kind: 'message', message: { content: null, refusal: 'No.' }, finishReason: 'stop' }
                : null;
        const args = (model: string) =>
            ['q.txt', '--executor', 'chat', '--model', model, '--endpoint', server.url].concat(NO_WORKERS, [
                '--prompt-template',
                '{line}',
            ]);
        const first = await callCli(args('strict'), { cwd });
        expect(first.code, first.stderr).toBe(0);
        expect(first.stdout).toMatch(/verdicts +AC +RF/);
        // Endpoints that never failed are listed too.
        const status = await callCli(['status', '--json'], { cwd });
        const { endpoints } = JSON.parse(status.stdout) as { readonly endpoints: readonly object[] };
        expect(endpoints).toEqual([
            expect.objectContaining({ state: 'healthy', done: 2, failures: 0, inFlight: 0 }),
        ]);
        const other = await callCli([...args('mild'), '--dry-run'], { cwd });
        expect(other.stdout).toContain('2 of 2 tasks would run');
    });
});
