import { spawn } from 'node:child_process';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join, resolve } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { DOCS, fencesOf, userFolder } from '../rig/docs.js';
import { ChatServer } from '../rig/servers/chat-server.js';
import { FusionServer } from '../rig/servers/fusion-server.js';
import { LONG } from '../rig/long.js';
import { ServedCli } from '../rig/served-cli.js';
import { patience } from '../rig/slowness.js';

/**
 * The tutorial and the how-to pages do what they say: their files are written and their commands run, in order, in an
 * empty folder. A fence marked `<language> file=<name>` is a file; a fence marked `sh` runs; `sh no-run=<reason>` does not.
 */
const pages = ['tutorial.md', ...readdirSync(join(DOCS, 'how-to')).map((name) => join('how-to', name))];

/** What each page must have printed by its end, so that a command that silently does nothing is noticed. */
const SHOWN: Readonly<Record<string, readonly RegExp[]>> = {
    'tutorial.md': [
        /4 of 4 tasks would run, in 2 of 2 samples/,
        /TNR +50\.0 %/,
        /2 of 4 tasks would run/,
        /TNR +100 %/,
        /every sample is complete/,
    ],
    'how-to/judge-a-dataset.md': [/TPR +100 %/, /TNR +100 %/, /sum \['WrongAnswer', 'TimeLimitExceeded'\]/],
    'how-to/judge-on-servers.md': [/sandbox-fusion/, /TPR +100 %/],
    'how-to/run-a-command.md': [
        /^cover\tWrongAnswer\tcover 80\\n$/m,
        /2 of 3 done in main/,
        /Nothing left to do/,
        /Row\n/,
    ],
    'how-to/ask-a-model.md': [
        /France WHAT IS THE CAPITAL OF FRANCE\? 7/,
        /Nothing left to do/,
        /2 of 2 tasks would run/,
        /eu\.openai\.azure\.com\/openai\/v1: the deployment gpt-4o-eu answers as gpt-4o/,
        /50\.0 %  1 of 2 accepted in main/,
        /2 answers in scored scored by contains/,
        /1 answer in judged scored by model:demo-judge/,
    ],
    'how-to/look-at-results.md': [/report\.html is written/],
    'how-to/run-a-matrix.md': [/8 tasks saved/, /8\/12 done, 4 to run/, /demo-model +cot +6 +6/],
    'how-to/run-on-a-cluster.md': [/TPR +100 %/, /4 records added/],
    // Needs several machines: test/cli/queue.test.ts and test/crash/queue.test.ts cover what it says.
    'how-to/spread-over-machines.md': [],
    'how-to/call-an-api.md': [/^\[1000,1000000\]$/m, /^\[2,4\]$/m, /Nothing left to do/],
    'how-to/coming-from-the-earlier-scripts.md': [
        /demo\.localhost/,
        /Nothing left to do/,
        /success_rate/,
        /tides 1 true\ntides 2 true\nwind power 1 true/,
        /8\/8 done, 0 to run|8\/24 done|0\/8 done, 8 to run/,
        /3 6\n3\n/,
    ],
    'how-to/use-from-typescript.md': [
        /sum solution 0 Accepted/,
        /2 finished before, 0 to run/,
        /double: 240/,
        /2 new/,
    ],
};

const fusion = new FusionServer();
const model = new ChatServer();
const served = new ServedCli();
let api: Server;

beforeAll(async () => {
    api = createServer((request, response) => {
        const of = Number(new URL(request.url ?? '/', 'http://localhost').searchParams.get('of'));
        response.setHeader('content-type', 'application/json').end(JSON.stringify({ square: of * of }));
    });
    await Promise.all([
        fusion.start(),
        model.start(),
        served.start(),
        new Promise<void>((done) => {
            api.listen(0, '127.0.0.1', done);
        }),
    ]);
});
afterAll(async () => {
    await Promise.all([fusion.clean(), model.stop()]);
    api.close();
    served.stop();
});

interface Ended {
    readonly code: number | null;
    readonly output: string;
}

function runScript(script: string, cwd: string, path: string): Promise<Ended> {
    const address = api.address() as AddressInfo;
    const child = spawn('bash', ['-e', '-c', script], {
        cwd,
        env: { HOME: process.env['HOME'], PATH: path, API_URL: `http://127.0.0.1:${address.port}` },
        stdio: ['ignore', 'pipe', 'pipe'],
    });
    let output = '';
    for (const stream of [child.stdout, child.stderr]) {
        stream.setEncoding('utf8').on('data', (text: string) => {
            output += text;
        });
    }
    return new Promise((done, fail) => {
        child.once('error', fail);
        child.once('close', (code) => done({ code, output }));
    });
}

/** Scripts that deal with processes need a real one; the long form starts one for every line. */
const needsProcess = (script: string): boolean => LONG || /&$|& |\bkill\b|\bbash\b/m.test(script);

describe('pages for users', () => {
    it.each(pages)('runs what docs/%s says', { timeout: patience(60_000) }, async (page) => {
        const { cwd, path, servedPath } = userFolder(served);
        let shown = '';
        for (const { info, text } of fencesOf(readFileSync(join(DOCS, page), 'utf8'))) {
            // The pages use the addresses of the reader's servers; the test's servers have other ports.
            const content = text
                .replaceAll('http://127.0.0.1:8080', fusion.url.replace(/\/$/, ''))
                .replaceAll('http://127.0.0.1:8000/v1', model.url);
            const file = /\bfile=(\S+)/.exec(info)?.[1];
            if (file !== undefined) writeFileSync(join(cwd, file), content);
            else if (info === 'sh') {
                const { code, output } = await runScript(
                    content,
                    cwd,
                    needsProcess(content) ? path : servedPath,
                );
                expect(code, `${content}\n${output}`).toBe(0);
                shown += output;
            } else
                expect(info, 'a fence that neither is a file nor runs needs a reason').toMatch(
                    /^sh no-run=\S+$/,
                );
        }
        const wanted = SHOWN[page];
        expect(wanted, `${page} has no line in SHOWN`).toBeDefined();
        for (const pattern of wanted ?? []) expect(shown).toMatch(pattern);
    });

    it('runs every command that a table of pages offers in place of earlier ones', () => {
        const text = readFileSync(join(DOCS, 'how-to/coming-from-the-earlier-scripts.md'), 'utf8');
        const fenced = new Set(
            fencesOf(text)
                .filter(({ info }) => info.startsWith('sh'))
                .flatMap((fence) => fence.text.split('\n')),
        );
        const offered = Array.from(text.matchAll(/^\|.*\| `(resume-run [^`]+)` \|$/gm), ([, line]) => line);
        expect(offered.length).toBeGreaterThan(10);
        for (const line of offered) expect(fenced).toContain(line);
    });

    it('links to nothing that is not there', () => {
        for (const page of pages) {
            const folder = resolve(DOCS, page, '..');
            const links = readFileSync(join(DOCS, page), 'utf8').matchAll(/\]\(([^)#:]+)(?:#[^)]*)?\)/g);
            for (const [, link = ''] of links) {
                const target = resolve(folder, link);
                expect(readdirSync(resolve(target, '..')), `${page} links to ${link}`).toContain(
                    target.split('/').at(-1),
                );
            }
        }
    });
});
