import { type ChildProcess, spawn } from 'node:child_process';
import { readFile, readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { HELLO_OUTPUT, HELLO_WORLDS } from '../executor/servers/hello.js';
import { openScratch } from '../host/scratch.js';
import type { RunEvent } from '../model/event.js';
import type { Verdict } from '../model/verdict.js';

/*
 * `doctor --self-test`: runs the program itself, as users start it, over tiny datasets in a scratch folder.
 */

/** The outcome of one part of the self-test. */
export interface SelfTestFinding {
    /** A language's tag, or `kill and resume`. */
    readonly name: string;
    readonly state: 'ok' | 'problem';
    readonly detail: string;
}

/** Timeout of one start in milliseconds: the compilers of some languages take ten seconds each. */
const START_TIMEOUT_MS = 180_000;

const PROGRAM = join(fileURLToPath(new URL('../../bin', import.meta.url)), 'resume-run.js');

/**
 * Judges a right and a wrong program in each language, then kills a run halfway and resumes it.
 * @param languages tags of the languages found on this machine
 * @param sandbox `--sandbox`
 */
export async function runSelfTest(
    languages: readonly string[],
    sandbox: string,
): Promise<readonly SelfTestFinding[]> {
    const scratch = await openScratch();
    try {
        const judged = await judgePrograms(languages, sandbox, scratch.path);
        return [...judged, await killAndResume(scratch.path)];
    } finally {
        await scratch.remove();
    }
}

async function judgePrograms(
    languages: readonly string[],
    sandbox: string,
    folder: string,
): Promise<readonly SelfTestFinding[]> {
    const programs = languages.flatMap((tag): { tag: string; source: string }[] => {
        const source = HELLO_WORLDS[tag === 'PYTHON' || tag === 'PYPY3' ? 'PYTHON3' : tag];
        return source === undefined ? [] : [{ tag, source }];
    });
    if (programs.length === 0) return [];
    const rows = programs.map(({ tag, source }) =>
        JSON.stringify({
            id: tag,
            tests: [{ input: '', output: `${HELLO_OUTPUT}\n` }],
            solutions: [{ language: tag, source }],
            incorrect_solutions: [{ language: tag, source: source.replaceAll(HELLO_OUTPUT, 'hullo') }],
        }),
    );
    await writeFile(join(folder, 'programs.jsonl'), `${rows.join('\n')}\n`);
    const args = ['programs.jsonl', '--dir', 'judged', '--sandbox', sandbox, '--retries', '0', '--json'];
    const { output, problem } = await start(args, folder).ended;
    const events = parseEvents(output);
    return programs.map(({ tag }) => ({ name: tag, ...findJudgedAs(tag, events, problem) }));
}

function findJudgedAs(
    tag: string,
    events: readonly RunEvent[],
    problem: string,
): Omit<SelfTestFinding, 'name'> {
    const verdicts: Record<string, Verdict> = {};
    for (const event of events) {
        if (event.type === 'task-failed' && event.sample === tag)
            return { state: 'problem', detail: `${event.failure.reason}: ${event.failure.message}` };
        if (event.type === 'task-finished' && event.sample === tag) verdicts[event.group] = event.verdict;
    }
    const { solution, incorrect_solution: incorrect } = verdicts;
    if (solution === undefined || incorrect === undefined)
        return { state: 'problem', detail: `not judged: ${problem}` };
    if (solution !== 'Accepted')
        return { state: 'problem', detail: `a right program was judged ${solution}` };
    if (incorrect !== 'WrongAnswer')
        return { state: 'problem', detail: `a wrong program was judged ${incorrect}` };
    return { state: 'ok', detail: 'a right program is accepted, a wrong one is not' };
}

/** Rows of the run that is killed; each takes 50 ms. */
const ROWS = 60;

/** Results that must be on disk before the kill. */
const MIN_SAVED = 10;

async function killAndResume(folder: string): Promise<SelfTestFinding> {
    const name = 'kill and resume';
    await writeFile(join(folder, 'rows.txt'), Array.from({ length: ROWS }, (_, i) => `row-${i}\n`).join(''));
    const script = 'sleep 0.05; echo "$0" >> calls';
    const args = [
        'rows.txt',
        '--dir',
        'resumed',
        '--executor',
        'exec',
        '-j',
        '2',
        '--',
        'sh',
        '-c',
        script,
        '{line}',
    ];
    const first = start([...args.slice(0, 3), '--json', ...args.slice(3)], folder);
    const began = performance.now();
    while (first.finished() < MIN_SAVED && !first.hasEnded() && performance.now() - began < START_TIMEOUT_MS)
        await wait(20);
    if (first.hasEnded()) return { name, state: 'problem', detail: (await first.ended).problem };
    first.kill();
    await first.ended;
    const saved = await readSavedRows(join(folder, 'resumed'));
    const { problem, code } = await start([...args.slice(0, 3), '--json', ...args.slice(3)], folder).ended;
    if (code !== 0) return { name, state: 'problem', detail: `the second start did not finish: ${problem}` };
    const all = await readSavedRows(join(folder, 'resumed'));
    const calls = (await readFile(join(folder, 'calls'), 'utf8')).trim().split('\n');
    const repeated = saved.filter((row) => calls.filter((call) => call === row).length !== 1);
    if (all.length !== ROWS || saved.length < MIN_SAVED || repeated.length > 0) {
        const detail = `${all.length} of ${ROWS} rows have a result, ${repeated.length} of ${saved.length} saved ones ran again`;
        return { name, state: 'problem', detail };
    }
    const detail = `killed with ${saved.length} of ${ROWS} rows saved; the same command did the other ${ROWS - saved.length}`;
    return { name, state: 'ok', detail };
}

/** The rows contained in result files. */
async function readSavedRows(dir: string): Promise<string[]> {
    const names = (await readdir(dir)).filter((name) => name.endsWith('.json'));
    const texts = await Promise.all(names.map((name) => readFile(join(dir, name), 'utf8')));
    return texts.flatMap((text) => {
        const { main_result: entries } = JSON.parse(text) as { main_result: { row: { line: string } }[] };
        return entries.map(({ row }) => row.line);
    });
}

interface Started {
    /** Number of tasks that it has reported as finished. */
    finished(): number;
    hasEnded(): boolean;
    /** Kills the run and all that it started, as `kill -9` does. */
    kill(): void;
    readonly ended: Promise<{
        readonly code: number | null;
        readonly output: string;
        readonly problem: string;
    }>;
}

function start(args: readonly string[], cwd: string): Started {
    const { PATH, HOME, TMPDIR } = process.env;
    const env = { PATH, HOME, ...(TMPDIR === undefined ? {} : { TMPDIR }) };
    const child = spawn(process.execPath, [PROGRAM, ...args], {
        cwd,
        env,
        stdio: ['ignore', 'pipe', 'pipe'],
        detached: true,
    });
    let output = '';
    let problem = '';
    const patience = setTimeout(() => {
        problem += `\nit did not finish within ${START_TIMEOUT_MS / 1000} s`;
        killGroup(child);
    }, START_TIMEOUT_MS);
    let hasEnded = false;
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
        output += text;
    });
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
        problem += text;
    });
    const ended = new Promise<{ code: number | null; output: string; problem: string }>((resolve, reject) => {
        child.once('error', reject);
        child.once('close', (code, signal) => {
            clearTimeout(patience);
            hasEnded = true;
            const last = problem.trim().split('\n').at(-1) ?? '';
            resolve({
                code,
                output,
                problem: last === '' ? `it ended with ${signal ?? `code ${code}`}` : last,
            });
        });
    });
    return {
        finished: () => output.split('"type":"task-finished"').length - 1,
        hasEnded: () => hasEnded,
        kill: () => killGroup(child),
        ended,
    };
}

function killGroup({ pid }: ChildProcess): void {
    try {
        if (pid !== undefined) process.kill(-pid, 'SIGKILL');
    } catch {
        // It has already ended by itself.
    }
}

function parseEvents(output: string): readonly RunEvent[] {
    const lines = output.split('\n').filter((line) => line.startsWith('{') && line.endsWith('}'));
    return lines.map((line) => JSON.parse(line) as RunEvent);
}
