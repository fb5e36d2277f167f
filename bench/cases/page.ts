import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { pathToFileURL } from 'node:url';
import { type Browser, chromium, type Page } from 'playwright-core';
import {
    type Bench,
    type Figure,
    grouped,
    interleaved,
    type Measurement,
    median,
    medianRatio,
    megabytes,
    seconds,
    times,
} from '../bench.js';
import { writeModule, writeTasks } from '../datasets.js';
import { CLI } from '../stopwatch.js';
import { say, whereIs } from '../tools.js';

const SAMPLES = 10_000;
const ENTRIES = 50;
const LIVE_TASKS = 20_000;
/** Concurrent tasks, and the milliseconds that each waits: the tasks of a run that takes days leave the processors to others. */
const AT_ONCE = 32;
const TASK_MS = 50;
/** Pixels per turn of the wheel, and the number of turns. */
const WHEEL = 1500;
const TURNS = 100;

/** The page: opening a large one, scrolling, and what watching a run costs the run. */
export const page: Measurement = {
    key: 'p',
    about: 'the page: a large report in one file, and a run that is watched',
    measure: async (bench) => {
        const executablePath =
            process.env['CHROMIUM'] ?? (await whereIs('chromium')) ?? (await whereIs('chromium-browser'));
        if (executablePath === null) {
            say('no figures for the page: there is no Chromium (CHROMIUM names one)');
            return [];
        }
        const browser = await chromium.launch({
            executablePath,
            args: ['--no-sandbox', '--disable-gpu', '--enable-precise-memory-info', '--js-flags=--expose-gc'],
        });
        try {
            return [...(await openLargeFile(bench, browser)), ...(await watchRun(bench, browser))];
        } finally {
            await browser.close();
        }
    },
};

/** Records the durations of long tasks as the browser defines them: over 50 ms without a response. */
const WATCH_LONG_TASKS = `
    globalThis.longTasks = [];
    new PerformanceObserver((list) => longTasks.push(...list.getEntries().map(({ duration }) => duration)))
        .observe({ type: 'longtask', buffered: true });
    globalThis.firstRow = 0;
    new MutationObserver((_, observer) => {
        if (document.querySelector('.table-body [role=row]') === null) return;
        observer.disconnect();
        requestAnimationFrame(() => setTimeout(() => { globalThis.firstRow = performance.now(); }));
    }).observe(document, { childList: true, subtree: true });
`;

async function openLargeFile(
    { stopwatch, folder, repetitions, scale }: Bench,
    browser: Browser,
): Promise<readonly Figure[]> {
    const samples = Math.ceil(SAMPLES * scale);
    await writeJudgedSamples(join(folder, 'judged'), samples);
    const written = await stopwatch.resumeRun(['report', '--dir', 'judged', '--html', 'report.html'], {
        cwd: folder,
    });
    const { size } = await stat(join(folder, 'report.html'));
    const opened: number[] = [];
    const longest: number[] = [];
    for (let round = 0; round < repetitions; round += 1) {
        const tab = await browser.newPage();
        await tab.addInitScript(WATCH_LONG_TASKS);
        await tab.goto(pathToFileURL(join(folder, 'report.html')).href);
        opened.push(await untilFirstRow(tab));
        longest.push(await scroll(tab));
        await tab.close();
    }
    const what = `${grouped(samples)} samples, ${grouped(samples * ENTRIES)} entries`;
    const figure = (name: string, product: string, goal: string, isMet: boolean): Figure => ({
        what: `${what}: ${name}`,
        product,
        baseline: '',
        ratio: '',
        goal,
        met: isMet,
    });
    return [
        figure(
            'size of the file',
            `${megabytes(size)}, written in ${seconds(written.wall)}`,
            '< 30 MB',
            size < 30e6,
        ),
        figure('from the address to the first row', seconds(median(opened)), '< 2 s', median(opened) < 2),
        figure(
            'longest task of the page while it is scrolled',
            `${median(longest).toFixed(0)} ms`,
            'none above 50 ms',
            median(longest) <= 50,
        ),
    ];
}

/** Seconds from the start of navigation until the first row of the first table is drawn. */
async function untilFirstRow(tab: Page): Promise<number> {
    await tab.waitForFunction('globalThis.firstRow > 0', null, { timeout: 120_000 });
    return (await tab.evaluate<number>('globalThis.firstRow')) / 1000;
}

/** @returns milliseconds of the longest task; 0 if none exceeded 50 */
async function scroll(tab: Page): Promise<number> {
    await tab.locator('.table-body').first().hover();
    await tab.evaluate('globalThis.longTasks.length = 0');
    for (let turn = 0; turn < TURNS; turn += 1) {
        await tab.mouse.wheel(0, WHEEL);
        await tab.waitForTimeout(16);
    }
    return await tab.evaluate<number>('Math.max(0, ...globalThis.longTasks)');
}

/** Writes program results as a run does, some with their output. */
async function writeJudgedSamples(dir: string, samples: number): Promise<void> {
    await mkdir(dir, { recursive: true });
    for (let sample = 0; sample < samples; sample += 1) {
        const right = Array.from({ length: ENTRIES / 2 }, (_, at) => makeEntry(sample, at, 'solution'));
        const wrong = Array.from({ length: ENTRIES / 2 }, (_, at) =>
            makeEntry(sample, at, 'incorrect_solution'),
        );
        const file = {
            id: `problem-${sample}`,
            solution_result: right,
            incorrect_solution_result: wrong,
            api_used: 'local',
            worker_id: 'thread-1',
            progress: {
                completed_solutions: right.length,
                total_solutions: right.length,
                completed_incorrect_solutions: wrong.length,
                total_incorrect_solutions: wrong.length,
                is_complete: true,
            },
        };
        await writeFile(join(dir, `problem-${sample}.json`), JSON.stringify(file));
    }
}

function makeEntry(sample: number, index: number, group: string): object {
    const number = sample * ENTRIES + index;
    const isAccepted = (group === 'solution') === (number % 17 !== 0);
    const verdict = isAccepted ? 'Accepted' : (VERDICTS[number % VERDICTS.length] ?? 'WrongAnswer');
    const time = ((number * 7919) % 2000) / 1000;
    const run = {
        status: 'Finished',
        execution_time: time,
        return_code: 0,
        stdout: `${number}\n`,
        stderr: '',
    };
    const test = { passed: isAccepted, verdict, cpu_time: time, wall_time: time, memory: 9e6 + number * 16 };
    return {
        index,
        language: number % 3 === 0 ? 'CPP' : 'PYTHON3',
        solution: `# ${number}\nn = int(input())\nprint(sum(range(n)) + ${number % 1000})\n`,
        result: {
            accepted: isAccepted,
            verdict,
            tests: [{ ...test, exec_info: { status: isAccepted ? 'Success' : 'Failed', run_result: run } }],
        },
        limits: { time: 2, memory: 268_435_456, output: 67_108_864 },
        attempts: [
            {
                attempt: 1,
                verdict,
                started_at: new Date(1_764_000_000_000 + number * 10).toISOString(),
                duration: time,
                api_used: 'local',
                worker_id: `thread-${number % 16}`,
            },
        ],
        fingerprint: `v1-sha256-${group}-${number}`,
    };
}

const VERDICTS = ['WrongAnswer', 'WrongAnswer', 'TimeLimitExceeded', 'RuntimeError'];

/** The same run alone, and with a page server and a browser following it. */
async function watchRun(
    { stopwatch, folder, repetitions, scale }: Bench,
    browser: Browser,
): Promise<readonly Figure[]> {
    const tasks = Math.ceil(LIVE_TASKS * scale);
    const dataset = await writeTasks(folder, tasks / 10, 10);
    const source = `export default () => new Promise((end) => setTimeout(end, ${TASK_MS}, { accepted: true }));\n`;
    const module = await writeModule(folder, 'wait', source);
    const args = ['-q', '--executor', 'module', '--module', module, '--mode', 'async', '-j', String(AT_ONCE)];
    const heaps: (readonly [early: number, late: number])[] = [];
    const clean = async (): Promise<void> => {
        for (const name of ['going', 'checkpoints'])
            await rm(join(folder, name), { recursive: true, force: true });
    };
    const run = async (): Promise<number> =>
        (await stopwatch.resumeRun([dataset, '--dir', 'going', ...args], { cwd: folder })).wall;
    const { watched, alone } = await interleaved<'watched' | 'alone', number>(repetitions, {
        alone: async () => {
            await clean();
            return await run();
        },
        watched: async () => {
            await clean();
            const ending = run();
            const view = await startView(folder);
            const tab = await browser.newPage();
            await tab.goto(`${view.address}#/live`);
            const early = await measureHeap(tab);
            const took = await ending;
            heaps.push([early, await measureHeap(tab)]);
            await tab.close();
            view.child.kill('SIGTERM');
            await once(view.child, 'exit');
            return took;
        },
    });
    const ratio = medianRatio(watched, alone, (took) => took);
    const growth = median(heaps.map(([early, late]) => late - early));
    return [
        {
            what: `${grouped(tasks)} tasks of ${TASK_MS} ms, ${AT_ONCE} at once, watched in a browser`,
            product: seconds(median(watched)),
            baseline: `${seconds(median(alone))}, not watched`,
            ratio: `${times(ratio)} the time`,
            goal: '< 1.02 x',
            met: ratio < 1.02,
        },
        {
            what: "the page's memory from the first look to the last",
            product: `${megabytes(median(heaps.map(([early]) => early)))} to ${megabytes(median(heaps.map(([, late]) => late)))}`,
            baseline: '',
            ratio: '',
            goal: 'flat (+ 5 MB)',
            met: growth < 5e6,
        },
    ];
}

/** Waits until the page shows progress. @returns bytes of the page's heap after garbage collection */
async function measureHeap(tab: Page): Promise<number> {
    await tab.locator('main').waitFor();
    await tab.waitForTimeout(2000);
    return await tab.evaluate<number>('(gc(), performance.memory.usedJSHeapSize)');
}

/** Starts `view` once the run has created its directory. */
async function startView(folder: string): Promise<{ child: ChildProcess; address: string }> {
    while ((await stat(join(folder, 'going')).catch(() => null)) === null)
        await new Promise((resolve) => setTimeout(resolve, 50));
    const child = spawn(process.execPath, [CLI, 'view', 'going', '--port', '0'], {
        cwd: folder,
        stdio: ['ignore', 'ignore', 'pipe'],
    });
    for await (const line of createInterface({ input: child.stderr })) {
        const address = /http:\S+/.exec(line)?.[0];
        if (address !== undefined) return { child, address };
    }
    throw new Error('resume-run view ended before it said where it listens');
}
