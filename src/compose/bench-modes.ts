import { spawn } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Mode } from '../config.js';
import { LocalChatServer } from '../demo/chat-server.js';
import { measureTree } from '../host/process-tree.js';
import { isJsonObject, type Json } from '../model/json.js';
import { UserError } from '../util/user-error.js';

/** The load that each mode gets. */
export interface BenchLoad {
    /** Requests; each task makes one. */
    readonly requests: number;
    /** Tasks at once. */
    readonly concurrency: number;
    /** Milliseconds before the server answers. */
    readonly latency: number;
}

export interface ModeFigures {
    readonly mode: Mode;
    /** Seconds from the first task to the last result on disk, including the start of workers. */
    readonly duration: number;
    /** Requests a second. */
    readonly throughput: number;
    /** CPU seconds of the run and its workers, from the start of the program to its end; null: not measured on this system. */
    readonly cpu: number | null;
    /** Peak memory in bytes of the run and its workers; null: not measured on this system. */
    readonly memory: number | null;
}

export const BENCHED_MODES: readonly Mode[] = ['async', 'thread', 'process'];

/** Path of the command, relative to this file after the build. */
const PROGRAM = join(fileURLToPath(new URL('../../bin/', import.meta.url)), 'resume-run.js');

/** Milliseconds between two measurements of a run's resource usage. */
const LOOK_EVERY = 100;
/** Milliseconds after which a mode counts as stuck. */
const MAX_TIME_MS = 10 * 60_000;

/**
 * Runs the same requests in each mode, one mode after the other, as a separate program against a server in this process.
 * @param onMode called before each mode begins
 * @throws UserError if a run fails
 */
export async function runBenchModes(
    load: BenchLoad,
    onMode: (mode: Mode) => void,
    signal?: AbortSignal,
): Promise<readonly ModeFigures[]> {
    const server = new LocalChatServer(() => ({ latency: load.latency, fault: null, text: 'yes' }));
    await server.start();
    const folder = await mkdtemp(join(tmpdir(), 'resume-run-bench-'));
    try {
        const rows = Array.from({ length: load.requests }, (_, i) => `{"prompt":"question ${i}"}\n`);
        await writeFile(join(folder, 'rows.jsonl'), rows.join(''));
        const figures: ModeFigures[] = [];
        for (const mode of BENCHED_MODES) {
            onMode(mode);
            const before = server.received;
            figures.push(await runMode(mode, load, { folder, url: server.url, signal }));
            const asked = server.received - before;
            if (asked !== load.requests)
                throw new UserError(`mode ${mode}: ${asked} requests came for ${load.requests} tasks`);
        }
        return figures;
    } finally {
        await server.stop();
        await rm(folder, { recursive: true, force: true });
    }
}

interface Place {
    readonly folder: string;
    readonly url: string;
    readonly signal: AbortSignal | undefined;
}

async function runMode(mode: Mode, load: BenchLoad, { folder, url, signal }: Place): Promise<ModeFigures> {
    const words = `run rows.jsonl --executor chat --model bench --endpoint-limits fixed --json --mode ${mode} --dir ${mode}`;
    const args = [...words.split(' '), '--endpoint', url, '-c', String(load.concurrency)];
    // Remove the user's variables that would affect the measurement.
    const env = Object.fromEntries(
        Object.entries(process.env).filter(([name]) => !/^(RESUME_RUN|LANG(SMITH|CHAIN)|OTEL)_/.test(name)),
    );
    const child = spawn(process.execPath, [PROGRAM, ...args], {
        cwd: folder,
        env: { ...env, USE_RESULT_COLLECTOR: 'false' },
        stdio: ['ignore', 'pipe', 'pipe'],
        timeout: MAX_TIME_MS,
        ...(signal === undefined ? {} : { signal }),
    });
    const usage = new Usage(child.pid ?? 0);
    let last = '';
    let said = '';
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
        last = (last + text).slice(-MAX_TAIL_LENGTH);
    });
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
        said = (said + text).slice(-MAX_TAIL_LENGTH);
    });
    const code = await new Promise<number | null>((resolve, reject) => {
        child.once('error', reject);
        child.once('close', resolve);
    }).finally(() => usage.stop());
    const duration = findDuration(last);
    if (code !== 0 || duration === null)
        throw new UserError(`mode ${mode} failed (exit code ${code ?? 'none'}): ${said.trim().slice(-500)}`);
    return { mode, duration, throughput: load.requests / duration, ...usage.figures() };
}

/** Characters of output that are kept; only the last event is needed. */
const MAX_TAIL_LENGTH = 1024 * 1024;

/** `duration` of the event `run-finished`; null if it is missing. */
function findDuration(output: string): number | null {
    for (const line of output.trim().split('\n').toReversed()) {
        if (!line.includes('run-finished')) continue;
        const event = JSON.parse(line) as Json;
        const end = isJsonObject(event) ? event['end'] : null;
        const duration = isJsonObject(end) ? end['duration'] : null;
        if (typeof duration === 'number' && duration > 0) return duration;
    }
    return null;
}

/** Measures a program and its children until it is stopped. */
class Usage {
    readonly #pid: number;
    readonly #timer: NodeJS.Timeout;
    /** The latest CPU seconds of each process. */
    readonly #cpu = new Map<number, number>();
    #memory = 0;

    constructor(pid: number) {
        this.#pid = pid;
        this.#timer = setInterval(() => this.#look(), LOOK_EVERY);
    }

    #look(): void {
        const usage = measureTree(this.#pid);
        if (usage === null) return;
        this.#memory = Math.max(this.#memory, usage.memory);
        for (const [pid, seconds] of usage.cpu) this.#cpu.set(pid, seconds);
    }

    stop(): void {
        clearInterval(this.#timer);
    }

    figures(): Pick<ModeFigures, 'cpu' | 'memory'> {
        if (this.#cpu.size === 0) return { cpu: null, memory: null };
        return { cpu: [...this.#cpu.values()].reduce((a, b) => a + b, 0), memory: this.#memory };
    }
}
