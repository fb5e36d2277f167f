import { expect, it } from 'vitest';
import type { EndpointOptions, ServerOptions } from '../../../src/executor/descriptor.js';
import { adoptChat, checkChatWorker, describeChat } from '../../../src/executor/chat/adopt-chat.js';
import type { ChatDescriptor } from '../../../src/executor/chat/chat-kind.js';
import type { AdoptContext } from '../../../src/executor/executor-kind.js';
import {
    adoptPiston,
    adoptSandboxFusion,
    checkServerWorker,
    describeServers,
} from '../../../src/executor/servers/adopt-servers.js';
import { adoptEndpoints, describeForWorkers } from '../../../src/executor/servers/queued-endpoints.js';
import { fusion, JUDGING, piston } from '../../rig/servers/submissions.js';
import { tempDir } from '../../rig/cli.js';

const endpoint = (url: string, more: Partial<EndpointOptions> = {}): EndpointOptions => ({
    url,
    concurrency: 3,
    rate: null,
    token: null,
    headers: {},
    ...more,
});

const servers = (endpoints: readonly EndpointOptions[]): ServerOptions => ({
    endpoints,
    retryEndpoints: [],
    limits: 'adaptive',
    endpointWait: null,
    firstTimeout: null,
});

it('tells workers of endpoints without keys, headers and passwords, and takes those of the worker', () => {
    const theirs = servers([
        endpoint('http://user:sesame@h:1/v1', { headers: { 'x-secret': 'sesame' } }),
        endpoint('http://k/v1', { token: { env: 'KEY_A' } }),
        endpoint('http://k/v1', { token: { env: 'KEY_B' } }),
    ]);
    const told = JSON.parse(JSON.stringify(describeForWorkers(theirs))) as unknown;
    expect(JSON.stringify(told)).not.toContain('sesame');
    const own = [
        endpoint('http://me:mine@h:1/v1', { headers: { 'x-secret': 'mine' } }),
        endpoint('http://k/v1', { token: { env: 'KEY_B' } }),
        endpoint('http://k/v1', { token: { env: 'KEY_A' } }),
    ];
    expect(adoptEndpoints(told, own).endpoints).toMatchObject([
        { name: 'http://h:1/v1', url: 'http://me:mine@h:1/v1', headers: { 'x-secret': 'mine' } },
        { name: 'http://k/v1 [KEY_A]', token: { env: 'KEY_A' } },
        { name: 'http://k/v1 [KEY_B]', token: { env: 'KEY_B' } },
    ]);
    // If an address has only one key, the name of its variable does not matter.
    expect(
        adoptEndpoints(describeForWorkers(servers([endpoint('http://k', { token: { env: 'X' } })])), [
            endpoint('http://k', { token: { env: 'MINE' } }),
        ]).endpoints[0],
    ).toMatchObject({ token: { env: 'MINE' } });
    for (const [bad, why] of [
        [[endpoint('http://evil/v1')], 'start this worker with --endpoint http://evil/v1'],
        [[endpoint('http://k/v1', { token: { env: 'PATH' } })], 'this worker has other keys'],
    ] as const)
        expect(() => adoptEndpoints(describeForWorkers(servers(bad)), own)).toThrow(why);
    for (const raw of [
        null,
        {},
        { endpoints: [] },
        { endpoints: [{ name: 'n', url: 'file:///', keyName: 1 }] },
    ])
        expect(() => adoptEndpoints(raw, own)).toThrow('its endpoints are invalid');
    expect(() =>
        describeForWorkers(servers([endpoint('http://demo', { sentTo: 'http://127.0.0.1:1' })])),
    ).toThrow('a demo server on this machine');
});

const contextOf = (url: string, more: Partial<AdoptContext> = {}): AdoptContext => ({
    judging: { ...JUDGING, sandbox: 'none' },
    scratch: tempDir(),
    holder: 'h',
    mayRunCommands: false,
    endpoints: { given: url === '' ? [] : [{ url }], providers: [], apiKeyEnv: null },
    ...more,
});

const CHAT: ChatDescriptor = {
    kind: 'chat',
    tools: null,
    scoring: null,
    sampling: { model: 'm', temperature: null, topP: null, maxTokens: 5, seed: null },
    promptTemplate: '{prompt}',
    system: null,
    search: null,
    servers: servers([endpoint('http://k/v1', { token: { env: 'KEY' } })]),
    timeout: 5,
    prices: null,
    budget: { maxCost: null, maxTokens: null },
};

it('asks models as a run says it, but runs none of its files without leave', async () => {
    const own = contextOf('http://k/v1', {
        endpoints: {
            given: [{ url: 'http://k/v1', token: { env: 'PATH' } }],
            providers: [],
            apiKeyEnv: null,
        },
    });
    const told = JSON.parse(JSON.stringify(describeChat(CHAT))) as object;
    const { descriptor, tasksInProcess } = await adoptChat(told, own);
    expect(descriptor).toMatchObject({ ...CHAT, servers: { endpoints: [{ token: { env: 'PATH' } }] } });
    expect(tasksInProcess).toBeGreaterThan(1);
    const tools = { file: '/etc/passwd', exportName: 'default', maxTurns: 3 };
    await expect(adoptChat({ ...told, tools }, own)).rejects.toThrow(
        '(/etc/passwd): start this worker with --allow exec',
    );
    const alone = await adoptChat({ ...told, tools }, { ...own, mayRunCommands: true });
    expect(alone).not.toHaveProperty('tasksInProcess');
    const scorer = { kind: 'json-schema', file: '/etc/passwd' };
    const scoring = {
        scorer,
        expected: '',
        judgePrompt: '',
        judgeMaxTokens: null,
        codeTimeout: 1,
        fingerprint: 'f',
    };
    await expect(adoptChat({ ...told, scoring }, own)).rejects.toThrow('--allow exec');
    await expect(adoptChat({ ...told, timeout: -1 }, own)).rejects.toThrow('is invalid: timeout');
});

it('takes a run whose coordinator leaves out settings that it does not know', async () => {
    const endpoints = {
        given: [{ url: 'http://k/v1', token: { env: 'PATH' } }],
        providers: [],
        apiKeyEnv: null,
    };
    const told = JSON.parse(JSON.stringify(describeChat(CHAT))) as Record<string, unknown>;
    for (const name of ['tools', 'system', 'search', 'prices']) delete told[name];
    const scoring = {
        scorer: { kind: 'json-schema' },
        expected: '',
        judgePrompt: '',
        codeTimeout: 1,
        fingerprint: 'f',
    };
    const theirs = { ...told, sampling: { model: 'm' }, scoring };
    const { descriptor } = await adoptChat(theirs, contextOf('', { endpoints }));
    expect(descriptor).toMatchObject({
        tools: null,
        system: null,
        search: null,
        prices: null,
        sampling: { model: 'm', temperature: null, topP: null, maxTokens: null, seed: null },
        scoring: { ...scoring, scorer: { kind: 'json-schema', file: null }, judgeMaxTokens: null },
    });
    const toldOfServers = JSON.parse(JSON.stringify(describeServers(piston(['http://s:1'])))) as Record<
        string,
        unknown
    >;
    for (const name of ['adaptWindows', 'firstTimeout']) delete toldOfServers[name];
    const adopted = await adoptPiston(toldOfServers, contextOf('http://s:1'));
    expect(adopted.descriptor).toMatchObject({ adaptWindows: false, firstTimeout: null });
});

it('says at the start what a worker lacks', () => {
    expect(() => checkChatWorker(contextOf(''))).toThrow('only the services that it is started with');
    expect(() => checkServerWorker(contextOf(''))).toThrow('only the servers that it is started with');
    const endpoints = { given: [{ url: 'http://k/v1' }], providers: [], apiKeyEnv: 'NO_SUCH_KEY' };
    expect(() => checkChatWorker(contextOf('', { endpoints }))).toThrow(
        'the environment variable NO_SUCH_KEY is not set',
    );
});

it('judges on the servers of a run with its own sandbox and languages', async () => {
    const own = contextOf('http://s:1');
    const told = (descriptor: Parameters<typeof describeServers>[0]): unknown =>
        JSON.parse(JSON.stringify(describeServers(descriptor)));
    const theirs = { allTests: true, firstTimeout: 2, scratch: '/etc', compileCache: '/etc' };
    const adopted = await adoptPiston(told(piston(['http://s:1'], theirs)), own);
    expect(adopted.descriptor).toMatchObject({
        kind: 'piston',
        allTests: true,
        firstTimeout: 2,
        scratch: own.scratch,
    });
    expect(JSON.stringify(adopted)).not.toContain('"/etc"');
    const limited = await adoptSandboxFusion(
        told(fusion(['http://s:1'], { memoryLimit: 9, api: 'submit' })),
        own,
    );
    expect(limited.descriptor).toMatchObject({ api: 'submit', memoryLimit: 9 });
    await expect(adoptPiston(told(piston(['http://other:1'])), own)).rejects.toThrow(
        'start this worker with --endpoint',
    );
    await expect(
        adoptPiston(told(piston(['http://s:1'], { languages: { CPP: { compile: ['sh'] } } })), own),
    ).rejects.toThrow('overrides the language CPP');
});
