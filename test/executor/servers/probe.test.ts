import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { expandEndpoints } from '../../../src/executor/servers/endpoint-options.js';
import { type EndpointReport, probeEndpoints } from '../../../src/executor/servers/probe.js';
import { tempDir } from '../../rig/cli.js';
import { callCli } from '../../rig/in-process.js';
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
        const told: string[] = [];
        const onReport = ({ endpoint }: EndpointReport): void => void told.push(endpoint);
        const reports = await probeEndpoints(endpoints, { kind: null, languages, signal, onReport });
        // Each is reported as soon as it is known: an absent endpoint is known before the others have run anything.
        expect(told[0]).toBe(down.url);
        expect(told.toSorted()).toEqual(reports.map(({ endpoint }) => endpoint).toSorted());
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
        // The rig's SandboxFusion has no Go.
        expect(reports[0]?.languages[2]).toMatchObject({ language: 'GO', verdict: null });
        expect(reports[0]?.languages[2]?.problem).toContain('HTTP 422: body.language');
    });

    it('shows as it goes, and what a compiler said first where it fails, on either stream', async () => {
        const broken = await new FusionServer().start();
        const compile = { status: 'Finished', execution_time: 0.1, return_code: 1, stderr: '' };
        const stdout = 'g++: no such compiler here\nand more';
        const refused = {
            status: 'Failed',
            message: '',
            compile_result: { ...compile, stdout },
            run_result: null,
        };
        broken.misbehave = ({ body }) =>
            body.includes(String.raw`print(\"hello\")`)
                ? null
                : { kind: 'status', status: 200, body: JSON.stringify(refused) };
        const urls = `${broken.url},${down.url}`;
        const args = ['endpoints', '--endpoint', urls, '--executor', 'sandbox-fusion'];
        const shown = await callCli(args, { cwd: tempDir(), env: {} });
        await broken.clean();
        expect(shown.code).toBe(1);
        expect(shown.stderr.split('\n').slice(0, 2)).toEqual([
            `1/2 ${down.url} connection refused`,
            `2/2 ${broken.url} ok`,
        ]);
        expect(shown.stdout).toMatch(
            / CPP: .*cannot compile a hello-world in CPP: g\+\+: no such compiler here$/m,
        );
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
