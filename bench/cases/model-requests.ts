import { once } from 'node:events';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import {
    type Bench,
    type Figure,
    grouped,
    interleaved,
    type Measurement,
    median,
    medianRatio,
    megabytes,
    percent,
    perSecond,
} from '../bench.js';
import type { Timed } from '../stopwatch.js';
import { startServers } from './endpoints.js';

const REQUESTS = 20_000;
const AT_ONCE = 256;
/** Milliseconds. */
const LATENCY = 50;
/** Limit for a run's resident memory, in bytes. */
const MOST_MEMORY = 300e6;

/**
 * Many concurrent requests to a language model: a whole process, from its start to its last answer on disk, against a process
 * that only makes the same requests by undici.
 */
export const modelRequests: Measurement = {
    key: 'm',
    about: `requests to a language model that answers after ${LATENCY} ms, ${AT_ONCE} at once; against a bare loop over undici`,
    measure: measureRequests,
};

/** What a service answers, including the usage that costs are computed from. */
const COMPLETION = JSON.stringify({
    id: 'chatcmpl-1',
    object: 'chat.completion',
    created: 1_764_000_000,
    model: 'm-2026-11-01',
    choices: [
        {
            index: 0,
            finish_reason: 'stop',
            message: { role: 'assistant', content: 'An answer of some words.' },
        },
    ],
    usage: { prompt_tokens: 9, completion_tokens: 6, total_tokens: 15 },
});

const LOOP = fileURLToPath(new URL('../baseline/undici-loop.js', import.meta.url));

async function measureRequests(bench: Bench): Promise<readonly Figure[]> {
    const server = await startServers(bench.folder, { count: 1, latency: LATENCY, body: COMPLETION });
    try {
        const [line] = (await once(server.stdout as NodeJS.ReadableStream, 'data')) as [Buffer];
        const [port = 0] = JSON.parse(line.toString()) as readonly number[];
        const url = `http://127.0.0.1:${port}/v1`;
        const requests = Math.max(AT_ONCE, Math.round(REQUESTS * bench.scale));
        const half = Math.ceil(requests / 2);
        const sides = await interleaved<'product' | 'bare' | 'half', Timed>(bench.repetitions, {
            product: (round) => ask(bench, url, requests, round),
            bare: () => askBare(bench, url, requests),
            half: (round) => ask(bench, url, half, round),
        });
        return [
            compareThroughput(requests, sides.product, sides.bare),
            compareMemory({ requests, half }, sides.product, sides.half),
        ];
    } finally {
        server.stdin?.end();
    }
}

function compareThroughput(requests: number, product: readonly Timed[], bare: readonly Timed[]): Figure {
    const ideal = (AT_ONCE * 1000) / LATENCY;
    const wall = (all: readonly Timed[]): number => median(all.map((timed) => timed.wall));
    const shown = (all: readonly Timed[]): string => {
        const cpu = median(all.map((timed) => (1000 * timed.cpu) / requests));
        return `${perSecond(requests, wall(all))}, ${cpu.toFixed(2)} ms CPU each`;
    };
    const ratio = medianRatio(bare, product, (timed) => timed.wall);
    const ofIdeal = (all: readonly Timed[]): string => percent(requests / wall(all) / ideal);
    return {
        what: `${grouped(requests)} requests, ${AT_ONCE} at once`,
        product: `${shown(product)} (${ofIdeal(product)} of the ideal ${grouped(ideal)}/s)`,
        baseline: `${shown(bare)} (${ofIdeal(bare)}), a bare loop over undici`,
        ratio: `${percent(ratio)} of the loop`,
        goal: '>= 85 %',
        met: ratio >= 0.85,
        headline: true,
    };
}

function compareMemory(
    { requests, half }: { readonly requests: number; readonly half: number },
    product: readonly Timed[],
    halves: readonly Timed[],
): Figure {
    const peak = (all: readonly Timed[]): number => median(all.map((timed) => timed.peak));
    const growth = peak(product) / peak(halves);
    return {
        what: `most memory, ${grouped(requests)} requests`,
        product: megabytes(peak(product)),
        baseline: `${megabytes(peak(halves))}, ${grouped(half)} requests`,
        ratio: `${percent(growth)} of that for half as many`,
        goal: '< 300 MB, flat',
        met: peak(product) < MOST_MEMORY && growth < 1.25,
    };
}

async function ask(
    { stopwatch, folder }: Bench,
    url: string,
    requests: number,
    round: number,
): Promise<Timed> {
    const name = `m-${requests}-${round}`;
    const rows = Array.from(
        { length: requests },
        (_, n) => `${JSON.stringify({ prompt: `question ${n}` })}\n`,
    );
    await writeFile(join(folder, `${name}.jsonl`), rows.join(''));
    const config = {
        executor: 'chat',
        model: 'm',
        'max-tokens': 20,
        endpoint: [{ url, concurrency: AT_ONCE }],
    };
    await writeFile(join(folder, `${name}.json`), JSON.stringify(config));
    const args = [`${name}.jsonl`, '--config', `${name}.json`, '--dir', `results-${name}`, '-q'];
    return stopwatch.resumeRun(args, { cwd: folder });
}

const askBare = ({ stopwatch, folder }: Bench, url: string, requests: number): Promise<Timed> =>
    stopwatch.time({
        argv: [process.execPath, LOOP, url, String(requests), String(AT_ONCE)],
        cwd: folder,
    });
