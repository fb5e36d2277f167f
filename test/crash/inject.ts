import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { type CliResult, killGroup } from '../rig/cli.js';
import type { RunOptions } from './scene.js';
import { patience } from '../rig/slowness.js';

/** Calls that change files, or are needed for that. `?`: not available on every processor. */
const CALLS = [
    'openat',
    'write',
    'pwrite64',
    'writev',
    'pwritev',
    'fsync',
    'fdatasync',
    'close',
    'rename',
    'renameat',
    'renameat2',
    'link',
    'linkat',
    'unlink',
    'unlinkat',
    'mkdir',
    'mkdirat',
    'ftruncate',
    'fallocate',
    'copy_file_range',
    'sendfile',
];

/**
 * Threads that make calls on our files: the single pool thread and the main thread. The call counts of one of them at a time are
 * raised above those of every other thread (see shift-calls.mjs); `traceCalls` leaves out calls whose
 * count another thread reaches.
 */
const SHIFTS = { pool: 250, main: 1000 } as const;
type Led = keyof typeof SHIFTS;

/** How long a run with a fault may take. */
const PATIENCE_MS = patience(30_000);

const SHIFT_MODULE = pathToFileURL(join(import.meta.dirname, 'shift-calls.mjs')).href;

/** One call on our files: the `n`-th of its kind in its thread when the counts of that thread are raised. */
export interface CallSite {
    readonly led: Led;
    readonly call: string;
    readonly n: number;
    /** As strace wrote it, without what differs between runs. */
    readonly text: string;
}

/** What happens at a call: the process is killed just before it, or the call fails. */
export type Injection = 'KILL' | { readonly error: string; readonly from: boolean };

/** The target of fault injection: starts the program in a folder. */
export interface Subject<Record extends CliResult = CliResult> {
    readonly home: string;
    /** Folders below `home` that contain our files. */
    readonly folders: readonly string[];
    /** Options that keep every call on our files in one thread. */
    readonly oneThread: readonly string[];
    run(options: RunOptions): Promise<Record>;
    /** Runs it, and fails unless the run succeeds. */
    finish(options: RunOptions): Promise<unknown>;
    /** Adds a line to the report of a failed test. */
    tell(line: string): void;
}

/** Why faults cannot be injected here; null if they can. */
export function whyNoInjection(): string | null {
    const { status, error } = spawnSync('strace', [
        '-f',
        '-o',
        '/dev/null',
        '-e',
        'inject=fsync:error=EIO',
        'true',
    ]);
    if (error !== undefined) return 'there is no strace';
    return status === 0 ? null : 'strace may not trace here';
}

/** Runs under strace, undisturbed, once for each thread, and lists the calls on our files. */
export async function traceCalls(makeScene: () => Subject): Promise<CallSite[]> {
    const sites: CallSite[] = [];
    for (const led of ['pool', 'main'] as const) sites.push(...(await traceThread(makeScene(), led)));
    return sites;
}

/** The calls on our files in the thread whose counts are raised. */
async function traceThread(scene: Subject, led: Led): Promise<CallSite[]> {
    const trace = join(scene.home, 'trace');
    await scene.finish({ ...traced(scene, led, trace, []), what: `traced, ${led}` });
    const counts = new Map<string, number>();
    const found: { readonly thread: string; readonly site: CallSite }[] = [];
    let main: string | null = null;
    for (const line of readFileSync(trace, 'utf8').split('\n')) {
        const [, thread, call, rest] = /^(\d+) +([a-z0-9_]+)\((.*)$/.exec(line) ?? [];
        if (thread === undefined || call === undefined || rest === undefined) continue;
        main ??= thread;
        const n = (counts.get(`${thread} ${call}`) ?? 0) + 1;
        counts.set(`${thread} ${call}`, n);
        if (touchesOurs(scene, rest))
            found.push({ thread, site: { led, call, n, text: `${call}(${plain(scene, rest)}` } });
    }
    const isLed = (thread: string): boolean => (thread === main) === (led === 'main');
    // If another thread reaches the same count, the fault would hit that thread too.
    const isReached = (site: CallSite, own: string): boolean =>
        [...counts].some(([key, n]) => {
            const [thread, call] = key.split(' ');
            return call === site.call && thread !== own && n >= site.n;
        });
    return found
        .filter(({ thread, site }) => isLed(thread) && !isReached(site, thread))
        .map(({ site }) => site);
}

/** Runs with a fault at one call. `hit` is what strace saw there; null if the run never reached it. */
export async function runInjected<Record extends CliResult>(
    scene: Subject<Record>,
    site: CallSite,
    injection: Injection,
): Promise<{ readonly record: Record; readonly hit: string | null }> {
    const trace = join(scene.home, 'trace');
    const fault =
        injection === 'KILL'
            ? `signal=KILL:when=${site.n}`
            : `error=${injection.error}:when=${site.n}${injection.from ? '+' : ''}`;
    const record = await scene.run({
        ...traced(scene, site.led, trace, ['-e', `inject=${site.call}:${fault}`]),
        meanwhile: (cli) => {
            // A fault that hits Node itself may make it hang, which is outside our guarantees.
            const timer = setTimeout(() => killGroup(cli.child), PATIENCE_MS);
            cli.child.once('close', () => clearTimeout(timer));
        },
        what: `${site.call} ${fault}, when traced: ${site.text}`,
    });
    const lines = readFileSync(trace, 'utf8').split('\n');
    const hit =
        injection === 'KILL'
            ? record.signal === 'SIGKILL'
                ? (lines.filter((line) => line.includes(` ${site.call}(`)).at(-1) ?? '')
                : null
            : (lines.find((line) => line.includes('(INJECTED)')) ?? null);
    scene.tell(`  the call: ${hit === null ? 'not reached' : plain(scene, hit)}`);
    return { record, hit };
}

/**
 * The option that stops the program only at traced calls, where a process may filter its calls. A call stopped this way can be
 * made to fail, but it cannot inject a signal: strace reports nothing, and nothing is killed.
 */
const FILTERED = spawnSync('strace', [
    '-f',
    '--seccomp-bpf',
    '-qq',
    '-o',
    '/dev/null',
    '-e',
    'trace=fsync',
    'true',
]);
const FILTER = FILTERED.status === 0 && FILTERED.stderr.length === 0 ? ['--seccomp-bpf'] : [];

function traced(scene: Subject, led: Led, trace: string, inject: readonly string[]): RunOptions {
    const calls = CALLS.map((call) => `?${call}`).join(',');
    const filter = inject.some((word) => word.includes(':signal=')) ? [] : FILTER;
    return {
        args: scene.oneThread,
        through: `strace -f -qq -y -s 40 -e trace=${calls}`.split(' ').concat(filter, ['-o', trace], inject),
        env: {
            UV_THREADPOOL_SIZE: '1',
            CRASH_SHIFT: `${SHIFTS[led]} ${led}`,
            NODE_OPTIONS: `--import=${SHIFT_MODULE}`,
        },
    };
}

/** Whether a line of strace concerns one of our files. */
export function touchesOurs(scene: Subject, text: string): boolean {
    return scene.folders.some((folder) => text.includes(`${scene.home}/${folder}`));
}

/** The text without the test's folder and the random parts of names. */
function plain(scene: Subject, text: string): string {
    return text
        .replaceAll(`${scene.home}/`, '')
        .replaceAll(/h[0-9a-f]{12}\.[0-9a-f]{8}\.tmp(\.\d+)?/g, (_name, own) => (own ? '*.tmp.*' : '*.tmp'));
}
