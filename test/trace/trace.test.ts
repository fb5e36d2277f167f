import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { tempDir } from '../rig/cli.js';
import { callCli } from '../rig/in-process.js';
import { ChatServer } from '../rig/servers/chat-server.js';
import { patience } from '../rig/slowness.js';
import { OtlpReceiver, type ReceivedSpan } from '../rig/servers/otlp-receiver.js';

const KEY = 'sk-key-of-the-model-service';
const LANGSMITH_KEY = 'lsv2-key-of-langsmith';
const server = new ChatServer();
const collector = new OtlpReceiver();
beforeAll(async () => {
    await server.start();
    await collector.start();
});
afterAll(async () => {
    await server.stop();
    await collector.stop();
});
beforeEach(() => {
    collector.requests.length = 0;
    collector.answers = true;
    server.requests.length = 0;
    server.fault = () => null;
});

const topics = (...more: readonly string[]) =>
    `topics --topics tides wind --base-url ${server.url} --model m --api-key-env MODEL_KEY`
        .split(' ')
        .concat(more);

const childrenOf = (spans: readonly ReceivedSpan[], parent: ReceivedSpan): readonly ReceivedSpan[] =>
    spans.filter(({ parentId }) => parentId === parent.spanId);

const sentBytes = (): string => collector.requests.map(({ body }) => body.toString('latin1')).join('\n');

describe('traces', () => {
    it.each(['async', 'thread', 'process'])(
        'hold rounds, topics, searches and requests in mode %s',
        async (mode) => {
            // Each prompt is rejected once.
            server.fault = ({ call }, seen) =>
                call === 'completion' && seen === 1
                    ? { kind: 'status', status: 429, headers: { 'retry-after-ms': '1' } }
                    : null;
            const env = { MODEL_KEY: KEY, OTEL_EXPORTER_OTLP_ENDPOINT: collector.url };
            const end = await callCli(
                topics('--iterations', '2', '--mode', mode, '-c', mode === 'async' ? '2' : '1'),
                { cwd: tempDir(), env },
            );
            expect(end.code, end.stderr).toBe(0);
            const spans = collector.spans();
            expect(collector.requests[0]?.path).toBe('/v1/traces');
            expect(new Set(spans.map(({ spanId }) => spanId)).size).toBe(spans.length);
            const roots = spans.filter(({ parentId }) => parentId === '');
            expect(roots.map(({ name }) => name).sort()).toEqual(['iteration_1', 'iteration_2']);
            for (const root of roots) {
                const analyses = childrenOf(spans, root);
                expect(analyses.map(({ name }) => name)).toEqual(['topic_analysis', 'topic_analysis']);
                for (const analysis of analyses) {
                    expect(analysis.traceId).toBe(root.traceId);
                    expect(analysis.attributes['resume_run.worker']).toMatch(new RegExp(`^${mode}-\\d+$`));
                    const [tool, chat, ...others] = [...childrenOf(spans, analysis)].sort((a, b) =>
                        a.start < b.start ? -1 : 1,
                    );
                    expect(others).toEqual([]);
                    expect(tool).toMatchObject({ name: 'execute_tool web_search', kind: 1, status: 0 });
                    expect(chat).toMatchObject({
                        name: 'chat m',
                        kind: 3,
                        traceId: root.traceId,
                        attributes: {
                            'gen_ai.operation.name': 'chat',
                            'gen_ai.provider.name': 'openai',
                            'gen_ai.system': 'openai',
                            'gen_ai.request.model': 'm',
                            'gen_ai.request.temperature': 0.3,
                            'gen_ai.response.id': 'chatcmpl-1',
                            'gen_ai.response.model': 'rig-model-2026-11-01',
                            'gen_ai.response.finish_reasons': ['stop'],
                            'gen_ai.usage.output_tokens': 7,
                            'server.address': '127.0.0.1',
                        },
                    });
                    expect(chat?.end ?? 0n).toBeGreaterThanOrEqual(chat?.start ?? 1n);
                }
            }
            const retries = spans.flatMap(({ events }) => events.filter(({ name }) => name === 'retry'));
            expect(retries.length).toBeGreaterThanOrEqual(2);
            expect(sentBytes()).not.toContain(KEY);
            expect(sentBytes()).not.toContain('What page 1 says');
        },
    );

    it('go to LangSmith by its own variables, without what is for another collector', async () => {
        const env = {
            MODEL_KEY: KEY,
            LANGCHAIN_TRACING_V2: 'true',
            LANGSMITH_API_KEY: LANGSMITH_KEY,
            LANGSMITH_ENDPOINT: `${collector.url}/`,
            LANGCHAIN_PROJECT: 'tides',
            OTEL_EXPORTER_OTLP_HEADERS: 'Api-Secret=of-another-collector',
            OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT: 'true',
        };
        const cwd = tempDir();
        const off = await callCli(topics('--disable-langsmith'), { cwd, env });
        expect(off.code, off.stderr).toBe(0);
        expect(collector.requests).toEqual([]);
        const end = await callCli(topics('--iterations', '2'), { cwd, env });
        expect(end.code, end.stderr).toBe(0);
        const [request] = collector.requests;
        expect(request?.path).toBe('/otel/v1/traces');
        expect(request?.headers).toMatchObject({
            'x-api-key': LANGSMITH_KEY,
            'langsmith-project': 'tides',
            'content-type': 'application/x-protobuf',
        });
        expect(JSON.stringify(request?.headers)).not.toContain('of-another-collector');
        expect(sentBytes()).not.toContain(LANGSMITH_KEY);
        // Prompts are included if requested.
        expect(sentBytes()).toContain('What page 1 says');
        const keyless = await callCli(topics('--enable-langsmith', '--dir', 'other'), {
            cwd,
            env: { MODEL_KEY: KEY },
        });
        expect(keyless).toMatchObject({ code: 2 });
        expect(keyless.stderr).toContain('--enable-langsmith needs a key in LANGSMITH_API_KEY');
    });

    it.each(['is gone', 'never answers'])(
        'cost no result and a bounded time where the collector %s',
        async (how) => {
            collector.answers = false;
            const address = how === 'is gone' ? 'http://127.0.0.1:9' : collector.url;
            const env = { MODEL_KEY: KEY, OTEL_EXPORTER_OTLP_ENDPOINT: address };
            const cwd = tempDir();
            const before = performance.now();
            const end = await callCli(topics('--json'), { cwd, env });
            expect(performance.now() - before).toBeLessThan(patience(7500));
            expect(end.code, end.stderr).toBe(0);
            const events = end.stdout
                .trim()
                .split('\n')
                .map((line) => JSON.parse(line));
            expect(events.filter(({ type }) => type === 'task-finished')).toHaveLength(2);
            const told = events.filter(({ message }) => /^(some )?traces .* not /.test(message ?? ''));
            expect(told).toHaveLength(1);
            expect(told[0].message).toContain('results are not affected');
        },
    );

    it('have a cell as root for each instance of a matrix', async () => {
        const args = ['matrix', '--models', 'm', '--task-types', 'a', '--num-instances', '2'];
        const env = { OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: `${collector.url}/v1/traces` };
        const end = await callCli(
            [...args, '--prompt-template', '{task_type} {instance}', '--base-url', server.url],
            { cwd: tempDir(), env },
        );
        expect(end.code, end.stderr).toBe(0);
        const spans = collector.spans();
        const roots = spans.filter(({ parentId }) => parentId === '');
        expect(roots.map(({ name }) => name)).toEqual(['cell', 'cell']);
        expect(new Set(roots.map(({ traceId }) => traceId)).size).toBe(2);
        for (const root of roots) {
            expect(root.attributes).toMatchObject({
                'resume_run.sample': 'model=m/task_type=a',
                'resume_run.verdict': 'Accepted',
            });
            expect(childrenOf(spans, root).map(({ name }) => name)).toEqual(['chat m']);
        }
    });
});
