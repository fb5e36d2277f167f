import { spawnSync } from 'node:child_process';
import { cpSync, existsSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { Entry } from '../../src/model/entry.js';
import type { RunEvent } from '../../src/model/event.js';
import { isJsonObject, type Json } from '../../src/model/json.js';
import { readResults, tempDir } from '../rig/cli.js';
import { callCli } from '../rig/in-process.js';
import { patience } from '../rig/slowness.js';

/*
 * Results directories as the real version 0.1 left them (test/rig/make-golden.mjs), each with some work left. This version
 * completes them: finished tasks do not run again, and their entries stay the same down to the fingerprint.
 */

const DIRECTORIES = join(import.meta.dirname, '../golden/0.1/directories');

interface Left {
    /** Tasks that run, as `sample group index`, with the reason. */
    readonly tasks: Readonly<Record<string, string>>;
    /** Tasks that 0.1 finished and that are not run again. */
    readonly finished: number;
    /** Number that `status` counts as finished before the start, if higher: it does not read the dataset. */
    readonly counted?: number;
    /** Tasks of the whole dataset, except those that cannot run even on a machine with every language. */
    readonly all: number;
}

const LEFT: Readonly<Record<string, Left>> = {
    programs: {
        tasks: {
            'sums/second solution 4': 'new',
            'sums/second solution 5': 'new',
            'sums/second incorrect_solution 0': 'new',
            'sums/second incorrect_solution 1': 'new',
            'sums/second incorrect_solution 2': 'new',
            'sums/second incorrect_solution 3': 'new',
            'sums/last solution 0': 'new',
            'sums/last solution 1': 'new',
            'sums/last solution 2': 'new',
        },
        finished: 12,
        all: 21,
    },
    // What 0.1 skipped: language names that it did not know and private tests that it could not read.
    formats: {
        tasks: {
            'echo solution 0': 'new',
            'echo solution 1': 'new',
            'echo solution 2': 'new',
            'lcb/echo solution 0': 'new',
        },
        finished: 2,
        all: 6,
    },
    exec: {
        tasks: {
            'row/a seed 2': 'failed before',
            'row/c seed 1': 'new',
            'row/c seed 2': 'new',
            'row/c seed 3': 'new',
        },
        finished: 8,
        all: 12,
    },
    module: {
        tasks: {
            'cell/c iteration 0': 'new',
            'cell/c iteration 1': 'new',
            'cell/c iteration 2': 'new',
            'numbers main 0': 'input was rounded',
            'numbers main 3': 'input was rounded',
        },
        finished: 8,
        counted: 10,
        all: 13,
    },
    packages: {
        tasks: { 'double incorrect_solution 1': 'new', 'double incorrect_solution 2': 'new' },
        finished: 5,
        all: 7,
    },
};

/** A copy of a directory in a folder of its own, with an index that vouches for its files as it did where 0.1 wrote it. */
function copyOf(name: string): string {
    const root = tempDir();
    cpSync(join(DIRECTORIES, name), root, { recursive: true });
    const checkpoints = join(root, 'checkpoints/results');
    for (const file of ['run.json', 'index.json', 'archive.json']) {
        const path = join(checkpoints, file);
        if (existsSync(path)) writeFileSync(path, readFileSync(path, 'utf8').replaceAll('@root@', root));
    }
    restamp(join(checkpoints, 'index.json'), join(root, 'results'));
    return root;
}

interface Index {
    readonly datasets: [
        path: string,
        { stamp: [inode: string, size: number, mtime: string]; ids: string[] },
    ][];
    readonly results: { readonly ids: number[]; readonly inodes: string[]; readonly mtimes: string[] };
}

const stampOf = (path: string): { readonly inode: string; readonly mtime: string } => {
    const { ino, mtimeNs } = statSync(path, { bigint: true });
    return { inode: String(ino), mtime: String(mtimeNs) };
};

/** Updates the index with the inodes and times of the copied files. */
function restamp(path: string, results: string): void {
    const index = JSON.parse(readFileSync(path, 'utf8')) as Index;
    for (const [file, known] of index.datasets) {
        if (known.stamp[0].startsWith('package')) continue;
        const { inode, mtime } = stampOf(file);
        known.stamp = [inode, known.stamp[1], mtime];
    }
    const ids = index.datasets.flatMap(([, known]) => known.ids);
    index.results.ids.forEach((id, at) => {
        if (index.results.inodes[at]?.startsWith('archived') === true) return;
        const file = join(results, `${(ids[id] ?? '').replaceAll('/', '_')}.json`);
        const { inode, mtime } = stampOf(file);
        index.results.inodes[at] = inode;
        index.results.mtimes[at] = mtime;
    });
    writeFileSync(path, JSON.stringify(index));
}

/** Languages that the submissions of a directory need; tasks in a missing language are rightly skipped. */
const NEEDS: Readonly<Record<string, readonly string[]>> = {
    programs: ['python3', 'g++'],
    formats: ['python3', 'g++'],
    packages: ['python3'],
};
const isMissing = (command: string): boolean => spawnSync(command, ['--version']).status !== 0;

/** A CompileError is checked again if the compiler version differs from the one that 0.1 used. */
const COMPILE_ERROR = 'sums/first incorrect_solution 1';

type Entries = Readonly<Record<string, Entry>>;

/** Every finished task of a directory, by `sample group fingerprint`. */
function entriesOf(root: string): Entries {
    const entries: Record<string, Entry> = {};
    for (const content of readResults(join(root, 'results')).values()) {
        for (const [key, list] of Object.entries(content)) {
            if (!key.endsWith('_result')) continue;
            for (const entry of list as Entry[]) {
                entries[`${content['id'] as string} ${key.slice(0, -7)} ${entry.fingerprint}`] = entry;
            }
        }
    }
    return entries;
}

const fieldOf = (json: Json | undefined, ...path: string[]): Json | undefined =>
    path.reduce<Json | undefined>((value, key) => (isJsonObject(value) ? value[key] : undefined), json);

describe('a directory that 0.1 began', () => {
    it('is there for every kind of task, with nothing of the machine that made it', () => {
        expect(readdirSync(DIRECTORIES).sort()).toEqual(Object.keys(LEFT).sort());
        for (const name of Object.keys(LEFT)) {
            const run = readFileSync(join(DIRECTORIES, name, 'checkpoints/results/run.json'), 'utf8');
            expect(run).toContain('"resume-run": "0.1.0"');
            expect(run).toContain('"path": "@root@/');
        }
    });

    it.for(Object.entries(LEFT))(
        'is finished by this version: %s',
        { timeout: patience(60_000) },
        async ([name, left], context) => {
            const missing = (NEEDS[name] ?? []).filter(isMissing);
            if (missing.length > 0) {
                console.error(`skipped: ${name}: no ${missing.join(', no ')}`);
                context.skip(`no ${missing.join(', no ')}`);
            }
            const cwd = copyOf(name);
            const before = entriesOf(cwd);
            expect(fieldOf(await printed(cwd, 'status'), 'tasks', 'finished')).toBe(
                left.counted ?? left.finished,
            );
            await expectSound(cwd);

            const run = await callCli(['--json'], { cwd });
            expect(run, run.stderr).toMatchObject({ code: 0 });
            const events = run.stdout
                .split('\n')
                .flatMap((line) => (line === '' ? [] : [JSON.parse(line) as RunEvent]));
            const started = events.flatMap((event) =>
                event.type === 'task-started' ? [`${event.sample} ${event.group} ${event.index}`] : [],
            );
            expect(started.filter((task) => task !== COMPILE_ERROR).sort()).toEqual(
                Object.keys(left.tasks).sort(),
            );
            const reasons: Record<string, number> = {};
            for (const why of Object.values(left.tasks)) reasons[why] = (reasons[why] ?? 0) + 1;
            const begin = events.find((event) => event.type === 'run-started');
            expect(begin?.part).toMatchObject({ finished: left.finished, dueBy: reasons });

            expectKept(before, entriesOf(cwd), left.tasks);
            for (const content of readResults(join(cwd, 'results')).values()) {
                expect(content['progress']).toMatchObject({ is_complete: true });
            }
            const groups = events.find((event) => event.type === 'run-finished')?.end.totals.groups;
            const status = await printed(cwd, 'status');
            expect(fieldOf(status, 'tasks')).toEqual({ finished: left.all, all: left.all, open: 0 });
            expect(fieldOf(status, 'total', 'groups')).toEqual(groups);
            expect(fieldOf(await printed(cwd, 'report'), 'total', 'groups')).toEqual(groups);
            await expectSound(cwd);
            expect((await callCli([], { cwd })).stdout).toContain('Nothing left to do');
        },
    );
});

/** The JSON that a command prints. */
async function printed(cwd: string, command: string): Promise<Json> {
    const result = await callCli([command, '--json'], { cwd });
    expect(result, result.stderr).toMatchObject({ code: 0 });
    return JSON.parse(result.stdout) as Json;
}

async function expectSound(cwd: string): Promise<void> {
    const result = await callCli(['check'], { cwd });
    expect(result).toMatchObject({ code: 0 });
    expect(result.stdout).toContain('nothing wrong');
}

/** Expects every entry unchanged, except those made from rounded numbers, which were replaced. */
function expectKept(before: Entries, after: Entries, ran: Left['tasks']): void {
    for (const [key, entry] of Object.entries(before)) {
        const task = `${key.split(' ', 2).join(' ')} ${entry.index}`;
        if (ran[task] === 'input was rounded') expect(after[key]).toBeUndefined();
        else if (task === COMPILE_ERROR) expect(after[key]?.result['verdict']).toBe('CompileError');
        else expect(after[key]).toEqual(entry);
    }
}
