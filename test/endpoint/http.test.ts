import { brotliCompressSync, deflateRawSync, deflateSync, gzipSync } from 'node:zlib';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { createRequire } from 'node:module';
import { setTimeout as wait } from 'node:timers/promises';
import { type AddressInfo, createServer as createTcpServer } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { HttpClient } from '../../src/endpoint/http.js';
import type { HttpAnswer, HttpRequest } from '../../src/endpoint/http-messages.js';
import { classifyStatus, isWorthRetrying } from '../../src/endpoint/http-status.js';
import { LONG } from '../rig/long.js';
import { patience } from '../rig/slowness.js';

let server: Server;
let origin = '';
let handle: (request: IncomingMessage, response: ServerResponse) => unknown = () => {};

beforeAll(async () => {
    server = createServer((request, response) => handle(request, response));
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});
afterAll(() => {
    server.closeAllConnections();
    server.close();
});

const request = (over: Partial<HttpRequest> = {}): HttpRequest => ({
    method: 'GET',
    origin,
    path: '/',
    headers: {},
    timeout: 5000,
    maxAnswer: 1000,
    ...over,
});

/** From dist/, because threads cannot load TypeScript. */
const threadEntry = new URL('../../dist/endpoint/http-worker.js', import.meta.url);

it("waits as long as it is told, whatever the library's own limits are", async () => {
    const client = new HttpClient({ threadFrom: Number.POSITIVE_INFINITY });
    // By default the library gives up after five minutes of silence; at each silence its clock is advanced by six.
    const { tick } = createRequire(import.meta.url)('undici/lib/util/timers.js') as {
        tick: (milliseconds: number) => void;
    };
    const passSixMinutes = async (): Promise<void> => {
        for (let minute = 0; minute < 6; minute += 1) {
            tick(60_000);
            await wait(5);
        }
    };
    handle = async (_, response) => {
        await passSixMinutes();
        response.write('at ');
        await wait(20);
        await passSixMinutes();
        response.end('last');
    };
    const answer = await client.send(request({ timeout: 60_000 }), new AbortController().signal);
    expect(answer).toMatchObject({ kind: 'answer', status: 200 });
    expect(answer.kind === 'answer' && answer.body.toString()).toBe('at last');
    await client.close();
});

describe.each([
    ['this thread', { threadFrom: Number.POSITIVE_INFINITY }],
    ['a thread of its own', { threadFrom: 0, threadEntry }],
])('HttpClient in %s', (_name, options) => {
    const client = new HttpClient(options);
    afterAll(() => client.close());
    const send = (request: HttpRequest, signal = new AbortController().signal): Promise<HttpAnswer> =>
        client.send(request, signal);

    it('sends what it is given, and keeps the connection', async () => {
        const sockets = new Set<unknown>();
        handle = (incoming, response) => {
            sockets.add(incoming.socket);
            const chunks: Buffer[] = [];
            incoming.on('data', (chunk: Buffer) => chunks.push(chunk));
            incoming.on('end', () =>
                response.end(
                    `${incoming.method} ${incoming.url} ${String(incoming.headers['x-a'])} ${Buffer.concat(chunks).toString()}`,
                ),
            );
        };
        for (let time = 0; time < 3; time += 1) {
            const answer = await send(
                request({ method: 'POST', path: '/x', headers: { 'x-a': 'b' }, body: 'hi' }),
            );
            expect(answer).toMatchObject({ kind: 'answer', status: 200 });
            expect(answer.kind === 'answer' && answer.body.toString()).toBe('POST /x b hi');
        }
        // A second one may be opened while the first is not yet known to be free.
        expect(sockets.size).toBeLessThanOrEqual(2);
    });

    it.each([
        ['gzip', gzipSync],
        ['deflate', deflateSync],
        // Without the zlib header, which browsers accept too.
        ['deflate', deflateRawSync],
        ['br', brotliCompressSync],
    ])('decompresses %s that it did not ask for, no further than it may', async (encoding, compress) => {
        const reply = (body: Buffer, status = 200) => {
            handle = (_, response) => response.writeHead(status, { 'content-encoding': encoding }).end(body);
        };
        reply(compress('hello'));
        const answer = await send(request());
        expect(answer.kind === 'answer' && answer.body.toString()).toBe('hello');
        reply(compress(Buffer.alloc(1_000_000)));
        expect(await send(request({ maxAnswer: 100_000 }))).toMatchObject({
            kind: 'failure',
            outcome: 'broken',
            message: 'the answer is larger than 100000 bytes',
        });
        reply(Buffer.from('hello'));
        expect(await send(request())).toMatchObject({
            kind: 'failure',
            message: `the answer has the content-encoding ${encoding}, but cannot be decompressed`,
        });
        reply(compress('slow down'), 429);
        expect(await send(request())).toMatchObject({ outcome: 'rate', message: 'HTTP 429: slow down' });
    });

    it('names an encoding that it cannot read', async () => {
        handle = (_, response) => response.writeHead(200, { 'content-encoding': 'zstd' }).end('x');
        expect(await send(request())).toMatchObject({
            kind: 'failure',
            message: 'the answer has the content-encoding "zstd", which is not supported',
        });
    });

    it('reads no more than it may, announced or not', async () => {
        handle = (_, response) => response.end(Buffer.alloc(1001));
        expect(await send(request())).toMatchObject({
            kind: 'failure',
            outcome: 'broken',
            message: 'the answer is larger than 1000 bytes',
        });
        let closed = false;
        handle = (_, response) => {
            response.on('close', () => {
                closed = true;
            });
            const write = (): void => {
                while (!response.destroyed && response.write(Buffer.alloc(100)));
                if (!response.destroyed) response.once('drain', write);
            };
            write();
        };
        expect(await send(request())).toMatchObject({
            message: 'the answer is larger than 1000 bytes',
        });
        await expect.poll(() => closed).toBe(true);
        handle = (_, response) => response.end(Buffer.alloc(1000));
        expect(await send(request())).toMatchObject({ kind: 'answer' });
    });

    it('gives up when the time is over, also in the middle of an answer', async () => {
        handle = () => {};
        expect(await send(request({ timeout: 1000 }))).toMatchObject({
            message: 'no answer within 1 s',
        });
        handle = (_, response) => void response.write('{');
        expect(await send(request({ timeout: 1000 }))).toMatchObject({
            outcome: 'broken',
            message: 'no answer within 1 s',
        });
    });

    it('gives up when no connection comes about', async () => {
        const connecting = new HttpClient({ ...options, connectTimeout: 300 });
        // A server that never answers a TLS greeting is not connected.
        const silent = createTcpServer();
        await new Promise<void>((resolve) => silent.listen(0, '127.0.0.1', resolve));
        const { port } = silent.address() as AddressInfo;
        const late = await connecting.send(
            request({ origin: `https://127.0.0.1:${port}`, timeout: patience(20_000) }),
            new AbortController().signal,
        );
        expect(late).toMatchObject({ outcome: 'broken', message: 'no connection within 0.3 s' });
        await connecting.close();
        silent.close();
    });

    // By default the library gives up after five minutes.
    it.runIf(LONG)('waits for an answer after more than five minutes', { timeout: 400_000 }, async () => {
        handle = (_, response) => void setTimeout(() => response.end('at last'), 305_000);
        const answer = await send(request({ timeout: 350_000 }));
        expect(answer).toMatchObject({ kind: 'answer', status: 200 });
    });

    it('closes the request when it is aborted, before and while it runs', async () => {
        let closed = 0;
        const controller = new AbortController();
        handle = (_, response) => {
            response.on('close', () => (closed += 1));
            controller.abort();
        };
        const sending = send(request(), controller.signal);
        expect(await sending).toEqual({ kind: 'aborted' });
        await expect.poll(() => closed).toBe(1);
        expect(await send(request(), controller.signal)).toEqual({ kind: 'aborted' });
    });

    it('tells broken connections, and says nothing of what it sent', async () => {
        handle = (incoming) => incoming.socket.resetAndDestroy();
        const headers = { authorization: 'Bearer hunter2' };
        const reset = await send(request({ headers }));
        expect(reset).toMatchObject({
            kind: 'failure',
            outcome: 'broken',
            message: 'the connection was lost',
        });
        handle = (_, response) => response.writeHead(500).end('our\nown  fault');
        const own = await send(request({ headers }));
        expect(own).toMatchObject({ outcome: 'broken', status: 500, message: 'HTTP 500: our own fault' });
        expect(JSON.stringify([reset, own])).not.toContain('hunter2');
        handle = (_, response) =>
            response.writeHead(302, { location: 'https://me:hunter2@elsewhere/v1?k=hunter2' }).end();
        const moved = await send(request({ headers }));
        expect(moved).toMatchObject({
            message: 'HTTP 302 (redirected to https://elsewhere/v1; redirects are not followed)',
        });
        const dead = await send(request({ origin: 'http://127.0.0.1:9' }));
        expect(dead).toMatchObject({ outcome: 'broken', message: 'connection refused' });
    });

    it('says how long a server asks us to wait', async () => {
        handle = (_, response) => response.writeHead(429, { 'retry-after': '7' }).end();
        expect(await send(request())).toMatchObject({ outcome: 'rate', wait: 7000 });
    });

    it('gives up everything that is under way when it is closed', async () => {
        handle = () => {};
        const closing = new HttpClient(options);
        const sending = closing.send(request(), new AbortController().signal);
        await closing.close();
        expect(await sending).toMatchObject({ kind: 'failure', outcome: 'broken' });
    });
});

describe('a thread of requests', () => {
    it('is done without where it cannot start', async () => {
        handle = (_, response) => response.end('well');
        const entry = new URL('file:///nowhere/http-worker.js');
        const client = new HttpClient({ threadFrom: 0, threadEntry: entry });
        const signal = new AbortController().signal;
        expect(await client.send(request(), signal)).toMatchObject({ kind: 'answer', status: 200 });
        expect(await client.send(request(), signal)).toMatchObject({ kind: 'answer', status: 200 });
        await client.close();
    });

    it('cannot start, and its requests are given up all the same', async () => {
        const asked = new Promise<void>((resolve) => {
            handle = () => resolve();
        });
        const entry = new URL('file:///nowhere/http-worker.js');
        const client = new HttpClient({ threadFrom: 0, threadEntry: entry });
        const giveUp = new AbortController();
        const answer = client.send(request({ timeout: 60_000 }), giveUp.signal);
        await asked;
        giveUp.abort();
        expect(await answer).toEqual({ kind: 'aborted' });
        await client.close();
    });

    it.each([
        ['is there', threadEntry],
        ['cannot start', new URL('file:///nowhere/http-worker.js')],
    ])('is started when many requests are expected; it %s', async (_, entry) => {
        handle = (incoming, response) => response.end(incoming.url);
        const client = new HttpClient({ threadFrom: 20, threadEntry: entry });
        client.expect(19);
        client.expect(20);
        client.expect(20);
        const signal = new AbortController().signal;
        const answer = await client.send(request({ path: '/one' }), signal);
        expect(answer).toMatchObject({ kind: 'answer', body: Buffer.from('/one') });
        await client.close();
        const unused = new HttpClient({ threadFrom: 20, threadEntry: entry });
        unused.expect(20);
        await unused.close();
    });

    it('hands the bodies of many answers over, each to its request', async () => {
        handle = (incoming, response) => response.end(`${incoming.url}`.repeat(3));
        const client = new HttpClient({ threadFrom: 0, threadEntry });
        const paths = Array.from({ length: 100 }, (_, n) => `/${n}`);
        const answers = await Promise.all(
            paths.map((path) => client.send(request({ path }), new AbortController().signal)),
        );
        expect(answers.map((answer) => (answer.kind === 'answer' ? answer.body.toString() : answer))).toEqual(
            paths.map((path) => path.repeat(3)),
        );
        await client.close();
    });
});

describe('classifyStatus', () => {
    it.each([
        [200, null],
        [204, null],
        [429, 'rate'],
        [401, 'refused'],
        [403, 'refused'],
        [404, 'refused'],
        [422, 'bad-request'],
        [400, 'bad-request'],
        [408, 'broken'],
        [500, 'broken'],
        [502, 'overload'],
        [503, 'overload'],
        [504, 'overload'],
        [302, 'broken'],
    ] as const)('%i is %s', (status, expected) => {
        expect(classifyStatus(status)).toBe(expected);
    });

    it('knows what is worth another try', () => {
        const all = ['rate', 'overload', 'broken', 'refused', 'bad-request'] as const;
        expect(all.filter((outcome) => isWorthRetrying(outcome))).toEqual(['rate', 'overload', 'broken']);
    });
});
