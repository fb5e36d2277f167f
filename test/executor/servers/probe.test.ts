import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { expandEndpoints } from '../../../src/executor/servers/endpoint-options.js';
import { probeEndpoints } from '../../../src/executor/servers/probe.js';
import { FusionServer } from '../../rig/servers/fusion-server.js';
import { GoJudgeServer } from '../../rig/servers/go-judge-server.js';

const fusionServer = new FusionServer();
const judgeServer = new GoJudgeServer();
const down = new FusionServer();
const signal = new AbortController().signal;

beforeAll(async () => {
    await Promise.all([fusionServer.start(), judgeServer.start(), down.start()]);
    await down.stop();
});
afterAll(async () => {
    await fusionServer.clean();
    await judgeServer.stop();
});

describe('probeEndpoints', () => {
    it('finds out who is there and what they run', async () => {
        const endpoints = expandEndpoints(
            [{ url: `${fusionServer.url},${judgeServer.url}/` }, { url: down.url }],
            '--endpoint',
        );
        const languages = ['PYTHON3', 'CPP', 'GO'];
        const reports = await probeEndpoints(endpoints, { kind: null, languages, signal });
        expect(reports.map(({ endpoint, reachable, kind }) => [endpoint, reachable, kind])).toEqual([
            [fusionServer.url, true, 'sandbox-fusion'],
            [judgeServer.url, true, 'go-judge'],
            [down.url, false, null],
        ]);
        expect(reports.map((report) => report.version)).toEqual([null, 'rig', null]);
        expect(reports[0]?.latency).toBeGreaterThan(0);
        expect(reports[2]).toMatchObject({ problem: 'connection refused', latency: null, languages: [] });
        for (const report of reports.slice(0, 2)) {
            const verdicts = report.languages.map(({ language, verdict }) => [language, verdict]);
            expect(verdicts.slice(0, 2)).toEqual([
                ['PYTHON3', 'Accepted'],
                ['CPP', 'Accepted'],
            ]);
        }
        // The rig's SandboxFusion knows no Go.
        expect(reports[0]?.languages[2]).toMatchObject({ language: 'GO', verdict: null });
        expect(reports[0]?.languages[2]?.problem).toContain('HTTP 422: body.language');
    });

    it('says that a server is another one than was meant', async () => {
        const endpoints = expandEndpoints([{ url: judgeServer.url }], '--endpoint');
        const [report] = await probeEndpoints(endpoints, { kind: 'sandbox-fusion', languages: [], signal });
        expect(report).toMatchObject({ reachable: true, languages: [], kind: 'sandbox-fusion' });
        expect(report?.problem).toContain('HTTP 404');
    });
});

describe('expandEndpoints', () => {
    it('gives each address the settings of its entry, and names none twice', () => {
        const expanded = expandEndpoints(
            [
                { url: 'http://h:{1..2}', concurrency: 3, token: { env: 'T' } },
                { url: 'http://h:{2..3}', rate: 2 },
            ],
            '--endpoint',
        );
        expect(expanded).toEqual([
            { url: 'http://h:1', concurrency: 3, rate: null, token: { env: 'T' }, headers: {} },
            { url: 'http://h:2', concurrency: 3, rate: null, token: { env: 'T' }, headers: {} },
            { url: 'http://h:3', concurrency: null, rate: 2, token: null, headers: {} },
        ]);
    });
});
