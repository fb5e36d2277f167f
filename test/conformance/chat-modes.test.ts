import { existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { type Cli, killGroup, readResults, startCli, tempDir } from '../rig/cli.js';
import { callCli } from '../rig/in-process.js';
import { isRun } from '../rig/parts.js';
import { NO_REDIS, PrivateRedis } from '../rig/redis.js';
import { type ChatFault, ChatServer } from '../rig/servers/chat-server.js';
import { patience } from '../rig/slowness.js';

/*
 * Model batches behave alike in every mode: the same results, attempts, saved steps, limits and ends, with requests counted at
 * the server.
 */

if (NO_REDIS !== null) console.error(`model batches over a queue: skipped, ${NO_REDIS}`);

const server = new ChatServer();
const redis = new PrivateRedis();
let worker: Cli | null = null;
beforeAll(async () => {
    await server.start();
    if (NO_REDIS !== null) return;
    await redis.start();
    worker = startCli(
        ['worker', '-j', '2', '--executor', 'chat', '--allow', 'exec', '--endpoint', server.url],
        { cwd: redis.folder, env: { REDIS_URL: redis.url } },
    );
}, patience(10_000));
afterAll(async () => {
    if (worker !== null) killGroup(worker.child);
    await worker?.result;
    await redis.end();
    await server.stop();
});
beforeEach(() => {
    server.requests.length = 0;
    server.mostInFlight = 0;
    server.latency = 0;
    server.latencyOf = () => server.latency;
    server.fault = () => null;
});

const callsTool = (name: string): ChatFault => ({
    kind: 'message',
    message: {
        content: null,
        tool_calls: [{ id: 'c1', type: 'function', function: { name, arguments: '{}' } }],
    },
    finishReason: 'tool_calls',
});

/** What the server does when a prompt arrives for the n-th time; other prompts are answered in capitals. */
const FAULTS: Readonly<Record<string, (seen: number) => ChatFault | null>> = {
    refuse: () => ({ kind: 'message', message: { content: null, refusal: 'No.' }, finishReason: 'stop' }),
    busy: (seen) => (seen === 1 ? { kind: 'status', status: 503 } : null),
    break: (seen) => (seen === 1 ? { kind: 'reset', inBody: true } : null),
    invalid: () => ({ kind: 'status', status: 400, error: { message: 'bad field' } }),
    tool: () => callsTool('look'),
    die: () => callsTool('die'),
};

/** The tool `die` kills its worker on its first call, as a signal or a crash would. */
const TOOLS = `
import { existsSync, writeFileSync } from 'node:fs';
import { isMainThread } from 'node:worker_threads';
export const tools = [{ name: 'look' }, { name: 'die' }];
export default ({ name, row }) => {
    const mark = import.meta.dirname + '/died';
    if (name === 'die' && row.mode !== 'async' && !existsSync(mark)) {
        writeFileSync(mark, '');
        if (isMainThread) process.kill(process.pid, 'SIGKILL');
        else process.exit(1);
    }
    return 'found ' + row.prompt;
};
`;

/** A folder with rows, and the command that sends them in this mode with two workers. */
function batch(mode: string, prompts: readonly string[], atOnce: number) {
    const cwd = tempDir();
    const rows = prompts.map((prompt) => ({
        prompt,
        mode,
        wanted: prompt === 'wrong' ? 'nothing' : '[A-Z]',
    }));
    writeFileSync(join(cwd, 'q.jsonl'), rows.map((row) => `${JSON.stringify(row)}\n`).join(''));
    writeFileSync(join(cwd, 'tools.mjs'), TOOLS);
    writeFileSync(
        join(cwd, 'resume-run.config.json'),
        JSON.stringify({ endpoint: [{ url: server.url, concurrency: atOnce }] }),
    );
    const args = ['q.jsonl', '--executor', 'chat', '--model', 'm', '--max-tokens', '10', '--mode', mode];
    const run = (...more: string[]) =>
        callCli([...args, '-j', '2', '--retry-delay', '0', '--grace', '0', ...more], {
            cwd,
            env: { REDIS_URL: redis.url },
        });
    return { cwd, run };
}

interface StoredEntry {
    readonly index: number;
    readonly result?: { readonly verdict: string; readonly answer: string | null; readonly turns: number };
    readonly attempts: readonly { readonly verdict?: string; readonly failure?: string }[];
}

/** What a directory holds about each prompt: how it and its attempts ended. */
function outcomesIn(cwd: string, prompts: readonly string[]): Readonly<Record<string, unknown>> {
    const entries = [...readResults(join(cwd, 'results')).values()].flatMap(
        ({ main_result: done, failures }) => [done ?? [], failures ?? []].flat() as StoredEntry[],
    );
    return Object.fromEntries(
        entries.map(({ index, result, attempts }) => [
            prompts[index],
            {
                ...(result === undefined
                    ? {}
                    : { verdict: result.verdict, answer: result.answer, turns: result.turns }),
                attempts: attempts.map(({ verdict, failure }) => verdict ?? failure),
            },
        ]),
    );
}

/** Prompts whose searches are saved in a directory while their tasks run. */
function searchesIn(cwd: string): readonly unknown[] {
    if (!existsSync(join(cwd, 'results'))) return [];
    return [...readResults(join(cwd, 'results')).values()].flatMap(({ pending }) =>
        ((pending ?? []) as { readonly steps?: { readonly search?: { readonly query: string } } }[]).map(
            ({ steps }) => steps?.search?.query,
        ),
    );
}

const answered = (prompt: string, ...before: string[]) => ({
    verdict: 'Accepted',
    answer: prompt.toUpperCase(),
    turns: 1,
    attempts: [...before, 'Accepted'],
});

describe.each(['async', 'thread', 'process', ...(NO_REDIS === null ? ['queue'] : [])])(
    'model batches in mode %s',
    { timeout: patience(30_000) },
    (mode) => {
        // These repeat what one mode shows.
        const partOfMode = mode === 'async' ? 'quick' : 'slow';

        it.runIf(isRun('quick'))('come to the same results, with steps on disk and limits kept', async () => {
            const prompts = ['plain', 'wrong', 'refuse', 'busy', 'break', 'invalid', 'tool', 'die'];
            const { cwd, run } = batch(mode, prompts, 2);
            server.latency = 10;
            const unsaved: string[] = [];
            server.fault = ({ call, prompt }, seen) => {
                if (call === 'search') return null;
                // The search must be on disk before the completion is requested.
                if (prompts.includes(prompt) && !searchesIn(cwd).includes(prompt)) unsaved.push(prompt);
                return FAULTS[prompt]?.(completionsOf(prompt, seen)) ?? null;
            };
            const end = await run(
                '--web-search',
                '--tool-module',
                'tools.mjs',
                '--scorer',
                'regex',
                '--expected',
                '{wanted}',
            );
            expect(end.code, end.stderr).toBe(1);
            expect(unsaved).toEqual([]);
            const lost = mode === 'async' ? [] : ['worker-died'];
            expect(outcomesIn(cwd, prompts)).toEqual({
                plain: answered('plain'),
                wrong: { ...answered('wrong'), verdict: 'WrongAnswer', attempts: ['WrongAnswer'] },
                refuse: { verdict: 'Refused', answer: null, turns: 1, attempts: ['Refused'] },
                busy: answered('busy'),
                break: answered('break', 'endpoint'),
                invalid: { attempts: ['refused'] },
                tool: { ...answered('found tool'), turns: 2 },
                die: { ...answered('found die', ...lost), turns: 2 },
            });
            // Nothing saved is requested again: neither searches nor turns before a tool call.
            const asked = server.requests.map(({ call, prompt }) => `${call} ${prompt}`).sort();
            const twice = ['completion busy', 'completion break'];
            const followUps = ['completion found tool', 'completion found die'];
            const once = prompts.flatMap((prompt) => [`search ${prompt}`, `completion ${prompt}`]);
            expect(asked).toEqual([...once, ...twice, ...followUps].sort());
            expect(server.mostInFlight).toBeLessThanOrEqual(2);
            expect(end.stdout).toMatch(
                /spent +114 tokens in 9 answers; kept +114 tokens\n1 request got no answer/,
            );
        });

        it.runIf(isRun('quick'))(
            'stop at the same answer for a budget, and end with 5 where no service takes the key',
            async () => {
                const prompts = Array.from({ length: 9 }, (_, i) => `b${i}`);
                const { cwd, run } = batch(mode, prompts, 2);
                const bounded = await run('--max-tokens-total', '60');
                expect(bounded.code, bounded.stderr).toBe(1);
                expect(Object.keys(outcomesIn(cwd, prompts))).toHaveLength(5);
                expect(server.requests).toHaveLength(5);
                server.fault = () => ({ kind: 'status', status: 401 });
                const refused = await run();
                expect(refused.code, refused.stderr).toBe(5);
                expect(Object.keys(outcomesIn(cwd, prompts))).toHaveLength(5);
            },
        );

        it.runIf(isRun(partOfMode))(
            'count the model that judges in a budget, and go on with its answers',
            async () => {
                const prompts = Array.from({ length: 9 }, (_, i) => `j${i}`);
                const { cwd, run } = batch(mode, prompts, 2);
                writePrices(cwd, { m: { input: 0, output: 1000 }, grader: { input: 0, output: 10_000 } });
                server.text = ({ body, prompt }) =>
                    body['model'] === 'grader' ? 'SCORE: 1' : prompt.toUpperCase();
                const judged = ['--scorer', 'model:grader', '--prices', 'prices.json', '--max-cost'];
                // An answer costs $0.007 and its judgement $0.07, for which $10.24 is reserved, since its length is not known in
                // advance.
                const bounded = await run(...judged, '10.52');
                expect(bounded.code, bounded.stderr).toBe(1);
                expect(bounded.stderr).toContain(
                    'without --judge-max-tokens nobody knows how long an answer gets',
                );
                const [answers, judgements] = [requestsTo('m'), requestsTo('grader')];
                expect(judgements).toBe(4);
                expect(Object.keys(outcomesIn(cwd, prompts))).toHaveLength(4);
                const spent = answers * 0.007 + judgements * 0.07;
                expect(bounded.stdout).toContain(`spent  $${spent.toFixed(4)}, `);
                expect(bounded.stdout).toMatch(
                    /kept {2}\$0\.0280, 36 tokens; judge {2}\$0\.2800, \d+ tokens\n/,
                );
                const rest = await run(...judged, '1000');
                expect(rest.code, rest.stderr).toBe(0);
                expect([requestsTo('m'), requestsTo('grader')]).toEqual([9, 9]);
                server.text = ({ prompt }) => prompt.toUpperCase();
            },
        );

        it.runIf(isRun(partOfMode))('count searches in a budget where their price is known', async () => {
            const prompts = Array.from({ length: 6 }, (_, i) => `s${i}`);
            const { cwd, run } = batch(mode, prompts, 2);
            writePrices(cwd, { m: { input: 0, output: 1000 } }, { known: 0.05 });
            const searches = (): number => server.requests.filter(({ call }) => call === 'search').length;
            const found = ['--web-search', '--search-engine', 'known', '--prices', 'prices.json'];
            const bounded = await run(...found, '--max-cost', '0.13');
            expect(bounded.code, bounded.stderr).toBe(1);
            expect(bounded.stdout).toContain('the budget of $0.13 (--max-cost) is spent');
            // The third search does not fit, whether or not the second answer was requested before that was known.
            const answers = requestsTo('m');
            expect([searches(), answers]).toEqual([2, expect.toBeOneOf([1, 2])]);
            const spent = (0.1 + answers * 0.007).toFixed(4);
            expect(bounded.stdout).toMatch(
                new RegExp(
                    `spent {2}\\$${spent}, \\d+ tokens in ${answers} answers?, \\$0\\.1000 for 2 searches; `,
                ),
            );
            const [one] = [...readResults(join(cwd, 'results')).values()].flatMap(
                ({ main_result: done }) => done as { readonly result: { readonly search: object } }[],
            );
            expect(one?.result.search).toMatchObject({ cost: 0.05, priced_by: '--prices of 2026-11-01' });
            const rest = await run(...found);
            expect(rest.code, rest.stderr).toBe(0);
            expect([searches(), requestsTo('m')]).toEqual([6, 6]);
        });

        it.runIf(isRun(partOfMode))(
            'keep one answer of a task whose first one comes too late, and tell what that may have cost',
            async () => {
                const prompts = ['late', 'soon'];
                const { cwd, run } = batch(mode, prompts, 2);
                const seconds = patience(1);
                server.latencyOf = ({ prompt }, seen) =>
                    prompt === 'late' && seen === 1 ? seconds * 1500 : 0;
                const end = await run('--timeout', String(seconds), '--collect');
                expect(end.code, end.stderr).toBe(0);
                expect(outcomesIn(cwd, prompts)).toEqual({
                    late: answered('late', 'endpoint'),
                    soon: answered('soon'),
                });
                expect(end.stdout).toMatch(
                    /spent +22 tokens in 2 answers; kept +22 tokens\n1 request got no answer/,
                );
                // By now the service has answered, but nobody was listening.
                await expect.poll(() => server.inFlight, { timeout: patience(5000) }).toBe(0);
                expect(server.counts().get('late')).toBe(2);
                const rows = await callCli(['export', '--database', 'database'], { cwd });
                const records = rows.stdout
                    .trim()
                    .split('\n')
                    .map((line) => JSON.parse(line));
                expect(
                    records
                        .map(({ attempts, prompt_tokens: tokens }) => `${attempts} of ${tokens}`)
                        .toSorted(),
                ).toEqual(['1 of 4', '2 of 4']);
                // Another start has nothing to do.
                expect((await run()).code).toBe(0);
                expect(server.requests).toHaveLength(3);
            },
        );

        it.runIf(isRun(partOfMode))(
            'hand out --batch-size tasks at a time, and the next ones when all of these have ended',
            async () => {
                const prompts = Array.from({ length: 8 }, (_, i) => `n${i}`);
                const { cwd, run } = batch(mode, prompts, 2);
                /** Requests received when the first one is answered, some time after those of its batch arrived. */
                let inFirst = 0;
                let answerFirst = (): void => undefined;
                const first = new Promise<void>((resolve) => {
                    answerFirst = resolve;
                });
                server.latencyOf = ({ prompt }) => (prompt === 'n0' ? first : 0);
                server.fault = () => {
                    if (server.requests.length === 3)
                        setTimeout(() => {
                            inFirst = server.requests.length;
                            answerFirst();
                        }, 500);
                    return null;
                };
                const end = await run('--batch-size', '3');
                expect(end.code, end.stderr).toBe(0);
                expect(Object.keys(outcomesIn(cwd, prompts))).toHaveLength(8);
                expect(inFirst).toBe(3);
                expect(server.mostInFlight).toBeLessThanOrEqual(2);
            },
        );
    },
);

const requestsTo = (model: string): number =>
    server.requests.filter(({ body }) => body['model'] === model).length;

function writePrices(cwd: string, models: object, searches?: object): void {
    const prices = { date: '2026-11-01', models, ...(searches === undefined ? {} : { searches }) };
    writeFileSync(join(cwd, 'prices.json'), JSON.stringify(prices));
}

/** How often a prompt was received as a completion; the prompts in `FAULTS` come as a search first. */
const completionsOf = (prompt: string, seen: number): number => (prompt in FAULTS ? seen - 1 : seen);
