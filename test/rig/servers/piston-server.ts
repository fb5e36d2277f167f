import { createHash } from 'node:crypto';
import { mkdir, mkdtemp, rename, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { nameSignal } from '../../../src/executor/signal-name.js';
import { compileOnce } from './compile-once.js';
import { type RigAnswer, type RigRequest, RigServer } from './rig-server.js';
import { type Ended, PYTHON, runProgram } from './run-program.js';

/** The configuration of a server, in its own units: milliseconds and bytes. */
export interface PistonSetup {
    readonly runTimeout?: number;
    readonly runCpuTime?: number;
    readonly outputMaxSize?: number;
    /** Names of the languages it supports. */
    readonly languages?: readonly string[];
}

interface Script {
    readonly version: string;
    readonly aliases: readonly string[];
    /** Extension added to every file sent as text. */
    readonly ending: string;
    readonly compile: string | null;
    /** `$1`: the name of the first file sent as text, without that extension. */
    readonly run: string;
}

const SCRIPTS: Readonly<Record<string, Script>> = {
    python: { version: '3.12.0', aliases: ['py3'], ending: '', compile: null, run: `exec ${PYTHON} "$1"` },
    'c++': {
        version: '10.2.0',
        aliases: ['cpp', 'g++'],
        ending: '.cpp',
        compile: 'g++ -std=c++17 *.cpp',
        run: 'exec ./a.out',
    },
    java: {
        version: '15.0.2',
        aliases: [],
        ending: '',
        compile: null,
        run: 'mv "$1" "$1.java" 2>/dev/null; exec java "$1.java"',
    },
    javascript: { version: '20.11.1', aliases: ['js'], ending: '', compile: null, run: 'exec node "$1"' },
};

interface SentFile {
    readonly name?: string;
    readonly content: string;
    readonly encoding?: string;
}

interface Sent {
    readonly language?: unknown;
    readonly version?: unknown;
    readonly files?: unknown;
    readonly stdin?: string;
    readonly run_timeout?: number;
    readonly run_cpu_time?: number;
    readonly run_memory_limit?: number;
}

/** One stage of an answer. */
interface Stage {
    readonly stdout: string;
    readonly stderr: string;
    readonly output: string;
    readonly code: number | null;
    readonly signal: string | null;
    readonly message: string | null;
    readonly status: string | null;
    readonly cpu_time: number;
    readonly wall_time: number;
    readonly memory: number;
}

const COMPILE_LIMITS = { cpuLimit: 60, wallLimit: 120, memory: null } as const;

/**
 * Speaks Piston's documented protocol (api-v2) and really runs programs, on loopback and without a sandbox. Reproduces its
 * limits, the newline that it appends to stdin, and its decoding of output piece by piece.
 */
export class PistonServer extends RigServer {
    readonly #setup: Required<PistonSetup>;
    readonly #compiled = new Map<string, Promise<{ folder: string; compile: Stage | null }>>();
    readonly #folders: string[] = [];
    /** Bodies of the requests received. */
    readonly bodies: Sent[] = [];

    /** By default, its limits are those of a server started without any configuration, except for time. */
    constructor(setup: PistonSetup = {}) {
        super();
        this.#setup = {
            runTimeout: 600_000,
            runCpuTime: 600_000,
            outputMaxSize: 1024,
            languages: Object.keys(SCRIPTS),
            ...setup,
        };
    }

    async clean(): Promise<void> {
        await this.stop();
        await Promise.all(this.#folders.map((folder) => rm(folder, { recursive: true, force: true })));
    }

    protected override async handle(request: RigRequest): Promise<RigAnswer> {
        if (request.path === '/api/v2/runtimes') {
            const runtimes = this.#setup.languages.map((language) => {
                const { version = '1.0.0', aliases = [] } = SCRIPTS[language] ?? {};
                return { language, version, aliases };
            });
            return { status: 200, json: runtimes };
        }
        if (request.path !== '/api/v2/execute') return { status: 404, json: { message: 'Not Found' } };
        if (request.headers['content-type']?.startsWith('application/json') !== true) {
            return { status: 415, json: { message: 'requests must be of type application/json' } };
        }
        const sent = JSON.parse(request.body.toString()) as Sent;
        this.bodies.push(sent);
        const wrong = this.#whatIsWrong(sent);
        if (wrong !== null) return { status: 400, json: { message: wrong } };
        if (request.fault?.kind === 'sandbox-error') {
            return { status: 200, json: { ...named(sent), run: BROKEN } };
        }
        return { status: 200, json: { ...named(sent), ...(await this.#execute(sent, request)) } };
    }

    #whatIsWrong(sent: Sent): string | null {
        if (typeof sent.language !== 'string') return 'language is required as a string';
        if (typeof sent.version !== 'string') return 'version is required as a string';
        if (!Array.isArray(sent.files)) return 'files is required as an array';
        const script = SCRIPTS[sent.language];
        const isKnown = script !== undefined && this.#setup.languages.includes(sent.language);
        const fits =
            sent.version === '*' || script?.version.startsWith(sent.version.replace('x', '')) === true;
        if (!isKnown || !fits) return `${sent.language}-${sent.version} runtime is unknown`;
        const { runTimeout, runCpuTime } = this.#setup;
        for (const [name, value, most] of [
            ['run_timeout', sent.run_timeout, runTimeout],
            ['run_cpu_time', sent.run_cpu_time, runCpuTime],
        ] as const) {
            if (value !== undefined && value > most)
                return `${name} cannot exceed the configured limit of ${most}`;
        }
        return null;
    }

    async #execute(sent: Sent, { gone }: RigRequest): Promise<{ compile?: Stage; run: Stage }> {
        const script = SCRIPTS[String(sent.language)];
        if (script === undefined) throw new Error('checked before');
        const files = sent.files as readonly SentFile[];
        const { folder, compile } = await this.#compile(String(sent.language), script, files);
        // A failed compilation is copied.
        if (compile !== null && compile.code !== 0) return { compile, run: compile };
        const stdin = sent.stdin ?? '';
        const main = files.find((file) => (file.encoding ?? 'utf8') === 'utf8')?.name ?? '';
        const ended = await runProgram(
            {
                argv: ['/bin/bash', '-c', script.run, 'run', main],
                cwd: folder,
                stdin: Buffer.from(stdin.endsWith('\n') ? stdin : `${stdin}\n`),
                cpuLimit: (sent.run_cpu_time ?? 3000) / 1000,
                wallLimit: (sent.run_timeout ?? 3000) / 1000,
                memory: String(sent.language).startsWith('java') ? null : (sent.run_memory_limit ?? null),
                maxOutput: this.#setup.outputMaxSize,
            },
            gone,
        );
        return { ...(compile === null ? {} : { compile }), run: stageOf(ended, this.#setup.outputMaxSize) };
    }

    #compile(language: string, script: Script, files: readonly SentFile[]) {
        const key = createHash('sha256')
            .update(JSON.stringify([language, files]))
            .digest('hex');
        let kept = this.#compiled.get(key);
        if (kept === undefined) {
            kept = this.#compileNow(script, files);
            this.#compiled.set(key, kept);
        }
        return kept;
    }

    async #compileNow(script: Script, files: readonly SentFile[]) {
        const { compile } = script;
        if (compile === null) {
            const folder = await mkdtemp(join(tmpdir(), 'rig-piston-'));
            this.#folders.push(folder);
            await writeFiles(folder, script, files);
            return { folder, compile: null };
        }
        const { folder, told } = await compileOnce([compile, files], async (folder) => {
            await writeFiles(folder, script, files);
            const argv = ['/bin/bash', '-c', compile];
            const limits = { ...COMPILE_LIMITS, maxOutput: 1 << 20, stdin: Buffer.alloc(0) };
            const ended = await runProgram({ argv, cwd: folder, ...limits }, new AbortController().signal);
            return { told: stageOf(ended, 1 << 20), isFinal: !ended.timedOut };
        });
        return { folder, compile: told };
    }
}

async function writeFiles(folder: string, script: Script, files: readonly SentFile[]): Promise<void> {
    for (const { name = 'file0.code', content, encoding = 'utf8' } of files) {
        const path = join(folder, name);
        await mkdir(dirname(path), { recursive: true });
        await writeFile(path, Buffer.from(content, encoding === 'base64' ? 'base64' : 'utf8'));
        if (encoding === 'utf8' && script.ending !== '') await rename(path, path + script.ending);
    }
}

const named = ({ language, version }: Sent) => ({ language, version });

const NOTHING = { stdout: '', stderr: '', output: '', cpu_time: 1, wall_time: 1, memory: 1000 };
const BROKEN: Stage = {
    ...NOTHING,
    code: null,
    signal: null,
    message: 'Cannot set up the control group',
    status: 'XX',
};

/** Bytes that the server reads and decodes at once. */
const PIECE = 65_536;

/** The text before the piece that exceeded the limit; each piece is decoded separately. */
function decode(bytes: Buffer, overflowed: boolean): string {
    let text = '';
    for (let at = 0; at < bytes.length; at += PIECE) {
        const piece = bytes.subarray(at, at + PIECE);
        if (overflowed && at + PIECE >= bytes.length) break;
        text += piece.toString('utf8');
    }
    return text;
}

function stageOf(ended: Ended, max: number): Stage {
    const [isOut, isErr] = [ended.stdout.length >= max, ended.stderr.length >= max];
    const overflow = !ended.overflowed ? null : isOut ? 'OL' : isErr ? 'EL' : null;
    const status =
        overflow ?? (ended.timedOut ? 'TO' : ended.signal !== null ? 'SG' : ended.code === 0 ? null : 'RE');
    const stdout = decode(ended.stdout, overflow === 'OL');
    const stderr = decode(ended.stderr, overflow === 'EL');
    const isStopped = status === 'TO' || overflow !== null;
    return {
        stdout,
        stderr,
        output: stdout + stderr,
        code: isStopped ? null : ended.code,
        signal: isStopped ? 'SIGKILL' : ended.signal === null ? null : nameSignal(ended.signal),
        message: overflow === null ? null : `std${overflow === 'OL' ? 'out' : 'err'} length exceeded`,
        status,
        cpu_time: Math.round(ended.cpu * 1000),
        wall_time: Math.round(ended.wall * 1000),
        memory: Math.floor(ended.memory / 1000) * 1000,
    };
}
