import { once } from 'node:events';
import { writeFile } from 'node:fs/promises';
import { Agent } from 'node:http';
import { join } from 'node:path';
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
import { FINISHED, LATENCY, post, startServers } from './endpoints.js';

const WIDTHS = [1, 2, 4, 8];
const TESTS = 20;

/**
 * Requests per second to one sandbox server at several levels of concurrency, compared with a bare loop over node:http to the
 * same server. BENCH_SANDBOX_FUSION gives the port of a real SandboxFusion on loopback.
 */
export const widths: Measurement = {
    key: 'w',
    about: 'one sandbox server, 1, 2, 4 and 8 requests at once; against a bare loop over node:http to the same server',
    measure: measureWidths,
};

const realPort = process.env['BENCH_SANDBOX_FUSION'];

async function measureWidths(bench: Bench): Promise<readonly Figure[]> {
    if (realPort !== undefined) return measureServer(bench, Number(realPort), 3, 'a real SandboxFusion');
    const servers = await startServers(bench.folder, { count: 1, latency: LATENCY, body: FINISHED });
    try {
        const [line] = (await once(servers.stdout as NodeJS.ReadableStream, 'data')) as [Buffer];
        const [port = 0] = JSON.parse(line.toString()) as readonly number[];
        return await measureServer(bench, port, 40, 'a server that answers after 20 ms');
    } finally {
        servers.stdin?.end();
    }
}

/** @param submissions per place, with 20 tests each; enough that a start and its examination of the server carry little weight */
async function measureServer(
    bench: Bench,
    port: number,
    submissions: number,
    what: string,
): Promise<readonly Figure[]> {
    const figures: Figure[] = [];
    for (const width of WIDTHS) {
        const count = Math.max(1, Math.round(submissions * bench.scale)) * width;
        const { product, bare } = await interleaved<'product' | 'bare', number>(bench.repetitions, {
            product: (round) => judge(bench, port, { width, count, round }),
            bare: () => bareLoop(port, width, count * TESTS),
        });
        const [ours, theirs] = [median(product), median(bare)];
        figures.push({
            what: `${what}, ${width} at once`,
            product: `${grouped(ours)} requests/s`,
            baseline: `${grouped(theirs)} requests/s, a bare loop`,
            ratio: `${percent(ours / theirs)} of the loop`,
            goal: '>= 80 %',
            met: ours >= 0.8 * theirs,
            headline: false,
        });
    }
    return figures;
}

/** @returns requests per second, from the start of the process to its end */
async function judge(
    { folder, stopwatch }: Bench,
    port: number,
    { width, count, round }: { readonly width: number; readonly count: number; readonly round: number },
): Promise<number> {
    const name = `w${width}-${round}`;
    const dataset = await writeProblem(folder, {
        id: name,
        tests: TESTS,
        submissions: count,
        language: 'python3',
        source: (number) => `print("hello")  # ${number}\n`,
        answer: 'hello\n',
    });
    const config = join(folder, `${name}.json`);
    const endpoint = [{ url: `http://127.0.0.1:${port}`, concurrency: width }];
    await writeFile(config, JSON.stringify({ executor: 'sandbox-fusion', endpoint }));
    const args = [dataset, '--config', config, '--dir', `results-${name}`, '-q'];
    const { wall } = await stopwatch.resumeRun([...args, '--endpoint-limits', 'fixed'], { cwd: folder });
    return (count * TESTS) / wall;
}

async function bareLoop(port: number, width: number, requests: number): Promise<number> {
    const agent = new Agent({ keepAlive: true });
    const body = JSON.stringify({
        language: 'python',
        code: 'print("hello")\n',
        stdin: '1\n',
        run_timeout: 20,
    });
    const started = performance.now();
    let next = 0;
    const place = async (): Promise<void> => {
        while (next < requests) {
            next += 1;
            await post(agent, port, body);
        }
    };
    await Promise.all(Array.from({ length: width }, place));
    agent.destroy();
    return (requests * 1000) / (performance.now() - started);
}
