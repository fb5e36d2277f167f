import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { killGroup, readResults, startCli, tempDir } from '../rig/cli.js';
import { callCli } from '../rig/in-process.js';
import { NO_WORKERS } from '../rig/long.js';
import { ChatServer } from '../rig/servers/chat-server.js';

const server = new ChatServer();
beforeAll(() => server.start());
afterAll(() => server.stop());
beforeEach(() => {
    server.requests.length = 0;
    server.latency = 0;
    server.fault = () => null;
});

interface InstanceEntry {
    readonly index: number;
    readonly cell: Record<string, unknown>;
    readonly result: Record<string, unknown>;
}

/** Finished instances of a directory. */
function entriesIn(dir: string): readonly InstanceEntry[] {
    if (!existsSync(dir)) return [];
    return [...readResults(dir).values()].flatMap((file) => file['instance_result'] as InstanceEntry[]);
}

const ROWS = [
    { task_type: 'simple_task', question: 'one' },
    { task_type: 'simple_task', question: 'two' },
    { task_type: 'data_pipeline', question: 'three' },
];

function prepare(): { readonly cwd: string; readonly args: readonly string[] } {
    const cwd = tempDir();
    writeFileSync(join(cwd, 'rows.jsonl'), ROWS.map((row) => `${JSON.stringify(row)}\n`).join(''));
    const template = '{model} {prompt_type} {task_type} {instance}: {question}';
    const args = [
        'matrix',
        '--models',
        'vendor/a',
        'b',
        '--prompt-types',
        'all',
        '--difficulty',
        'easy',
        '--task-types',
        'simple_task,data_pipeline',
        '--tool-success-rate',
        '0.8',
        '--rows',
        'rows.jsonl',
        '--prompt-template',
        template,
        '--base-url',
        server.url,
        ...NO_WORKERS,
    ];
    return { cwd, args };
}

describe('resume-run matrix', () => {
    it('keeps values apart that are one number to a double, and refuses such numbers in a file', async () => {
        const cwd = tempDir();
        const values = 'seed=9007199254740993,9007199254740992,1.10,1.1,7';
        const cells = ['--models', 'm', '--dimension', values, '--num-instances', '1'];
        const place = ['--prompt-template', '{seed}', '--base-url', server.url, '-q'];
        const run = await callCli(['matrix', ...cells, ...place], { cwd });
        expect(run.code, run.stderr).toBe(0);
        expect(server.requests.map(({ prompt }) => prompt).sort()).toEqual(
            ['1.1', '1.10', '7', '9007199254740992', '9007199254740993'].sort(),
        );
        writeFileSync(join(cwd, 'm.json'), '{"models": ["m"],\n"dimensions": {"seed": [9007199254740993]}}');
        const refused = await callCli(['matrix', '--test-config', 'm.json', ...place, '-d', 'x'], { cwd });
        expect(refused.code).toBe(2);
        expect(refused.stderr).toContain(
            'm.json:2: the number 9007199254740993 exceeds the precision of a double; write it in quotes',
        );
    });

    it('says in a dry run what would run, and writes nothing', async () => {
        const cwd = tempDir();
        const config = join(import.meta.dirname, '../../examples/matrix/phases.yaml');
        const args = ['matrix', '--test-config', config, '--base-url', server.url, '--dry-run', '--json'];
        const one = await callCli([...args, '--phase', '5.1'], { cwd });
        expect(one.code, one.stderr).toBe(0);
        const { matrix, part, datasets } = JSON.parse(one.stdout);
        expect(part.due).toBe(800);
        // Reports the path where a run keeps it, not the temporary path of the dry run.
        expect(datasets).toEqual([{ path: join(cwd, 'checkpoints/results/matrix.json'), format: 'matrix' }]);
        expect(matrix).toMatchObject({ instances: 800, done: 0, toRun: 800 });
        const none = await callCli([...args, '--phase', '6'], { cwd });
        expect(none.code).toBe(2);
        expect(none.stderr).toContain('--phase 6: expected one of 5.1, 5.2, 5.3, 5.4, 5.5');
        expect(existsSync(join(cwd, 'results'))).toBe(false);
    });

    it('estimates in a dry run how many requests, tokens and dollars are left', async () => {
        const { cwd, args } = prepare();
        const prices = { date: '2026-11-01', models: { b: { input: 1, output: 10 } } };
        writeFileSync(join(cwd, 'prices.json'), JSON.stringify(prices));
        const dry = async (...more: readonly string[]) => {
            const end = await callCli([...args, '--dry-run', ...more], { cwd });
            expect(end.code, end.stderr).toBe(0);
            return end.stdout;
        };
        const bounded = ['--num-instances', '10', '--max-tokens', '100', '--prices', 'prices.json'];
        const { estimate } = JSON.parse(await dry(...bounded, '--json'));
        // 3 prompt types, 2 kinds of tasks and 10 instances for each of two models.
        expect(estimate).toMatchObject({
            requests: 120,
            answerTokens: 12_000,
            cost: null,
            assumedAnswer: null,
        });
        const [unknown, priced] = estimate.models;
        expect(unknown).toMatchObject({ model: 'vendor/a', requests: 60, cost: null });
        expect(priced).toMatchObject({ model: 'b', requests: 60, answerTokens: 6000 });
        expect(priced.promptTokens).toBeGreaterThan(60 * 10);
        expect(priced.cost).toBeCloseTo((priced.promptTokens + 6000 * 10) / 1e6, 9);
        expect(await dry(...bounded)).toMatch(
            /estimate {2}120 requests, about [\d,]+ tokens of prompts, at most 12,000 tokens of answers; at most \$0\.06\d+ without vendor\/a, whose price is unknown \(--prices\)/,
        );
        const unbounded = await dry('--num-instances', '1');
        expect(unbounded).toMatch(/about 12,288 tokens of answers; cost unknown: no price of vendor\/a, b/);
        expect(unbounded).toContain('assuming 1,024 tokens for each answer (--max-tokens limits them)');
        expect(server.requests).toHaveLength(0);

        // Answered instances are not requested again.
        const asked = await callCli([...args, '--num-instances', '4', '--max-tokens', '100'], { cwd });
        expect(asked.code, asked.stderr).toBe(0);
        const left = (await dry(...bounded, '--json')).trim().split('\n').at(-1) ?? '';
        expect(JSON.parse(left).estimate).toMatchObject({ requests: 120 - 48 });
    });

    it('asks no instance again after kill -9, and tops up', async () => {
        const { cwd, args } = prepare();
        const run = (count: string, ...more: string[]) => [...args, '--num-instances', count, ...more];
        server.latency = 20;
        const killed = startCli(run('10'), { cwd });
        for (let i = 0; i < 500 && entriesIn(join(cwd, 'results')).length < 20; i += 1)
            await new Promise((resolve) => setTimeout(resolve, 20));
        killGroup(killed.child);
        await killed.result;
        const committed = entriesIn(join(cwd, 'results')).map(({ result }) => String(result['answer']));
        expect(committed.length).toBeGreaterThanOrEqual(20);
        expect(committed.length).toBeLessThan(120);

        const asked = server.requests.length;
        const end = await callCli(run('10'), { cwd });
        expect(end.code, end.stderr).toBe(0);
        expect(end.stdout).toContain(`${committed.length}/120 done, ${120 - committed.length} to run`);
        expect(server.requests.length).toBe(asked + 120 - committed.length);
        const counts = server.counts();
        for (const answer of committed) {
            const times = [...counts].find(([prompt]) => prompt.toUpperCase() === answer)?.[1];
            expect(times, answer).toBe(1);
        }

        const more = await callCli(run('12'), { cwd });
        expect(more.stdout).toContain('120/144 done, 24 to run');
        expect(more.stdout).toMatch(/simple_task: 10\/12 done, 2 to run {2}10\/12 已完成 \(需要补充 2 个\)/);
        expect(server.requests.length).toBe(asked + 144 - committed.length);
        // With fewer instances, nothing runs and nothing is lost, including in a start without arguments.
        const fewer = await callCli(run('5'), { cwd });
        expect(fewer.stdout).toContain('60/60 done, 0 to run');
        const bare = await callCli(['--dir', 'results'], { cwd });
        expect(bare.code, bare.stderr).toBe(0);
        expect(server.requests.length).toBe(asked + 144 - committed.length);
        expect(entriesIn(join(cwd, 'results'))).toHaveLength(144);

        const [entry] = entriesIn(join(cwd, 'results')).filter(({ cell }) => cell['model'] === 'vendor/a');
        expect(entry?.cell).toMatchObject({
            model: 'vendor/a',
            tool_success_rate: 0.8,
            difficulty: 'easy',
            is_flawed: false,
        });
        expect(server.requests.map(({ body }) => body['model'])).toContain('vendor/a');
        const exported = await callCli(['export', '--dir', 'results'], { cwd });
        const records = exported.stdout
            .trim()
            .split('\n')
            .map((line) => JSON.parse(line));
        expect(records).toHaveLength(144);
        for (const record of records) {
            expect(record).toMatchObject({ tool_success_rate: 0.8, difficulty: 'easy', group: 'instance' });
            expect(['baseline', 'cot', 'optimal']).toContain(record.prompt_type);
            expect(record.instance).toBe(String(record.index));
        }
    });

    it('asks for cells and instances apart that send the same prompt, and for none of them again', async () => {
        const cwd = tempDir();
        const cells = ['--models', 'm', '--dimension', 'variant=x,y', '--num-instances', '3'];
        const args = ['matrix', ...cells, '--prompt-template', 'same', '--base-url', server.url];
        const first = await callCli(args, { cwd });
        expect(first.code, first.stderr).toBe(0);
        expect(server.requests).toHaveLength(6);
        expect(entriesIn(join(cwd, 'results'))).toHaveLength(6);
        const again = await callCli(args, { cwd });
        expect(again.stdout).toContain('6/6 done, 0 to run');
        expect(server.requests).toHaveLength(6);
    });

    it('keeps which row an instance asked: answers to different rows are no answers to one question', async () => {
        const { cwd, args } = prepare();
        // Two rows of the simple task, one of the other; three prompt types for each of two models.
        const run = await callCli([...args, '--num-instances', '4', '-q'], { cwd });
        expect(run.code, run.stderr).toBe(0);
        const simple = entriesIn(join(cwd, 'results')).filter(
            ({ cell }) => cell['task_type'] === 'simple_task',
        );
        const hashes = new Map(simple.map(({ index, cell }) => [index % 2, cell['row_hash']]));
        expect(new Set(hashes.values()).size).toBe(2);
        for (const { index, cell } of simple) expect(cell['row_hash']).toBe(hashes.get(index % 2));
        const asked = [
            'analyze',
            'pass-at-k',
            '--dir',
            'results',
            '--by',
            'task_type',
            '--k',
            '2,4',
            '--json',
        ];
        const answer = await callCli(asked, { cwd });
        expect(answer.code, answer.stderr).toBe(0);
        expect(JSON.parse(answer.stdout).rows).toMatchObject([
            { task_type: 'data_pipeline', samples: 6, answers: 24, 'pass@4': 1 },
            { task_type: 'simple_task', samples: 12, answers: 24, 'pass@2': 1, 'pass@4': null },
        ]);
    });

    it('leaves the cells of other models alone, and goes on with all of them in a bare start', async () => {
        const { cwd } = prepare();
        const args = (model: string) => [
            'matrix',
            '--models',
            model,
            '--task-types',
            'simple_task',
            'data_pipeline',
            '--rows',
            'rows.jsonl',
            '--prompt-template',
            '{question}',
            '--num-instances',
            '1x2',
            '--base-url',
            server.url,
        ];
        const first = await callCli([...args('b'), '--limit', '1'], { cwd });
        expect(first.code, first.stderr).toBe(0);
        const second = await callCli(args('a'), { cwd });
        expect(second.stdout).toContain('2 cells, 4 instances: 0/4 done, 4 to run');
        const asked = (): string[] =>
            server.requests.map(({ body }) => String(body['model'])).sort((a, b) => a.localeCompare(b));
        expect(asked()).toEqual(['a', 'a', 'a', 'a', 'b', 'b']);
        const bare = await callCli(['--dir', 'results'], { cwd });
        expect(bare.code, bare.stderr).toBe(0);
        expect(asked()).toEqual(['a', 'a', 'a', 'a', 'b', 'b', 'b', 'b']);
        // 1x2 asks the first row of each cell twice.
        expect(Object.fromEntries(server.counts())).toEqual({ one: 4, three: 4 });
    });

    it('runs a demonstration with no key', async () => {
        const cwd = tempDir();
        const demo = await callCli(['matrix', '--demo', '--num-instances', '1'], { cwd });
        expect(demo.code, demo.stderr).toBe(0);
        expect(demo.stdout).toContain('12 cells, 12 instances: 0/12 done, 12 to run');
        expect(entriesIn(join(cwd, 'matrix-demo'))).toHaveLength(12);
    });

    it('says what is wrong with a configuration, and where', async () => {
        const cwd = tempDir();
        const tell = async (config: string): Promise<string> => {
            writeFileSync(join(cwd, 'm.yaml'), config);
            const { code, stderr } = await callCli(
                ['matrix', '--test-config', 'm.yaml', '--base-url', server.url],
                { cwd },
            );
            expect(code, stderr).toBe(2);
            return stderr;
        };
        expect(await tell('modells: [a]\n')).toContain(
            "m.yaml:1: there is no 'modells' (did you mean 'models'?)",
        );
        expect(await tell('models: [a]\nnum_instances: many\n')).toContain(
            'num_instances: expected a number',
        );
        expect(await tell('models: [a]\nprompts:\n  default: "{nothing}"\n')).toContain(
            'uses the field {nothing}',
        );
        expect(await tell('models: [a]\ntool_success_rate: 300\n')).toContain('tool_success_rate 300');
        expect(await tell('prompt_types: all\n')).toContain('no model is named');
        expect(readFileSync(join(cwd, 'm.yaml'), 'utf8')).toContain('prompt_types');
    });
});
