import { chmod, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { z } from 'zod';
import { type RigAnswer, type RigRequest, RigServer } from './rig-server.js';
import { type Ended, runProgram } from './run-program.js';

const given = z.union([z.strictObject({ content: z.string() }), z.strictObject({ fileId: z.string() })]);
const run = z.object({
    cmd: z.tuple([
        z.object({
            args: z.array(z.string()).min(1),
            env: z.array(z.string()),
            files: z.tuple([
                given,
                z.object({ name: z.literal('stdout'), max: z.number().int() }),
                z.object({ name: z.literal('stderr'), max: z.number().int() }),
            ]),
            cpuLimit: z.number().int(),
            clockLimit: z.number().int(),
            memoryLimit: z.number().int(),
            stackLimit: z.number().int(),
            procLimit: z.number().int(),
            copyIn: z.record(z.string(), given),
            copyOut: z.array(z.string()),
            copyOutCached: z.array(z.string()),
        }),
    ]),
});

type Cmd = z.infer<typeof run>['cmd'][0];

interface Answer {
    readonly status: string;
    readonly exitStatus: number;
    readonly time: number;
    readonly runTime: number;
    readonly memory: number;
    readonly files: Readonly<Record<string, string>>;
    readonly fileIds: Readonly<Record<string, string>>;
}

/** Compiled programs, by command and files. */
const COMPILED = new Map<
    string,
    { readonly answer: Answer; readonly outputs: readonly (readonly [string, Buffer])[] }
>();

/** Speaks go-judge's protocol and really runs programs, on loopback and without a sandbox. */
export class GoJudgeServer extends RigServer {
    /** Files that it stores, by id. */
    readonly files = new Map<string, Buffer>();
    private nextId = 1;

    /** @param token what clients must present; null for nothing */
    constructor(private readonly token: string | null = null) {
        super();
    }

    /** Simulates a restart: whatever was kept in memory is gone. */
    override async stop(): Promise<void> {
        await super.stop();
        this.files.clear();
    }

    protected override async handle(request: RigRequest): Promise<RigAnswer> {
        if (this.token !== null && request.headers.authorization !== `Bearer ${this.token}`) {
            return { status: 401, json: 'unauthorized' };
        }
        const fileId = /^\/file\/(.+)$/.exec(request.path)?.[1];
        if (request.path === '/version') return { status: 200, json: { buildVersion: 'rig', os: 'linux' } };
        if (request.path === '/run' && request.method === 'POST') return this.runAll(request);
        if (request.path === '/file' && request.method === 'POST')
            return { status: 200, json: this.upload(request) };
        if (fileId !== undefined && request.method === 'DELETE') {
            return this.files.delete(fileId)
                ? { status: 200, json: null }
                : { status: 404, json: 'no such file' };
        }
        if (fileId !== undefined && request.method === 'GET') {
            const raw = this.files.get(fileId);
            return raw === undefined
                ? { status: 404, json: 'no such file' }
                : { status: 200, json: null, raw };
        }
        return { status: 404, json: 'not found' };
    }

    private async runAll(request: RigRequest): Promise<RigAnswer> {
        const parsed = run.safeParse(JSON.parse(request.body.toString()));
        if (!parsed.success) return { status: 400, json: parsed.error.message };
        const [cmd] = parsed.data.cmd;
        const missing = [cmd.files[0], ...Object.values(cmd.copyIn)].find(
            (file) => 'fileId' in file && !this.files.has(file.fileId),
        );
        if (missing !== undefined) return { status: 500, json: 'file not exists' };
        if (request.fault?.kind === 'sandbox-error') {
            const failed = { status: 'Internal Error', exitStatus: 0, error: 'container: fork failed' };
            return { status: 200, json: [{ ...failed, time: 0, runTime: 0, memory: 0 }] };
        }
        if (request.fault?.kind === 'blocked') {
            const late = { status: 'Time Limit Exceeded', exitStatus: 9, time: 1e6, runTime: cmd.clockLimit };
            return { status: 200, json: [{ ...late, memory: 1e6, files: { stdout: '', stderr: '' } }] };
        }
        return { status: 200, json: [await this.runOrReuse(cmd, request.gone)] };
    }

    /** The output of compiling a program is always the same, so it is produced once for all servers of this process. */
    private async runOrReuse(cmd: Cmd, gone: AbortSignal): Promise<Answer> {
        const isCompiler = cmd.copyOutCached.some((name) => !name.startsWith('stdout'));
        if (!isCompiler) return this.run(cmd, gone);
        const copyIn = Object.entries(cmd.copyIn).map(([name, file]) => [
            name,
            this.bytesOf(file).toString('hex'),
        ]);
        const key = JSON.stringify({ ...cmd, copyIn });
        const made = COMPILED.get(key);
        if (made !== undefined) {
            const kept = made.outputs.map(([name, bytes]) => [name, this.keep(bytes)] as const);
            return { ...made.answer, fileIds: Object.fromEntries(kept) };
        }
        const answer = await this.run(cmd, gone);
        const outputs = Object.entries(answer.fileIds).map(
            ([name, id]) => [name, this.bytesOf({ fileId: id })] as const,
        );
        const isFinal = answer.status === 'Accepted' || answer.status === 'Nonzero Exit Status';
        if (isFinal && !gone.aborted) COMPILED.set(key, { answer, outputs });
        return answer;
    }

    private async run(cmd: Cmd, gone: AbortSignal): Promise<Answer> {
        const folder = await mkdtemp(join(tmpdir(), 'rig-go-judge-'));
        try {
            for (const [name, file] of Object.entries(cmd.copyIn)) {
                await mkdir(dirname(join(folder, name)), { recursive: true });
                await writeFile(join(folder, name), this.bytesOf(file));
                await chmod(join(folder, name), 0o755);
            }
            const [, stdout, stderr] = cmd.files;
            const ended = await runProgram(
                {
                    argv: cmd.args,
                    cwd: folder,
                    env: cmd.env,
                    stdin: this.bytesOf(cmd.files[0]),
                    cpuLimit: cmd.cpuLimit / 1e9,
                    wallLimit: cmd.clockLimit / 1e9,
                    memory: cmd.args.some((arg) => arg.startsWith('java')) ? null : cmd.memoryLimit,
                    maxOutput: Math.max(stdout.max, stderr.max),
                },
                gone,
            );
            const fileIds: Record<string, string> = {};
            for (const wanted of cmd.copyOutCached) {
                const name = wanted.replace(/\?$/, '');
                const bytes =
                    name === 'stdout' ? ended.stdout : await readFile(join(folder, name)).catch(() => null);
                if (bytes !== null) fileIds[name] = this.keep(bytes);
            }
            return {
                ...statusOf(ended, cmd),
                time: Math.round(ended.cpu * 1e9),
                runTime: Math.round(ended.wall * 1e9),
                memory: ended.memory,
                files: {
                    ...(cmd.copyOutCached.includes('stdout') ? {} : { stdout: ended.stdout.toString() }),
                    stderr: ended.stderr.toString(),
                },
                fileIds,
            };
        } finally {
            await rm(folder, { recursive: true, force: true });
        }
    }

    private upload(request: RigRequest): string {
        const boundary = /boundary=(.+)$/.exec(request.headers['content-type'] ?? '')?.[1] ?? '';
        const start = request.body.indexOf('\r\n\r\n') + 4;
        return this.keep(request.body.subarray(start, request.body.lastIndexOf(`\r\n--${boundary}--`)));
    }

    private keep(bytes: Buffer): string {
        const id = `RIG${this.nextId++}`;
        this.files.set(id, bytes);
        return id;
    }

    private bytesOf(file: z.infer<typeof given>): Buffer {
        return 'content' in file
            ? Buffer.from(file.content)
            : (this.files.get(file.fileId) ?? Buffer.alloc(0));
    }
}

function statusOf(ended: Ended, cmd: Cmd): { status: string; exitStatus: number } {
    if (ended.overflowed) return { status: 'Output Limit Exceeded', exitStatus: 0 };
    if (ended.timedOut) return { status: 'Time Limit Exceeded', exitStatus: 9 };
    if (ended.memory >= cmd.memoryLimit) return { status: 'Memory Limit Exceeded', exitStatus: 9 };
    if (ended.signal !== null) return { status: 'Signalled', exitStatus: ended.signal };
    const status = ended.code === 0 ? 'Accepted' : 'Nonzero Exit Status';
    return { status, exitStatus: ended.code ?? 0 };
}
