import { existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import type { RunEvent } from '../../src/model/event.js';
import { killGroup, readResults, startCli, tempDir } from '../rig/cli.js';
import { random } from './dataset.js';
import { rounds, SEED } from '../rig/long.js';

/** CPU seconds that the programs take, and limits in between; together they determine each verdict. */
const NEEDS = [0, 0.45, 1.1];
const LIMITS = [0.2, 0.75, 4];
const SAMPLES = ['one', 'two'];
const STARTS = 4;

const burn = (seconds: number, answer: string): string =>
    `import time\nwhile time.process_time() < ${seconds}: pass\nprint(${answer})\n`;

/** The last one is wrong under every limit, so a raised limit is no reason to run it again. */
const SOURCES = [...NEEDS.map((seconds) => burn(seconds, 'input()')), burn(0, '"wrong"')];

function expected(index: number, limit: number): string {
    const needs = NEEDS[index];
    if (needs === undefined) return 'WrongAnswer';
    return needs < limit ? 'Accepted' : 'TimeLimitExceeded';
}

interface Entry {
    readonly index: number;
    readonly result: { readonly verdict: string };
    readonly limits: { readonly time: number };
}

/** What the files record, by task; every verdict must be the one that follows from its own limit. */
function readEntries(cwd: string): Map<string, Entry> {
    const entries = new Map<string, Entry>();
    if (!existsSync(join(cwd, 'out'))) return entries;
    for (const [name, file] of readResults(join(cwd, 'out'))) {
        for (const entry of file['solution_result'] as readonly Entry[]) {
            const { index, result, limits } = entry;
            expect([name, index, limits.time, result.verdict]).toEqual([
                name,
                index,
                limits.time,
                expected(index, limits.time),
            ]);
            entries.set(`${name.slice(0, -'.json'.length)} ${index}`, entry);
        }
    }
    return entries;
}

/** Tasks that a start with this limit must run: those without a verdict, and time-outs under a lower limit. */
function dueUnder(limit: number, entries: ReadonlyMap<string, Entry>): string[] {
    const all = SAMPLES.flatMap((sample) => SOURCES.map((_, index) => `${sample} ${index}`));
    return all.filter((task) => {
        const entry = entries.get(task);
        return (
            entry === undefined || (entry.result.verdict === 'TimeLimitExceeded' && entry.limits.time < limit)
        );
    });
}

const tasksOf = (type: RunEvent['type'], stdout: string): string[] =>
    stdout
        .split('\n')
        .filter((line) => line.endsWith('}'))
        .map((line) => JSON.parse(line) as RunEvent)
        .flatMap((event) =>
            event.type === type && 'index' in event ? [`${event.sample} ${event.index}`] : [],
        )
        .sort();

describe('limits that change between starts', () => {
    const seeds = Array.from({ length: rounds(1) }, (_, at) => SEED + at);
    it.each(seeds)(
        'with kills in between: only what the limit decided runs again, and nothing is lost (seed %i)',
        async (seed) => {
            const next = random(seed);
            const cwd = tempDir();
            const rows = SAMPLES.map((id) => ({
                id,
                tests: [{ input: '1\n', output: '1\n' }],
                solutions: SOURCES.map((source) => ({ language: 'python3', source })),
            }));
            writeFileSync(join(cwd, 'data.jsonl'), rows.map((row) => `${JSON.stringify(row)}\n`).join(''));
            const most = LIMITS.at(-1) ?? 0;
            for (let number = 0; number <= STARTS; number += 1) {
                const isLast = number === STARTS;
                const limit = isLast ? most : (LIMITS[Math.floor(next() * LIMITS.length)] ?? most);
                const before = readEntries(cwd);
                const due = dueUnder(limit, before);
                const args = ['data.jsonl', '--dir', 'out', '--json', '-j', '2'];
                const cli = startCli([...args, '--limits', 'flat', '--timeout', String(limit)], { cwd });
                if (!isLast && next() < 0.7) {
                    await Promise.race([sleep(400 + next() * 2500), cli.result]);
                    killGroup(cli.child);
                }
                const { code, stdout, stderr } = await cli.result;
                const story = `start ${number} under ${limit} s: ${code ?? 'killed'} ${stderr}`;
                const [started, finished] = [
                    tasksOf('task-started', stdout),
                    tasksOf('task-finished', stdout),
                ];
                const after = readEntries(cwd);
                expect(due, story).toEqual(expect.arrayContaining(started));
                for (const task of finished) expect(after.get(task)?.limits.time, story).toBe(limit);
                for (const [task, entry] of before) {
                    if (!due.includes(task)) expect(after.get(task), story).toEqual(entry);
                    expect(after.has(task), story).toBe(true);
                }
                if (code === null) continue;
                expect(code, story).toBe(0);
                expect(finished, story).toEqual(due.sort());
            }
            expect([...readEntries(cwd)].map(([task, { result }]) => [task, result.verdict])).toEqual(
                SAMPLES.flatMap((sample) =>
                    SOURCES.map((_, index) => [`${sample} ${index}`, expected(index, most)]),
                ),
            );
        },
        120_000,
    );
});
