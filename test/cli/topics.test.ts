import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { killGroup, readResults, startCli, tempDir } from '../rig/cli.js';
import { callCli } from '../rig/in-process.js';
import { ChatServer } from '../rig/servers/chat-server.js';
import { patience } from '../rig/slowness.js';

const server = new ChatServer();
beforeAll(() => server.start());
afterAll(() => server.stop());
beforeEach(() => {
    server.requests.length = 0;
    server.mostInFlight = 0;
    server.latency = 0;
    server.fault = () => null;
});

/** What `--output` holds. */
interface TopicsFile {
    readonly summary: Record<string, unknown>;
    readonly results: readonly {
        readonly topic: string;
        readonly iteration: number;
        readonly success: boolean;
        readonly analysis: string | null;
        readonly execution_time: number;
        readonly worker_id: string;
    }[];
}

const searching = () => ['topics', '--base-url', server.url, '--chat-model', 'm'];
const base = () => [...searching(), '--no-web-search'];

describe('resume-run topics', () => {
    it('runs a demonstration with no key, also beside results of another run', async () => {
        const cwd = tempDir();
        writeFileSync(join(cwd, 'rows.txt'), 'a\nb\n');
        const other = await callCli(['rows.txt', '--executor', 'exec', '--', 'true'], { cwd });
        expect(other.code, other.stderr).toBe(0);
        const demo = await callCli(['topics', '--demo', '--topics', 'tea', '--iterations', '2'], { cwd });
        expect(demo.code, demo.stderr).toBe(0);
        const [tea] = [...readResults(join(cwd, 'topics-demo')).values()];
        expect(tea?.progress).toMatchObject({ completed_iterations: 2, is_complete: true });
        const elsewhere = await callCli(['topics', '--demo', '--topics', 'tea', '--dir', 'mine'], { cwd });
        expect(elsewhere.code, elsewhere.stderr).toBe(0);
        expect(existsSync(join(cwd, 'mine'))).toBe(true);
    });

    it('runs each topic once a round, by the names that the earlier tool used, and tops up', async () => {
        const cwd = tempDir();
        writeFileSync(join(cwd, 'more.txt'), '\uFEFFwind power\n\nsolar power\n水力 / 发电\n');
        const args = [...base(), '--topics', 'solar power', 'tides', '--topics-file', 'more.txt'].concat([
            '-c',
            '3',
            '-m',
            'asyncio',
            '--max-retries',
            '0',
            '-b',
            '2',
            '--delay',
            '0.01',
            '--rate-mode',
            'fixed',
        ]);
        const first = await callCli([...args, '--iterations', '2', '-o', 'all.json'], { cwd });
        expect(first.code, first.stderr).toBe(0);
        expect(server.requests.length).toBe(8);
        expect(server.mostInFlight).toBeLessThanOrEqual(2);
        const results = readResults(join(cwd, 'results'));
        expect([...results.values()].map(({ id }) => String(id)).sort()).toEqual([
            'solar power',
            'tides',
            'wind power',
            '水力 / 发电',
        ]);
        for (const sample of results.values()) {
            expect(sample['progress']).toMatchObject({
                completed_iterations: 2,
                total_iterations: 2,
                is_complete: true,
            });
            expect(sample['iteration_result']).toMatchObject([{ index: 0 }, { index: 1 }]);
        }
        expect(server.requests[0]?.body).toMatchObject({ model: 'm', temperature: 0.3 });
        expect(first.stdout).toMatch(/round +done +failed +busy\n +1 +4 +0 .*\n +2 +4 +0 /);
        expect(first.stdout).toMatch(/worker +attempts[^]*async-1/);
        const all = JSON.parse(readFileSync(join(cwd, 'all.json'), 'utf8')) as TopicsFile;
        expect(all.summary).toMatchObject({
            total_tasks: 8,
            successful_tasks: 8,
            failed_tasks: 0,
            iterations: { 1: { successful: 4, failed: 0 }, 2: { successful: 4 } },
            config: {
                concurrency: 3,
                mode: 'async',
                batch_size: 2,
                timeout: 120,
                max_retries: 0,
                delay_between_tasks: 0.01,
            },
            models: { chat_model: 'm', tool_model: 'm' },
        });
        const sum = all.results.reduce((total, { execution_time }) => total + execution_time, 0);
        expect(all.summary.total_execution_time).toBeCloseTo(sum, 4);
        expect(all.summary.wall_time).toBeGreaterThan(0);
        expect(all.results.map(({ topic, iteration }) => `${topic} ${iteration}`).sort()).toContain(
            'tides 2',
        );
        for (const { worker_id, iteration, success, analysis } of all.results) {
            // Only two ran at once, so a third slot was never used.
            expect(worker_id).toMatch(new RegExp(`^A[12]-${iteration}$`));
            expect({ success, analysis }).toEqual({
                success: true,
                analysis: expect.stringMatching(/[A-Z]/) as string,
            });
        }

        const again = await callCli(['--dir', 'results'], { cwd });
        expect(again.code, again.stderr).toBe(0);
        expect(server.requests.length).toBe(8);
        const raised = await callCli([...args, '--iterations', '3'], { cwd });
        expect(raised.code, raised.stderr).toBe(0);
        expect(server.requests.length).toBe(12);
        const lowered = await callCli([...args, '--iterations', '1'], { cwd });
        expect(lowered.stderr).toContain('finished rounds stay');
        expect(server.requests.length).toBe(12);
        expect(readResults(join(cwd, 'results')).get('tides.json')).toMatchObject({
            progress: { completed_iterations: 3, total_iterations: 3 },
        });
    });

    it('takes defaults from the variables of the earlier tool, which what a run remembers goes before', async () => {
        const cwd = tempDir();
        writeFileSync(
            join(cwd, '.env'),
            'DEFAULT_TOPICS=a, b\nDEFAULT_ITERATIONS=2\nDEFAULT_CHAT_MODEL=from-env\nDEFAULT_DELAY=0\n' +
                'SEARCH_ENGINE=other\nSEARCH_CONTENT_SIZE=high\nSEARCH_COUNT=3\n',
        );
        const start = await callCli(['topics', '--base-url', server.url], { cwd });
        expect(start.code, start.stderr).toBe(0);
        const bodiesOf = (wanted: string) =>
            server.requests.filter(({ call }) => call === wanted).map(({ body }) => body);
        expect(bodiesOf('completion').map(({ model }) => model)).toEqual(Array(4).fill('from-env'));
        expect(bodiesOf('search')[0]).toEqual({
            search_query: expect.stringMatching(/^[ab]$/),
            search_engine: 'other',
            search_intent: false,
            content_size: 'high',
            count: 3,
        });
        writeFileSync(join(cwd, '.env'), 'DEFAULT_TOPICS=c\nDEFAULT_CHAT_MODEL=other\n');
        const again = await callCli(['topics'], { cwd });
        expect(again.code, again.stderr).toBe(0);
        expect(server.requests.length).toBe(8);
    });

    it.each(['multiprocessing', 'threading'])(
        'asks from workers by --mode %s, within the limit that all of them share',
        async (mode) => {
            const cwd = tempDir();
            server.latency = 30;
            let seen = 0;
            // One request is rejected: its slot is released, and it is retried within the same attempt.
            server.fault = () => {
                seen += 1;
                return seen === 3 ? { kind: 'status', status: 503 } : null;
            };
            writeFileSync(
                join(cwd, 'resume-run.config.json'),
                JSON.stringify({ endpoint: [{ url: server.url, concurrency: 2 }] }),
            );
            const topics = Array.from({ length: 6 }, (_, i) => `topic ${i}`);
            const args = ['topics', '--chat-model', 'm', '--topics', ...topics, '-m', mode, '-c', '4'];
            const end = await callCli([...args, '-o', 'all.json', '--grace', '0'], { cwd });
            expect(end.code, end.stderr).toBe(0);
            expect(server.mostInFlight).toBeLessThanOrEqual(2);
            expect(server.requests.length).toBe(13);
            const { results } = JSON.parse(readFileSync(join(cwd, 'all.json'), 'utf8')) as TopicsFile;
            expect(results.map(({ success }) => success)).toEqual(topics.map(() => true));
            const workers = new Set(results.map(({ worker_id }) => worker_id));
            expect([...workers].join()).toMatch(mode === 'threading' ? /^T\d+-1,T\d+-1/ : /^P\d-1,P\d-1/);
        },
    );

    it('tells how many tasks ran at once where nobody chose a number', async () => {
        const cwd = tempDir();
        const end = await callCli([...base(), '--topics', 'a', '-o', 'all.json'], { cwd });
        expect(end.code, end.stderr).toBe(0);
        const { summary } = JSON.parse(readFileSync(join(cwd, 'all.json'), 'utf8')) as TopicsFile;
        expect(summary).toMatchObject({ config: { concurrency: 8 } });
    });

    it('loses only the task of a worker that is killed, and takes its place at the endpoint back', async () => {
        const cwd = tempDir();
        server.fault = ({ call }) => (call === 'completion' ? { kind: 'silence' } : null);
        writeFileSync(
            join(cwd, 'resume-run.config.json'),
            JSON.stringify({ endpoint: [{ url: server.url, concurrency: 1 }] }),
        );
        const args = ['topics', '--chat-model', 'm', '--topics', 'a', '-m', 'process', '-c', '1'];
        const run = startCli(args, { cwd });
        const completions = () => server.requests.filter(({ call }) => call === 'completion').length;
        for (let i = 0; i < 1000 && completions() === 0; i += 1)
            await new Promise((resolve) => setTimeout(resolve, 20));
        server.fault = () => null;
        const children = execFileSync('ps', ['-o', 'pid=', '--ppid', String(run.child.pid)], {
            encoding: 'utf8',
        });
        for (const pid of children.trim().split(/\s+/)) process.kill(Number(pid), 'SIGKILL');
        const { code, stderr } = await run.result;
        expect(code, stderr).toBe(0);
        // Its search was saved, so only the analysis is repeated.
        expect(server.requests.map(({ call }) => call)).toEqual(['search', 'completion', 'completion']);
        expect(readResults(join(cwd, 'results')).get('a.json')).toMatchObject({
            iteration_result: [{ attempts: [{ failure: 'worker-died' }, { verdict: 'Accepted' }] }],
        });
    });

    it('never searches again for a topic whose search was saved before kill -9', async () => {
        const cwd = tempDir();
        const topics = ['a', 'b', 'c', 'd'];
        const args = [...searching(), '--topics', ...topics, '-c', '4'];
        const searches = () => server.requests.filter(({ call }) => call === 'search').length;
        const stepsOnDisk = () =>
            existsSync(join(cwd, 'results'))
                ? [...readResults(join(cwd, 'results')).values()].flatMap(
                      ({ pending }) => (pending ?? []) as { steps: { search: unknown } }[],
                  )
                : [];
        // Analyses are never answered, nor are half of the searches.
        server.fault = ({ call, prompt }) =>
            call === 'completion' || prompt > 'b' ? { kind: 'silence' } : null;
        const killed = startCli(args, { cwd });
        for (let i = 0; i < 1000 && stepsOnDisk().length < 2; i += 1)
            await new Promise((resolve) => setTimeout(resolve, 20));
        // The analysis of the saved search is under way.
        await expect
            .poll(() => server.requests.filter(({ call }) => call === 'completion').length)
            .toBeGreaterThan(0);
        killGroup(killed.child);
        await killed.result;
        expect(searches()).toBe(4);
        expect(stepsOnDisk()).toMatchObject([
            { reason: 'in-progress', steps: { search: { query: 'a', results: [{}, {}] } } },
            { reason: 'in-progress', steps: { search: { query: 'b' } } },
        ]);

        server.fault = () => null;
        const end = await callCli(['--dir', 'results'], { cwd });
        expect(end.code, end.stderr).toBe(0);
        expect(searches()).toBe(4 + 2);
        const counts = (call: string, topic: string) =>
            server.requests.filter((one) => one.call === call && one.prompt.includes(topic)).length;
        expect(topics.map((topic) => counts('search', topic))).toEqual([1, 1, 2, 2]);
        for (const sample of readResults(join(cwd, 'results')).values()) {
            const [entry] = sample['iteration_result'] as { result: { answer: string } }[];
            expect(entry).toMatchObject({ result: { search_results_count: 2 } });
            expect(entry?.result.answer).toContain('[2] RESULT 2 ABOUT');
            expect(sample['pending']).toBeUndefined();
        }
    });

    it('says what to do where a service has no search', async () => {
        server.fault = ({ call }) => (call === 'search' ? { kind: 'status', status: 404 } : null);
        const { code, stdout, stderr } = await callCli([...searching(), '--topics', 'a'], { cwd: tempDir() });
        expect(code, stderr).toBe(1);
        expect(stdout + stderr).toContain('--no-web-search');
        expect(server.requests.length).toBe(1);
    });

    it('exits 1 when a task failed, and 2 for what cannot be used', async () => {
        const cwd = tempDir();
        server.fault = ({ prompt }) => (prompt.includes('bad') ? { kind: 'status', status: 400 } : null);
        const failed = await callCli([...base(), '--topics', 'bad', 'good', '-o', 'r/all.json'], { cwd });
        expect(failed.code, failed.stderr).toBe(1);
        const { results } = JSON.parse(readFileSync(join(cwd, 'r/all.json'), 'utf8')) as TopicsFile;
        expect(results).toMatchObject([
            {
                topic: 'bad',
                success: false,
                analysis: null,
                error_message: expect.stringContaining('400') as string,
            },
            { topic: 'good', success: true, error_message: null },
        ]);
        for (const [args, message] of [
            [['--topics'], '--topics needs at least one value'],
            [['--topics-file', 'none.txt'], '--topics-file: cannot read none.txt'],
            [['--executor', 'exec'], '--executor cannot be changed for this command'],
            [['--mode', 'fibers'], 'expected one of thread, process, async'],
        ] as const) {
            const { code, stderr } = await callCli([...base(), ...args], { cwd: tempDir() });
            expect(code, stderr).toBe(2);
            expect(stderr).toContain(message);
        }
    });

    it('ends a silent request after --timeout, as often as --max-retries says, and keeps all other answers', async () => {
        const cwd = tempDir();
        const topics = Array.from({ length: 24 }, (_, i) => `topic ${i}`);
        server.latency = 400;
        server.fault = ({ prompt }) => (prompt.includes('silent') ? { kind: 'silence' } : null);
        const args = [...base(), '--topics', ...topics, 'silent', '-c', '25', '--max-retries', '1'];
        const timeout = String(patience(1000) / 1000);
        const end = await callCli([...args, '--timeout', timeout, '--retry-delay', '0', '-o', 'all.json'], {
            cwd,
        });
        expect(end.code, end.stderr).toBe(1);
        // The earlier tool's concurrency was the number of cores plus four.
        expect(server.mostInFlight).toBeGreaterThan(Math.max(8, availableParallelism() + 4));
        expect(server.requests).toHaveLength(24 + 2);
        const { summary, results } = JSON.parse(readFileSync(join(cwd, 'all.json'), 'utf8')) as TopicsFile;
        expect(summary).toMatchObject({ total_tasks: 25, successful_tasks: 24, failed_tasks: 1 });
        expect(results.find(({ topic }) => topic === 'silent')).toMatchObject({
            success: false,
            error_message: expect.stringContaining('no answer within'),
        });
        // The next start requests only what failed.
        server.fault = () => null;
        const again = await callCli(['--dir', 'results'], { cwd });
        expect(again.code, again.stderr).toBe(0);
        expect(server.requests).toHaveLength(24 + 3);
    });

    it('asks about more topics at once when resume-run set says so', async () => {
        const cwd = tempDir();
        server.latency = 250;
        const topics = Array.from({ length: 60 }, (_, i) => `topic ${i}`);
        const run = startCli([...base(), '--topics', ...topics, '-c', '1'], { cwd });
        await expect.poll(() => server.requests.length, { timeout: patience(10_000) }).toBeGreaterThan(0);
        const set = await callCli(['set', '--dir', 'results', '-j', '20'], { cwd });
        expect(set.code, set.stderr).toBe(0);
        const { code, stderr } = await run.result;
        expect(code, stderr).toBe(0);
        expect(server.mostInFlight).toBeGreaterThan(8);
        expect(server.requests).toHaveLength(60);
    });

    it('goes on round after round until it is stopped, and then where it was', async () => {
        const cwd = tempDir();
        server.latency = 20;
        const args = [...base(), '--topics', 'a', 'b', '--iterations', '0', '--quiet'];
        const stopAfter = async (requests: number) => {
            const run = startCli(args, { cwd });
            for (let i = 0; i < 1000 && server.requests.length < requests; i += 1)
                await new Promise((resolve) => setTimeout(resolve, 20));
            run.child.kill('SIGTERM');
            const { code, stdout } = await run.result;
            return { code, summaries: stdout.match(/^Results /gm)?.length };
        };
        // Even with -q it prints one summary, at its end.
        expect(await stopAfter(5)).toEqual({ code: 143, summaries: 1 });
        const asked = server.requests.length;
        const progress = () =>
            ['a', 'b'].map((name) => {
                const file = readFileSync(join(cwd, 'results', `${name}.json`), 'utf8');
                return (JSON.parse(file) as { progress: Record<string, number> }).progress;
            });
        const done = () => progress().reduce((sum, one) => sum + (one['completed_iterations'] ?? 0), 0);
        expect(done()).toBe(asked);
        const rounds = progress()[0]?.['total_iterations'] ?? 0;
        expect(rounds).toBeGreaterThanOrEqual(2);
        expect(await stopAfter(asked + 3)).toMatchObject({ code: 143 });
        expect(done()).toBe(server.requests.length);
        expect(progress()[0]?.['total_iterations']).toBeGreaterThan(rounds);
    });

    it('holds all rounds of an endless command together to its bounds', async () => {
        const endless = [...base(), '--topics', 'a', 'b', '--iterations', '0', '-c', '1', '--quiet'];
        const few = await callCli([...endless, '--stop-after', '5'], { cwd: tempDir() });
        expect(few.code, few.stderr).toBe(1);
        expect(server.requests).toHaveLength(5);

        const cwd = tempDir();
        const bounded = await callCli([...endless, '--max-tokens', '20', '--max-tokens-total', '400'], {
            cwd,
        });
        expect(bounded.code, bounded.stderr).toBe(1);
        const answers = [...readResults(join(cwd, 'results')).values()].flatMap(
            ({ iteration_result: list }) => list as { result: Record<string, number> }[],
        );
        const used = answers.map(
            ({ result }) => (result['prompt_tokens'] ?? 0) + (result['completion_tokens'] ?? 0),
        );
        expect(answers.length).toBe(server.requests.length - 5);
        // Several rounds, each of which alone would stay far below the limit.
        expect(answers.length).toBeGreaterThan(4);
        expect(used.reduce((sum, one) => sum + one, 0)).toBeLessThanOrEqual(400);
    });
});
