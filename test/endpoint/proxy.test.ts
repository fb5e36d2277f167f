import { createServer, type Server } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { HttpClient } from '../../src/endpoint/http.js';
import type { HttpAnswer } from '../../src/endpoint/http-messages.js';
import { chooseProxy } from '../../src/endpoint/proxy.js';

describe('the proxy of a request', () => {
    const env = {
        HTTPS_PROXY: 'http://outside:3128',
        http_proxy: 'inside:80',
        no_proxy: 'corp.net, .lan 10.0.0.0/8,[fd00::1]:8080,odd.org:8443',
    };
    it.each<[string, string | null]>([
        ['https://api.deepseek.com', 'http://outside:3128'],
        ['http://models.example', 'http://inside:80'],
        ['http://localhost:8000', null],
        ['http://demo.localhost', null],
        ['https://127.1.2.3', null],
        ['http://[::1]:9', null],
        ['https://corp.net', null],
        ['https://a.b.corp.net', null],
        ['https://notcorp.net', 'http://outside:3128'],
        ['http://box.lan', null],
        ['http://10.20.30.40:8080', null],
        ['http://11.0.0.1', 'http://inside:80'],
        ['http://[fd00::1]:8080', null],
        ['http://[fd00::1]:8081', 'http://inside:80'],
        ['https://odd.org', 'http://outside:3128'],
        ['https://odd.org:8443', null],
    ])('of %s is %s', (origin, url) => {
        expect(chooseProxy(origin, env)).toEqual({ url });
    });

    it('is named by ALL_PROXY for all else, and by no variable that is empty', () => {
        expect(chooseProxy('https://a.b', { HTTPS_PROXY: '', ALL_PROXY: 'http://p:1' })).toEqual({
            url: 'http://p:1',
        });
        expect(chooseProxy('https://a.b', { http_proxy: 'http://p:1' })).toEqual({ url: null });
        expect(chooseProxy('https://a.b', { ALL_PROXY: 'http://p:1', NO_PROXY: '*' })).toEqual({ url: null });
    });

    it.each(['socks5://p:1', 'http://'])('is not %s', (value) => {
        expect(chooseProxy('https://a.b', { https_proxy: value })).toEqual({
            problem: 'https_proxy is not the address of a proxy that starts with http:// or https://',
        });
    });
});

describe('requests through a proxy', () => {
    let proxy: Server;
    let client: HttpClient;
    /** What the proxy was asked for. */
    let asked: string[];
    const opened: Socket[] = [];

    beforeEach(async () => {
        asked = [];
        proxy = createServer((request, response) => {
            asked.push(
                `${request.method} ${request.url} ${request.headers['proxy-authorization'] ?? 'nobody'}`,
            );
            response.end('through the proxy');
        });
        proxy.on('connect', (request, socket: Socket) => {
            asked.push(`CONNECT ${request.url}`);
            socket.end('HTTP/1.1 403 Forbidden\r\n\r\n');
            opened.push(socket);
        });
        await new Promise<void>((resolve) => proxy.listen(0, '127.0.0.1', resolve));
        const { port } = proxy.address() as AddressInfo;
        process.env['http_proxy'] = `http://user:pass@127.0.0.1:${port}`;
        process.env['https_proxy'] = `http://127.0.0.1:${port}`;
        client = new HttpClient({ usesProxy: true });
    });
    afterEach(async () => {
        delete process.env['http_proxy'];
        delete process.env['https_proxy'];
        await client.close();
        for (const socket of opened.splice(0)) socket.destroy();
        await new Promise((resolve) => proxy.close(resolve));
    });

    const send = (origin: string): Promise<HttpAnswer> =>
        client.send(
            { method: 'GET', origin, path: '/v1/models', headers: {}, timeout: 5000, maxAnswer: 1000 },
            new AbortController().signal,
        );

    it('are made as a whole where they are not encrypted', async () => {
        const answer = await send('http://models.example');
        expect(answer.kind === 'answer' && answer.body.toString()).toBe('through the proxy');
        const authorization = `Basic ${Buffer.from('user:pass').toString('base64')}`;
        expect(asked).toEqual([`GET http://models.example/v1/models ${authorization}`]);
    });

    it('get a tunnel where they are encrypted, and fail as broken where the proxy refuses it', async () => {
        expect(await send('https://models.example')).toMatchObject({ kind: 'failure', outcome: 'broken' });
        expect(asked).toEqual(['CONNECT models.example:443']);
    });

    it('do not go to it for what runs on this machine', async () => {
        const { port } = proxy.address() as AddressInfo;
        expect(await send(`http://127.0.0.1:${port}`)).toMatchObject({ kind: 'answer' });
        expect(asked).toEqual(['GET /v1/models nobody']);
    });

    it('do not go to it where servers are to be asked directly', async () => {
        const direct = new HttpClient();
        const answer = await direct.send(
            {
                method: 'GET',
                origin: 'http://models.invalid',
                path: '/',
                headers: {},
                timeout: 5000,
                maxAnswer: 1,
            },
            new AbortController().signal,
        );
        await direct.close();
        expect(answer).toMatchObject({ kind: 'failure', status: null });
        expect(asked).toEqual([]);
    });

    it('fail where the variable names no proxy', async () => {
        process.env['http_proxy'] = 'socks5://127.0.0.1:1';
        expect(await send('http://models.example')).toMatchObject({
            kind: 'failure',
            message: expect.stringContaining('http_proxy is not the address of a proxy'),
        });
        expect(asked).toEqual([]);
    });
});
