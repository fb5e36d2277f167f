import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { writeFile } from 'node:fs/promises';
import { Agent, request as httpRequest } from 'node:http';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import {
    type Bench,
    type Figure,
    grouped,
    interleaved,
    type Measurement,
    median,
    percent,
} from '../bench.js';
import { writeProblem } from '../datasets.js';

const ENDPOINTS = 64;
/** Milliseconds. */
export const LATENCY = 20;
const TESTS = 20;

/**
 * Throughput over many endpoints with one request at a time each: a whole process, from its start to its last result on disk. The
 * ideal is endpoints / latency. It is shown beside what a bare loop over node:http reaches against the same servers, because a
 * machine that runs both sides may be unable to reach the ideal at all.
 */
export const endpoints: Measurement = {
    key: 'f',
    about: `${ENDPOINTS} sandbox servers that answer after ${LATENCY} ms; against what they could answer at most`,
    measure: measureEndpoints,
};

interface Pace {
    readonly perSecond: number;
    /** CPU milliseconds per request, not counting the servers. */
    readonly cpu: number;
}

async function measureEndpoints(bench: Bench): Promise<readonly Figure[]> {
    const servers = await startServers(bench.folder, { count: ENDPOINTS, latency: LATENCY, body: FINISHED });
    try {
        const [line] = (await once(servers.stdout as NodeJS.ReadableStream, 'data')) as [Buffer];
        const ports = JSON.parse(line.toString()) as readonly number[];
        // A whole number of rounds over the servers, so that none of them idles at the end.
        const problems = Math.max(1, Math.round(128 * bench.scale));
        const requests = problems * ENDPOINTS * TESTS;
        const { product, bare } = await interleaved<'product' | 'bare', Pace>(bench.repetitions, {
            product: (round) => judge(bench, ports, problems, round),
            bare: () => bareLoop(ports, requests),
        });
        return [figureOf(product, bare)];
    } finally {
        servers.stdin?.end();
    }
}

const SERVERS = fileURLToPath(new URL('../../../bench/baseline/answering-servers.c', import.meta.url));

/** What a sandbox server answers for a program that ran successfully. */
export const FINISHED = JSON.stringify({
    status: 'Success',
    message: '',
    compile_result: null,
    run_result: {
        status: 'Finished',
        execution_time: LATENCY / 1000,
        return_code: 0,
        stdout: 'hello\n',
        stderr: '',
    },
    executor_pod_name: null,
    files: {},
});

/**
 * All servers are one small C program, because they share the processors with what is measured. They end with their stdin.
 * @param latency milliseconds before each answer, which is `body`
 */
export async function startServers(
    folder: string,
    { count, latency, body }: { readonly count: number; readonly latency: number; readonly body: string },
): Promise<ChildProcess> {
    const program = join(folder, 'answering-servers');
    await promisify(execFile)('cc', ['-O2', '-Wall', '-Wextra', '-o', program, SERVERS]);
    const head = `HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: ${body.length}\r\n\r\n`;
    const response = join(folder, 'response');
    await writeFile(response, head + body);
    return spawn(program, [String(count), String(latency), response], {
        stdio: ['pipe', 'pipe', 'inherit'],
    });
}

function figureOf(product: readonly Pace[], bare: readonly Pace[]): Figure {
    const ideal = (ENDPOINTS * 1000) / LATENCY;
    const pace = (all: readonly Pace[]): number => median(all.map(({ perSecond }) => perSecond));
    const shown = (all: readonly Pace[]): string =>
        `${grouped(pace(all))} requests/s, ${median(all.map(({ cpu }) => cpu)).toFixed(2)} ms CPU each`;
    return {
        what: `${ENDPOINTS} servers, one request at a time each`,
        product: shown(product),
        baseline: `ideal ${grouped(ideal)}/s; a bare loop over node:http ${shown(bare)}`,
        ratio: `${percent(pace(product) / ideal)} of the ideal`,
        goal: '>= 90 %',
        met: pace(product) >= 0.9 * ideal,
        headline: true,
    };
}

/** One problem per round over the servers, each with as many submissions as there are servers. */
async function judge(bench: Bench, ports: readonly number[], problems: number, round: number): Promise<Pace> {
    const { stopwatch, folder } = bench;
    const datasets: string[] = [];
    for (let problem = 0; problem < problems; problem += 1) {
        const path = await writeProblem(folder, {
            id: `sum-${problem}`,
            tests: TESTS,
            submissions: ENDPOINTS,
            language: 'python3',
            source: (number) => `print(sum(map(int, input().split())))  # ${number}\n`,
            answer: 'hello\n',
        });
        datasets.push(path);
    }
    const list = ports.map((port) => `http://127.0.0.1:${port}`).join(',');
    const args = [...datasets, '--dir', `results-${round}`, '-q', '--executor', 'sandbox-fusion'];
    const timed = await stopwatch.resumeRun([...args, '--endpoint', list, '--endpoint-limits', 'fixed'], {
        cwd: folder,
    });
    const requests = problems * ENDPOINTS * TESTS;
    return { perSecond: requests / timed.wall, cpu: (1000 * timed.cpu) / requests };
}

/** One request after another to each server. */
async function bareLoop(ports: readonly number[], requests: number): Promise<Pace> {
    const agent = new Agent({ keepAlive: true });
    const body = JSON.stringify({ language: 'python', code: 'print("hello")', stdin: '' });
    const started = performance.now();
    const before = process.cpuUsage();
    let next = 0;
    await Promise.all(
        ports.map(async (port) => {
            while (next < requests) {
                next += 1;
                await post(agent, port, body);
            }
        }),
    );
    const wall = (performance.now() - started) / 1000;
    const { user, system } = process.cpuUsage(before);
    agent.destroy();
    return { perSecond: requests / wall, cpu: (user + system) / 1000 / requests };
}

const JSON_BODY = { 'content-type': 'application/json' };

export function post(agent: Agent, port: number, body: string): Promise<void> {
    return new Promise((resolve, reject) => {
        const request = httpRequest(
            { agent, host: '127.0.0.1', port, path: '/run_code', method: 'POST', headers: JSON_BODY },
            (response) => {
                response.resume().once('end', resolve);
            },
        );
        request.once('error', reject).end(body);
    });
}
