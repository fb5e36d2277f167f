import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, it, onTestFinished, vi } from 'vitest';
import { readGeneration } from '../../src/results/store/read-generation.js';
import { killGroup, startCli, tempDir } from '../rig/cli.js';
import { callCli } from '../rig/in-process.js';
import { LONG, sampled } from '../rig/long.js';
import { findPythonReaders } from '../rig/python.js';
import { patience, SOON } from '../rig/slowness.js';
import { STORAGE_FORMATS } from '../../src/results/result-store.js';

/** For each codec. */
const ROUNDS = LONG ? 15 : 1;
const WRITERS = LONG ? 50 : 3;
/** Milliseconds between the results of a writer, chosen so that one collector keeps up with all writers. */
const PAUSE = 20 * WRITERS;

const PYTHON = findPythonReaders();
const READER = join(import.meta.dirname, '../rig/read-generations.py');
const SPOOLER = join(import.meta.dirname, '../rig/spool-results.mjs');

/** Counts how often each task occurs in the generation that readers see now; null if there is no database yet. */
async function readTasks(database: string): Promise<Map<string, number> | null> {
    if (!existsSync(join(database, 'manifest.json'))) return null;
    const tasks = new Map<string, number>();
    for await (const records of await (await readGeneration(database)).records())
        for (const { sample } of records) tasks.set(sample, (tasks.get(sample) ?? 0) + 1);
    return tasks;
}

function startSpooler(cwd: string, name: string, durable: Set<string>): ChildProcess {
    const child = spawn(process.execPath, [SPOOLER, join(cwd, 'temp_results'), name, String(PAUSE)], {
        stdio: ['ignore', 'pipe', 'inherit'],
        detached: true,
    });
    let rest = '';
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
        const lines = (rest + text).split('\n');
        rest = lines.pop() ?? '';
        for (const line of lines) durable.add(line);
    });
    onTestFinished(() => killGroup(child));
    return child;
}

/** A reader in another program, running in a loop. It ends by itself only with an error. */
class Reader {
    /** Generations seen: number of records, and number of distinct samples. */
    readonly seen: (readonly [number, number])[] = [];
    #errors = '';
    readonly #child: ChildProcess;

    constructor(
        python: string,
        database: string,
        readonly name: 'pandas' | 'duckdb',
    ) {
        this.#child = spawn(python, [READER, database, name], {
            stdio: ['ignore', 'pipe', 'pipe'],
            detached: true,
        });
        this.#child.stderr?.setEncoding('utf8').on('data', (text: string) => {
            this.#errors += text;
        });
        const lines = createInterface({ input: this.#child.stdout ?? process.stdin });
        lines.on('line', (line) => {
            const [records = Number.NaN, samples = Number.NaN] = line.split(' ').map(Number);
            this.seen.push([records, samples]);
        });
        onTestFinished(() => killGroup(this.#child));
    }

    /** Ends it once it has seen a generation. All generations must have been complete and none smaller than an earlier one. */
    async finish(): Promise<void> {
        await vi.waitUntil(() => this.seen.length > 0 || this.#child.exitCode !== null, SOON);
        expect(this.#errors, this.name).toBe('');
        killGroup(this.#child);
        const counts = this.seen.map(([records]) => records);
        expect(this.seen.filter(([records, samples]) => records !== samples)).toEqual([]);
        expect(counts).toEqual(counts.toSorted((a, b) => a - b));
    }
}

it.each(sampled(STORAGE_FORMATS, 1))(
    `holds each durable result once, as %s, after ${ROUNDS} rounds of kill -9 to ${WRITERS} writers, the collector and compactions`,
    async (storage) => {
        const cwd = tempDir();
        const database = join(cwd, 'database');
        const durable = new Set<string>();
        const over = new AbortController();
        let generations = 0;
        const reading = (async () => {
            for (let before = 0; !over.signal.aborted; ) {
                const tasks = await readTasks(database);
                if (tasks !== null) {
                    expect([...tasks.values()].filter((count) => count !== 1)).toEqual([]);
                    expect(tasks.size).toBeGreaterThanOrEqual(before);
                    before = tasks.size;
                    generations += 1;
                }
                await sleep(20);
            }
        })();
        // Reported by the `await` below; until then a failed reader must not end the process.
        reading.catch(() => undefined);
        const readers =
            PYTHON === null
                ? []
                : (['pandas', 'duckdb'] as const).map((name) => new Reader(PYTHON, database, name));
        for (let round = 0; round < ROUNDS; round += 1) {
            const spoolers = Array.from({ length: WRITERS }, (_, at) =>
                startSpooler(cwd, `${round}-${at}`, durable),
            );
            const collector = startCli(['collect', '--watch', '--json', '--storage', storage], { cwd });
            // Both sides are at work by then, so start-up time does not matter.
            const enough = durable.size + 3 * WRITERS;
            await once(collector.child.stdout ?? process.stdin, 'data');
            await vi.waitUntil(() => durable.size >= enough, SOON);
            await sleep(Math.random() * 500);
            killGroup(collector.child);
            await collector.result;
            const compaction = startCli(['database', 'compact'], { cwd });
            await sleep(Math.random() * 900);
            killGroup(compaction.child);
            await compaction.result;
            for (const spooler of spoolers) killGroup(spooler);
        }
        const last = await callCli(['collect', '--json'], { cwd });
        expect([last.code, last.stderr]).toEqual([0, '']);
        over.abort();
        await reading;
        for (const reader of readers) await reader.finish();
        const tasks = (await readTasks(database)) ?? new Map<string, number>();
        expect(durable.size).toBeGreaterThan(ROUNDS);
        expect(generations).toBeGreaterThan(0);
        expect([...durable].filter((id) => tasks.get(id) !== 1)).toEqual([]);
        expect([...tasks.values()].every((count) => count === 1)).toBe(true);
        const tree = JSON.parse(readFileSync(join(database, 'master_database.json'), 'utf8')) as {
            readonly summary: { readonly total_tests: number };
        };
        expect(tree.summary.total_tests).toBe(tasks.size);
    },
    LONG ? 3_600_000 : patience(60_000),
);
