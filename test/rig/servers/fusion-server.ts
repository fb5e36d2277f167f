import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { homedir, tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { z } from 'zod';
import { compileOnce } from './compile-once.js';
import { type CommandResult, type FusionVariant, runFusionCommand } from './fusion-command.js';
import { type RigAnswer, type RigRequest, RigServer } from './rig-server.js';
import { PYTHON } from './run-program.js';

const language = z.enum(['python', 'cpp', 'java', 'nodejs', 'rust', 'bash']);

const runCode = z.object({
    language,
    code: z.string(),
    stdin: z.string().nullish(),
    compile_timeout: z.number(),
    run_timeout: z.number(),
    memory_limit_MB: z.number().int(),
    files: z.record(z.string(), z.string()),
});

const submit = z.object({
    id: z.string(),
    completion: z.string(),
    config: z.object({
        dataset_type: z.literal('CommonOJDataset'),
        language,
        compile_timeout: z.number(),
        run_timeout: z.number(),
        custom_extract_logic: z.string().optional(),
        provided_data: z.object({
            test: z.array(
                z.object({
                    input: z.object({ stdin: z.string() }),
                    output: z.object({ stdout: z.string() }),
                }),
            ),
        }),
        extra: z.object({ run_all_cases: z.boolean() }),
    }),
});

type RunCode = z.infer<typeof runCode>;
type Submit = z.infer<typeof submit>;

/** One run, as contained in an answer. */
interface RunInfo {
    readonly status: 'Success' | 'Failed' | 'SandboxError';
    readonly message: string;
    readonly compile_result: CommandResult | null;
    readonly run_result: CommandResult | null;
    readonly executor_pod_name: null;
    readonly files: Readonly<Record<string, never>>;
}

/** The configuration of a server. */
export interface FusionSetup {
    readonly variant?: FusionVariant;
    /** Hard limit of its stack in bytes: if it is below a memory limit, no program can be started under that limit. */
    readonly hardStack?: number;
}

/** Used instead of our own environment, which may change what programs do (PYTHONUNBUFFERED). */
const ENVIRONMENT = {
    PATH: process.env['PATH'] ?? '/usr/local/bin:/usr/bin:/bin',
    LANG: 'C.UTF-8',
    HOME: '/tmp',
    RUSTUP_HOME: process.env['RUSTUP_HOME'] ?? join(homedir(), '.rustup'),
};

/** Tests of one `/submit` that run at once, and the number of tries for a test whose sandbox fails. */
const SUBMITTED_AT_ONCE = 3;
const SUBMITTED_TRIES = 5;

/**
 * Speaks SandboxFusion's protocol and really runs programs, on loopback and without a sandbox, reproducing the server's own
 * faults (fusion-command.ts). Compiled programs are kept, so that suites with many tests stay fast.
 */
export class FusionServer extends RigServer {
    private readonly compiled = new Map<string, Promise<{ folder: string; compile: CommandResult | null }>>();
    private readonly folders: string[] = [];
    private stopping = new AbortController();
    /** Bodies of the requests received. */
    readonly bodies: unknown[] = [];

    constructor(private readonly setup: FusionSetup = {}) {
        super();
    }

    override async start(): Promise<this> {
        if (this.stopping.signal.aborted) this.stopping = new AbortController();
        return super.start();
    }

    override async stop(): Promise<void> {
        this.stopping.abort();
        await super.stop();
    }

    /** Deletes compiled programs. */
    async clean(): Promise<void> {
        await this.stop();
        this.compiled.clear();
        await Promise.all(
            this.folders.splice(0).map((folder) => rm(folder, { recursive: true, force: true })),
        );
    }

    protected override async handle(request: RigRequest): Promise<RigAnswer> {
        if (request.method !== 'POST') return { status: 405, json: { detail: 'Method Not Allowed' } };
        const sent: unknown = JSON.parse(request.body.toString());
        this.bodies.push(sent);
        switch (request.path) {
            case '/run_code': {
                const parsed = runCode.safeParse(sent);
                if (!parsed.success) return invalid(parsed.error);
                return { status: 200, json: await this.run(parsed.data, request) };
            }
            case '/submit': {
                const parsed = submit.safeParse(sent);
                if (!parsed.success) return invalid(parsed.error);
                return this.judge(parsed.data, request);
            }
            default:
                return { status: 404, json: { detail: 'Not Found' } };
        }
    }

    private async run(body: RunCode, request: RigRequest): Promise<RunInfo> {
        if (request.fault?.kind === 'sandbox-error') return runInfo(null, SANDBOX_BROKEN);
        const { folder, compile } = await this.compile(body);
        if (compile !== null && (compile.status !== 'Finished' || compile.return_code !== 0)) {
            return runInfo(compile, null);
        }
        if (request.fault?.kind === 'run')
            return runInfo(compile, { ...ENDED_WELL, ...request.fault.result });
        const run = await this.command(body, RUN[body.language], folder, body.run_timeout, body.stdin ?? '');
        if (request.fault?.kind !== 'blocked') return runInfo(compile, run);
        return runInfo(compile, { ...run, status: 'TimeLimitExceeded', return_code: null, stdout: '' });
    }

    private async judge({ id, completion, config }: Submit, request: RigRequest): Promise<RigAnswer> {
        const code = extract(completion, config);
        const cases = config.provided_data.test;
        const running: Promise<RunInfo>[] = [];
        const tests: { passed: boolean; exec_info: RunInfo; test_info: unknown }[] = [];
        for (const [index, test] of cases.entries()) {
            for (
                let ahead = running.length;
                ahead < Math.min(cases.length, index + SUBMITTED_AT_ONCE);
                ahead += 1
            ) {
                running.push(this.runCase(code, cases[ahead]?.input.stdin ?? '', config, request));
            }
            const info = await running[index];
            if (info === undefined || info.status === 'SandboxError') {
                return { status: 500, json: { detail: `Failed to check stdio test case: ${info?.message}` } };
            }
            const passed =
                info.status === 'Success' && sameLines(info.run_result?.stdout ?? '', test.output.stdout);
            tests.push({ passed, exec_info: info, test_info: test });
            if (!passed && !config.extra.run_all_cases) break;
        }
        const accepted = tests.every((test) => test.passed);
        return { status: 200, json: { id, accepted, extracted_code: code, tests } };
    }

    private async runCase(
        code: string,
        stdin: string,
        config: Submit['config'],
        request: RigRequest,
    ): Promise<RunInfo> {
        const { language, compile_timeout, run_timeout } = config;
        const times = { compile_timeout, run_timeout };
        const body = { language, code, stdin, ...times, memory_limit_MB: -1, files: {} };
        let info = await this.run(body, request);
        for (let tries = 1; info.status === 'SandboxError' && tries < SUBMITTED_TRIES; tries += 1) {
            info = await this.run(body, request);
        }
        return info;
    }

    private compile(body: RunCode): Promise<{ folder: string; compile: CommandResult | null }> {
        const facts = [body.language, body.code, body.files, body.memory_limit_MB];
        const key = createHash('sha256').update(JSON.stringify(facts)).digest('hex');
        let kept = this.compiled.get(key);
        if (kept === undefined) {
            kept = this.compileNow(body);
            this.compiled.set(key, kept);
        }
        return kept;
    }

    private async compileNow(body: RunCode): Promise<{ folder: string; compile: CommandResult | null }> {
        const command = COMPILE[body.language];
        if (command === null) {
            const folder = await mkdtemp(join(tmpdir(), 'rig-fusion-'));
            this.folders.push(folder);
            await writeFiles(folder, body);
            return { folder, compile: null };
        }
        const { language, code, files, compile_timeout, memory_limit_MB } = body;
        const { hardStack } = this.setup;
        const facts = [language, code, files, compile_timeout, memory_limit_MB, hardStack ?? null];
        const { folder, told } = await compileOnce(facts, async (folder) => {
            await writeFiles(folder, body);
            const told = await this.command(body, command, folder, compile_timeout, '');
            return { told, isFinal: told.status === 'Finished' };
        });
        return { folder, compile: told };
    }

    /** The only way to start anything: the program's memory limit also applies to compilers. */
    private command(
        body: RunCode,
        command: string,
        cwd: string,
        timeout: number,
        stdin: string,
    ): Promise<CommandResult> {
        const { variant = 'original', hardStack = null } = this.setup;
        const limits = { timeout, memoryLimitMb: body.memory_limit_MB, hardStack };
        return runFusionCommand(
            { command, cwd, env: ENVIRONMENT, stdin, ...limits, variant },
            this.stopping.signal,
        );
    }
}

async function writeFiles(folder: string, { language, code, files }: RunCode): Promise<void> {
    for (const [name, content] of Object.entries(files)) {
        await mkdir(dirname(join(folder, name)), { recursive: true });
        await writeFile(join(folder, name), Buffer.from(content, 'base64'));
    }
    await writeFile(join(folder, SOURCES[language]), code);
}

const SOURCES: Readonly<Record<RunCode['language'], string>> = {
    python: 'main.py',
    cpp: 'main.cpp',
    java: 'Main.java',
    nodejs: 'main.js',
    rust: 'main.rs',
    bash: 'main.sh',
};
const COMPILE: Readonly<Record<RunCode['language'], string | null>> = {
    python: null,
    cpp: 'g++ -std=c++17 main.cpp -o test -lpthread',
    java: 'javac -cp . Main.java',
    nodejs: null,
    rust: 'rustc main.rs -o test',
    bash: null,
};
const RUN: Readonly<Record<RunCode['language'], string>> = {
    python: `${PYTHON} main.py`,
    cpp: './test',
    java: 'java -cp . -ea Main',
    nodejs: 'node main.js',
    rust: './test',
    bash: '/bin/bash main.sh',
};

const ENDED_WELL: CommandResult = {
    status: 'Finished',
    execution_time: 0.01,
    return_code: 0,
    stdout: '',
    stderr: '',
};
const SANDBOX_BROKEN: CommandResult = {
    status: 'Error',
    execution_time: 0,
    return_code: null,
    stdout: '',
    stderr: 'exception on running code: [Errno 28] No space left on device',
};

/** Builds an answer, with the status that follows from its results. */
function runInfo(compile: CommandResult | null, run: CommandResult | null): RunInfo {
    const results = [compile, run].filter((one) => one !== null);
    const broken = results.find((one) => one.status === 'Error');
    const fine = results.every((one) => one.status === 'Finished' && one.return_code === 0);
    return {
        status: broken !== undefined ? 'SandboxError' : fine ? 'Success' : 'Failed',
        message: broken?.stderr ?? '',
        compile_result: compile,
        run_result: run,
        executor_pod_name: null,
        files: {},
    };
}

/** The first fenced block, unless the request brings its own Python for finding the code. */
function extract(completion: string, { custom_extract_logic: logic }: Submit['config']): string {
    if (logic !== undefined) {
        const ran = spawnSync(PYTHON, ['-I', '-S', '-c', EXTRACT], {
            input: JSON.stringify({ logic, completion }),
            encoding: 'utf8',
        });
        if (ran.status !== 0) throw new Error(ran.stderr);
        return ran.stdout;
    }
    return /```[^\n]*\n([\s\S]*?)\n\s*```/.exec(completion)?.[1] ?? '';
}

const EXTRACT = `
import json, sys
given = json.load(sys.stdin)
blocks = []
class CodeBlock:
    def __init__(self, *, priority, language, code): self.priority, self.code = priority, code
exec(given['logic'], {'CodeBlock': CodeBlock, 'completion': given['completion'], 'submit_code_blocks': blocks.extend})
sys.stdout.reconfigure(encoding='utf-8', newline='')
sys.stdout.write(max(blocks, key=lambda block: block.priority).code)
`;

/** The server's own comparison: line by line, ignoring case, with numbers within a relative 1e-5. */
function sameLines(output: string, expected: string): boolean {
    const [ours, theirs] = [output, expected].map((text) => text.trim().toLowerCase().split('\n'));
    if (ours === undefined || theirs === undefined || ours.length !== theirs.length) return false;
    return ours.every((line, index) => sameLine(line.trim(), theirs[index]?.trim() ?? ''));
}

function sameLine(line: string, expected: string): boolean {
    if (line === expected) return true;
    const [value, right] = [Number(line), Number(expected)];
    if (line === '' || expected === '' || Number.isNaN(value) || Number.isNaN(right)) return false;
    return Math.abs(value - right) / Math.max(Math.abs(right), 1e-10) < 1e-5;
}

function invalid(error: z.ZodError): RigAnswer {
    const detail = error.issues.map((issue) => ({
        type: issue.code,
        loc: ['body', ...issue.path],
        msg: issue.message,
    }));
    return { status: 422, json: { detail } };
}
