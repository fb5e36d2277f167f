import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type * as Library from '../src/index.js';
import { EventQueue } from '../src/compose/event-queue.js';
import { JsonLinesReporter } from '../src/report/live/json-lines.js';
import type { RunEvent } from '../src/model/event.js';
import { tempDir } from './rig/cli.js';
import { callCli } from './rig/in-process.js';

/*
 * Functions and rows of a program that uses the library.
 */
const { open, readResults, UserError } = (await import(
    join(import.meta.dirname, '../dist/index.js')
)) as typeof Library;

interface Page {
    readonly name: string;
    readonly words: number;
}

const PAGES: readonly Page[] = [
    { name: 'cover', words: 40 },
    { name: 'intro', words: 120 },
    { name: 'end', words: 80 },
];

async function* later(pages: readonly Page[]): AsyncGenerator<Page> {
    for (const page of pages) {
        await new Promise((resolve) => setImmediate(resolve));
        yield page;
    }
}

describe('a function of the program over its rows', () => {
    it('runs each row once, resumes by what rows hold, and tells of results', async () => {
        const dir = join(tempDir(), 'results');
        const calls: string[] = [];
        const settings = (datasets: Iterable<Page> | AsyncIterable<Page>, fails = '') => ({
            datasets,
            dir,
            retries: 0,
            concurrency: 2,
            task: async (page: Page, { id, group, index, attempt, inputText, log }: Library.TaskContext) => {
                calls.push(page.name);
                log(`${id} ${group} ${index}`);
                if (page.name === fails) throw new Error('no such page');
                return { double: page.words * 2, attempt, inputText };
            },
        });
        const first = await open(settings(later(PAGES), 'intro'));
        expect(first.plan.part).toMatchObject({ tasks: 3, due: 3 });
        const results: unknown[] = [];
        for await (const event of first.events())
            if (event.type === 'task-finished') results.push(event.result);
        expect(results).toContainEqual({
            double: 80,
            attempt: 1,
            inputText: '{"name":"cover","words":40}',
            accepted: true,
            verdict: 'Accepted',
        });
        expect(await first.finished).toMatchObject({ committed: 2, failed: 1 });
        expect(calls.sort()).toEqual(['cover', 'end', 'intro']);

        // An array in another order and with one more row: runs what failed and what is new.
        const second = await open(settings([{ name: 'index', words: 9 }, ...PAGES.toReversed()]));
        expect(await second.finished).toMatchObject({ committed: 2, failed: 0 });
        expect(calls.slice(3).sort()).toEqual(['index', 'intro']);
        const stored: unknown[] = [];
        for await (const { entry } of readResults(dir)) stored.push(entry.row);
        expect(stored).toHaveLength(4);

        // Without datasets it uses the rows of the last start. Another task name means other tasks.
        const { datasets: _, ...rest } = settings([]);
        const same = await open({ dir, task: () => ({}) });
        expect(same.plan.part.due).toBe(0);
        await same.close();
        const renamed = await open({ ...rest, taskName: 'other', task: () => ({}) });
        expect(renamed.plan.part.due).toBe(4);
        await renamed.close();

        // The command line knows the directory but does not have the function.
        const cwd = join(dir, '..');
        expect((await callCli(['status'], { cwd })).stdout).toContain('4 of 4 done in main');
        const bare = await callCli(['--rerun', 'all'], { cwd });
        expect(bare.code).toBe(2);
        expect(bare.stderr).toContain('run by a function of a program');
    });

    it.each([
        [
            'datasets',
            { datasets: 'pages.jsonl' },
            /^datasets: expected a list of files, or rows .*got "pages.jsonl"$/,
        ],
        [
            'a row',
            { datasets: [{ a: 1 }, 'x'], task: () => ({}) },
            /^datasets: expected row 1 to be an object, got a string$/,
        ],
        [
            'a bigint',
            { datasets: [{ a: 1n }], task: () => ({}) },
            /^datasets: row 0 cannot be written as JSON: .*BigInt/,
        ],
        ['task', { datasets: [{ a: 1 }], task: 'x' }, /^task: expected a function, got "x"$/],
        ['no task', { datasets: [{ a: 1 }], executor: 'function' }, /^task: expected the function/],
        [
            'executor',
            { datasets: [{ a: 1 }], executor: 'exec', task: () => ({}) },
            /^executor: "exec" does not call `task`/,
        ],
        ['signal', { signal: 5 }, /^signal: expected an AbortSignal, got a value of type number$/],
        ['command', { executor: 'exec', command: 'ls' }, /^command: expected a list of words, got "ls"$/],
        ['a number', { timeFactor: 'x' }, /^timeFactor: expected a number, such as 2 or 1.5, got 'x'$/],
        ['a choice', { keepOutput: 'some' }, /^keepOutput: expected .*none, failed, all, got 'some'$/],
        ['a list', { only: [] }, /^only needs at least one value$/],
        ['nothing', null, /^open\(\) takes an object of settings, got null$/],
    ])('refuses a wrong setting by its name: %s', async (_, settings, message) => {
        const dir = join(tempDir(), 'results');
        const given = settings === null ? settings : { dir, ...settings };
        // Untyped programs can pass anything.
        const opening = open(given as Library.OpenSettings);
        await expect(opening).rejects.toThrow(message);
        await expect(opening).rejects.toBeInstanceOf(UserError);
    });

    it('passes on what the rows themselves throw, and holds nothing then', async () => {
        const dir = join(tempDir(), 'results');
        async function* broken(): AsyncGenerator<Page> {
            yield* PAGES;
            throw new RangeError('the cursor is gone');
        }
        await expect(open({ datasets: broken(), dir, task: () => ({}) })).rejects.toThrow(RangeError);
        const run = await open({ datasets: PAGES, dir, task: () => ({ ok: true }) });
        expect((await run.finished).committed).toBe(3);
    });
});

describe('results in events', () => {
    const finished = (bytes: number): RunEvent => ({
        type: 'task-finished',
        at: '2026-11-29T00:00:00.000Z',
        sample: 's',
        group: 'main',
        index: 0,
        attempt: 1,
        workerId: 'async-1',
        verdict: 'Accepted',
        accepted: true,
        unexpected: false,
        nearLimit: false,
        by: {
            attempt: 1,
            verdict: 'Accepted',
            started_at: '2026-11-29T00:00:00.000Z',
            duration: 1,
            api_used: 'local',
            worker_id: 'async-1',
        },
        // `{"a":"..."}`
        result: { a: 'x'.repeat(bytes - 8) },
    });

    it('are left out of --json above 64 KiB, with their size', () => {
        const lines: string[] = [];
        const sink = { write: (text: string) => void lines.push(text), columns: 80, isTTY: false };
        const reporter = new JsonLinesReporter(sink);
        for (const bytes of [65_536, 65_537]) reporter.onEvent(finished(bytes));
        const [whole, cut] = lines.map((line) => JSON.parse(line));
        expect(whole.result.a).toHaveLength(65_528);
        expect(whole.resultBytes).toBeUndefined();
        expect(cut).toMatchObject({ result: null, resultBytes: 65_537 });
    });

    it('do not fill the memory of a program that reads slowly', async () => {
        const queue = new EventQueue();
        for (let i = 0; i < 200; i += 1) queue.push(finished(1024 * 1024));
        queue.end();
        let whole = 0;
        let events = 0;
        for await (const event of queue) {
            events += 1;
            if (event.type === 'task-finished' && event.result !== null) whole += 1;
        }
        expect(events).toBe(200);
        expect(whole).toBe(16 + 64);
    });
});
