import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ConcurrentBigModelExecutor, ConcurrentConfig, TaskWorker } from '../../src/legacy.js';
import { tempDir } from '../rig/cli.js';
import { ChatServer } from '../rig/servers/chat-server.js';

const server = new ChatServer();
beforeAll(() => server.start());
afterAll(() => server.stop());

describe("the earlier tool's executor", () => {
    it('asks about topics, and what is on disk not again', async () => {
        server.fault = ({ prompt, call }) =>
            call === 'completion' && prompt.includes('bad') ? { kind: 'status', status: 400 } : null;
        const dir = join(tempDir(), 'results');
        const config = new ConcurrentConfig({ concurrency: 2, mode: 'asyncio', baseUrl: server.url, dir });
        const executor = new ConcurrentBigModelExecutor(config);
        const results = await executor.run(['tides', 'bad'], 2);
        expect(results.map(({ topic, iteration, success }) => ({ topic, iteration, success }))).toEqual([
            { topic: 'bad', iteration: 1, success: false },
            { topic: 'bad', iteration: 2, success: false },
            { topic: 'tides', iteration: 1, success: true },
            { topic: 'tides', iteration: 2, success: true },
        ]);
        expect(results[0]?.error_message).toContain('400');
        const asked = server.requests.length;
        const one = await new TaskWorker(config).process('tides');
        expect(one).toMatchObject({ topic: 'tides', iteration: 1, success: true, search_results_count: 2 });
        expect(server.requests.length).toBe(asked);
    });

    it('refuses settings that cannot be used, and has defaults', () => {
        expect(new ConcurrentConfig()).toMatchObject({
            concurrency: 4,
            timeout: 120,
            maxRetries: 2,
            batchSize: 0,
        });
        expect(() => new ConcurrentConfig({ concurrency: 0 })).toThrow(
            'concurrency: expected a whole number of at least 1, got 0',
        );
        expect(() => new ConcurrentConfig({ timeout: Number.NaN })).toThrow('timeout: expected a number');
        expect(() => new ConcurrentConfig({ mode: JSON.parse('"fast"') })).toThrow(
            'mode: expected one of async, thread, process, asyncio, threading, multiprocessing, got fast',
        );
    });
});
