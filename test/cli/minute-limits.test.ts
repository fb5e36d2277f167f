import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { killGroup, startCli, tempDir } from '../rig/cli.js';
import { ChatServer } from '../rig/servers/chat-server.js';
import { patience } from '../rig/slowness.js';

const server = new ChatServer();
beforeAll(() => server.start());
afterAll(() => server.stop());

const sleep = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

async function until(isThere: () => boolean): Promise<void> {
    const end = performance.now() + patience(20_000);
    while (!isThere() && performance.now() < end) await sleep(10);
}

/** Tokens in the usage of an answer, as reported by the server. */
const usage = (prompt: string): number => prompt.length + 7;

it.each([
    ['thread', '--requests-per-minute', 40],
    ['async', '--tokens-per-minute', 800],
])(
    'counts in mode %s what the start before a kill -9 sent within the minute of %s',
    async (mode, limit, most) => {
        const cwd = tempDir();
        const rows = Array.from({ length: 90 }, (_, i) => JSON.stringify({ prompt: `question ${100 + i}` }));
        writeFileSync(join(cwd, 'q.jsonl'), `${rows.join('\n')}\n`);
        server.requests.length = 0;
        server.latency = 40;
        const sent = (): number =>
            limit === '--requests-per-minute'
                ? server.requests.length
                : server.requests.reduce((sum, { prompt }) => sum + usage(prompt), 0);
        const args = ['q.jsonl', '--executor', 'chat', '--model', 'm', '--endpoint', server.url].concat(
            ['--max-tokens', '20', '-c', '3', '-m', mode],
            [limit, String(most)],
        );
        const began = performance.now();
        const first = startCli(args, { cwd });
        await until(() => sent() >= most / 3);
        killGroup(first.child);
        await first.result;
        const atKill = sent();
        expect(atKill).toBeGreaterThanOrEqual(most / 3);
        expect(atKill).toBeLessThan(most * 0.7);
        const second = startCli(args, { cwd });
        // The rest of the minute's allowance is used, apart from what the first start may have sent beyond its count.
        await until(() => sent() >= most * 0.8);
        await sleep(1000);
        killGroup(second.child);
        await second.result;
        expect(performance.now() - began).toBeLessThan(60_000);
        expect(sent()).toBeGreaterThanOrEqual(most * 0.8);
        expect(sent()).toBeLessThanOrEqual(most);
    },
);
