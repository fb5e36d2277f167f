import { existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { killGroup, readResults, startCli, tempDir } from '../rig/cli.js';
import { callCli } from '../rig/in-process.js';
import { LONG, rounds } from '../rig/long.js';
import { ChatServer } from '../rig/servers/chat-server.js';
import { whyNoInjection } from './inject.js';

/*
 * Model batches under kill -9 with many requests in flight, and under a storm of 429s. Requests are counted at the server.
 */

const reason = whyNoInjection();
if (reason !== null) console.error(`a kill while a run reads its results: skipped, ${reason}`);

const server = new ChatServer();
beforeEach(async () => {
    server.requests.length = 0;
    server.fault = () => null;
    await server.start();
});
afterEach(() => server.stop());

const IN_FLIGHT = LONG ? 500 : 40;
const ROWS = IN_FLIGHT * 6;

interface Answer {
    readonly prompt: string;
    readonly tokens: number;
    readonly cost: number;
}

/** Answers in the result files of `cwd`. */
function answersIn(cwd: string): readonly Answer[] {
    if (!existsSync(join(cwd, 'results'))) return [];
    return [...readResults(join(cwd, 'results')).values()].flatMap((sample) =>
        (
            sample['main_result'] as {
                readonly row: { readonly prompt: string };
                readonly result: {
                    readonly prompt_tokens: number;
                    readonly completion_tokens: number;
                    readonly cost: number;
                };
            }[]
        ).map(({ row, result }) => ({
            prompt: row.prompt,
            tokens: result.prompt_tokens + result.completion_tokens,
            cost: result.cost,
        })),
    );
}

/** A folder with rows and prices, and the command that sends them all. */
function batch(inFlight: number, count = ROWS): { readonly cwd: string; readonly args: readonly string[] } {
    const cwd = tempDir();
    const rows = Array.from({ length: count }, (_, i) => `${JSON.stringify({ prompt: `question ${i}` })}\n`);
    writeFileSync(join(cwd, 'q.jsonl'), rows.join(''));
    const prices = { date: '2026-11-01', models: { m: { input: 1, output: 3 } } };
    writeFileSync(join(cwd, 'prices.json'), JSON.stringify(prices));
    writeFileSync(
        join(cwd, 'resume-run.config.json'),
        JSON.stringify({ endpoint: [{ url: server.url, concurrency: inFlight }] }),
    );
    const args = ['q.jsonl', '--executor', 'chat', '--model', 'm', '--prices', 'prices.json'];
    return { cwd, args: [...args, '--rows-per-sample', '50', '--max-tokens', '20'] };
}

/** Waits until the condition holds, for at most ten seconds. */
async function until(condition: () => boolean): Promise<void> {
    for (let i = 0; i < 2000 && !condition(); i += 1) await new Promise((resolve) => setTimeout(resolve, 5));
}

describe('a model batch under kill -9', () => {
    it(`asks nothing again that was committed, with ${IN_FLIGHT} requests in flight`, async () => {
        const { cwd, args } = batch(IN_FLIGHT);
        server.latency = 100;
        /** Requests of the killed starts whose answers are not on disk: only these are sent again. */
        let lost = 0;
        /** Prompts that were committed at a kill, with the number of times they had been sent by then. */
        const committed = new Map<string, number>();
        const kill = async (isDue: () => boolean): Promise<void> => {
            const [askedBefore, savedBefore] = [server.requests.length, answersIn(cwd).length];
            const run = startCli(args, { cwd });
            await until(isDue);
            killGroup(run.child);
            await run.result;
            await until(() => server.inFlight === 0);
            const saved = answersIn(cwd).length - savedBefore;
            const lostHere = server.requests.length - askedBefore - saved;
            // The requests in flight, and answers on their way to the disk: while there are this many, no request is sent.
            expect(lostHere).toBeLessThanOrEqual(2 * IN_FLIGHT);
            lost += lostHere;
            const counts = server.counts();
            for (const { prompt } of answersIn(cwd))
                if (!committed.has(prompt)) committed.set(prompt, counts.get(prompt) ?? 0);
        };
        for (let round = 0; round < rounds(1); round += 1) {
            const asked = server.requests.length;
            const wanted = asked + 1 + Math.floor(Math.random() * IN_FLIGHT * 2);
            await kill(() => server.requests.length >= Math.min(wanted, ROWS));
            // During the scan of existing results, and twice in a row: by then nothing is sent and nothing lost.
            const before = answersIn(cwd).length;
            const startedAt = performance.now();
            await kill(() => performance.now() - startedAt > 150 + Math.random() * 250);
            expect(answersIn(cwd).length).toBeGreaterThanOrEqual(before);
        }
        expect(committed.size).toBeLessThan(ROWS + 1);
        const end = await callCli(args, { cwd });
        expect(end.code, end.stderr).toBe(0);
        const counts = server.counts();
        for (const [prompt, times] of committed) expect(counts.get(prompt), prompt).toBe(times);
        expect(server.requests.length).toBe(ROWS + lost);

        // The kept results equal those of an undisturbed run.
        const answers = answersIn(cwd);
        expect(new Set(answers.map(({ prompt }) => prompt)).size).toBe(ROWS);
        expect(answers).toHaveLength(ROWS);
        const tokens = answers.reduce((sum, one) => sum + one.tokens, 0);
        const undisturbed = Array.from({ length: ROWS }, (_, i) => `question ${i}`.length + 7);
        expect(tokens).toBe(undisturbed.reduce((sum, one) => sum + one, 0));
        expect(end.stdout).toMatch(/spent +\$[\d.]+, .* tokens in .* answers?; kept/);
        const again = await callCli(['--dir', 'results'], { cwd });
        expect(again.code, again.stderr).toBe(0);
        expect(server.requests.length).toBe([...counts.values()].reduce((sum, one) => sum + one, 0));
    });

    it.skipIf(reason !== null)(
        'loses nothing and asks nothing when it is killed while it reads what is there, twice in a row',
        async () => {
            const { cwd, args } = batch(8, 200);
            server.latency = 30;
            const first = startCli(args, { cwd });
            await until(() => answersIn(cwd).length >= 60);
            killGroup(first.child);
            await first.result;
            await until(() => server.inFlight === 0);
            const asked = server.requests.length;
            const files = [...readResults(join(cwd, 'results')).keys()];
            const saved = answersIn(cwd);
            expect(files.length).toBeGreaterThan(1);
            for (const name of [files[0], files.at(-1)]) {
                // Killed while opening this result file to see what is left.
                const path = join(cwd, 'results', name ?? '');
                const kill = ['-e', 'trace=openat', '-e', 'inject=openat:signal=KILL:when=1', '-P', path];
                const through = ['strace', '-f', '-qq', '-o', '/dev/null', ...kill];
                expect((await startCli(args, { cwd, through }).result).signal).toBe('SIGKILL');
                expect([...readResults(join(cwd, 'results')).keys()]).toEqual(files);
                expect(answersIn(cwd)).toEqual(saved);
            }
            expect(server.requests.length).toBe(asked);
            const end = await callCli(args, { cwd });
            expect(end.code, end.stderr).toBe(0);
            expect(server.requests.length).toBe(asked + 200 - saved.length);
            expect(new Set(answersIn(cwd).map(({ prompt }) => prompt)).size).toBe(200);
        },
    );

    it('goes on scoring where resume-run score was killed', async () => {
        const count = IN_FLIGHT * 2;
        const { cwd, args } = batch(IN_FLIGHT, count);
        server.latency = 0;
        const asked = await callCli(args, { cwd });
        expect(asked.code, asked.stderr).toBe(0);
        const requests = server.requests.length;
        writeFileSync(
            join(cwd, 'slow.mjs'),
            'export default async ({ answer }) => { await new Promise((r) => setTimeout(r, 20)); return answer.length > 0; };',
        );
        const scored = (): number =>
            [...readResults(join(cwd, 'results')).values()]
                .flatMap((sample) => sample['main_result'] as { readonly revision?: number }[])
                .filter(({ revision }) => revision === 2).length;
        const line = ['score', '--dir', 'results', '--scorer', 'module:slow.mjs', '-j', '4'];
        const run = startCli(line, { cwd });
        await until(() => scored() > 0);
        killGroup(run.child);
        await run.result;
        const before = scored();
        expect(before).toBeGreaterThan(0);
        const end = await callCli([...line, '--json'], { cwd });
        expect(end.code, end.stderr).toBe(0);
        expect(JSON.parse(end.stdout)).toMatchObject({ scored: count - before, unchanged: before });
        expect(scored()).toBe(count);
        expect(server.requests.length).toBe(requests);
    });
});

describe('a storm of 429s', () => {
    const width = LONG ? 256 : 32;
    it(`ends everything at ${width} in flight, and provokes few once the limit is found`, async () => {
        const { cwd, args } = batch(width);
        const takes = width / 4;
        let turnedDown = 0;
        let late = 0;
        // Long enough that all of them are in flight together, even on a busy machine.
        server.latency = LONG ? 400 : 60;
        server.fault = () => {
            if (server.inFlight <= takes) return null;
            turnedDown += 1;
            if (answered() > ROWS / 2) late += 1;
            return { kind: 'status', status: 429, headers: { 'retry-after-ms': '50' } };
        };
        const answered = (): number => server.requests.length - turnedDown;
        const run = await callCli(args, { cwd });
        expect(run.code, run.stderr).toBe(0);
        expect(answersIn(cwd)).toHaveLength(ROWS);
        expect(server.requests.length).toBe(ROWS + turnedDown);
        // The limit is found after a few halvings; the rejected requests are those that were in flight at first.
        expect(turnedDown).toBeGreaterThan(0);
        expect(late).toBeLessThan(ROWS / 10);
        console.log(
            `storm at ${width}: ${turnedDown} of ${server.requests.length} turned down, ${late} late`,
        );
    });
});
