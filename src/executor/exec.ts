import { randomBytes } from 'node:crypto';
import { rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { getSystemErrorName } from 'node:util';
import type { JudgeResult, TestResult } from '../model/entry.js';
import { parseExactJson } from '../model/exact-json.js';
import type { Failure } from '../model/failure.js';
import type { Outcome, Task } from '../model/task.js';
import { isVerdict, type Verdict } from '../model/verdict.js';
import { readEnd } from './cut-text.js';
import { fillCommand, type FilledCommand } from './exec-arguments.js';
import type { ExecDescriptor } from './exec-kind.js';
import type { Executor, ExecutorContext } from './executor.js';
import { toCommandResult } from './judge/program-run.js';
import { OutputKeeper } from './kept-output.js';
import { type Box, KEPT_INLINE, type RunReport } from './sandbox/box.js';
import { findProgram } from './sandbox/find-program.js';
import { Sandbox } from './sandbox/sandbox.js';
import { SandboxError } from './sandbox/sandbox-error.js';
import type { RunLimits, Stdin } from './sandbox/wire.js';
import { nameSignal } from './signal-name.js';
import { maskSecrets } from '../util/secrets.js';
import { getInputText } from './task-input.js';

const BY = { api_used: 'local', sandbox: 'none' } as const;

/**
 * Runs a command for each task, without a shell: exit status 0 is Accepted; another status is the verdict that `--exit-verdict`
 * assigns to it, or else a failure. The task's data is on stdin, or in the file that `{input}` names.
 */
export async function createExec(descriptor: ExecDescriptor): Promise<Executor> {
    const [command, ...args] = descriptor.argv;
    const path = command.includes('/') || command.includes('{') ? command : await findProgram(command);
    const sandbox = await Sandbox.create('none', descriptor.scratch);
    return new Exec(descriptor, [path ?? command, ...args], sandbox);
}

class Exec implements Executor {
    /** Idle boxes, which wait for their next task; one is needed for each concurrent task. */
    readonly #idle: Box[] = [];
    readonly #limits: RunLimits;
    readonly #environment: readonly string[];
    readonly #wantsFile: boolean;
    readonly #keeper: OutputKeeper;

    constructor(
        private readonly descriptor: ExecDescriptor,
        private readonly argv: readonly [string, ...string[]],
        private readonly sandbox: Sandbox,
    ) {
        this.#keeper = new OutputKeeper(descriptor);
        this.#limits = { ...UNLIMITED, wall: descriptor.timeout };
        this.#environment = Object.entries(process.env).map(([name, value]) => `${name}=${value ?? ''}`);
        this.#wantsFile = argv.some((argument) => argument.includes('{input}'));
    }

    async run(task: Task, context: ExecutorContext): Promise<Outcome> {
        if (context.signal.aborted) return { kind: 'abort' };
        const file = this.#wantsFile ? await this.#writeInput(task) : null;
        try {
            const command = this.#commandFor(task, file);
            if (command.kind === 'problem') {
                const { message } = command;
                return { kind: 'failure', failure: { reason: 'not-started', message }, by: BY };
            }
            return await this.#runInBox(task, { argv: command.argv, file }, context.signal);
        } catch (error) {
            if (context.signal.aborted) return { kind: 'abort' };
            if (!(error instanceof SandboxError)) throw error;
            return { kind: 'failure', failure: { reason: 'sandbox', message: error.message }, by: BY };
        } finally {
            if (file !== null) await rm(file, { force: true });
        }
    }

    async #writeInput(task: Task): Promise<string> {
        const path = join(this.descriptor.scratch, `input-${randomBytes(8).toString('hex')}.json`);
        await writeFile(path, getInputText(task), { mode: 0o600 });
        return path;
    }

    async #runInBox(
        task: Task,
        { argv, file }: { readonly argv: readonly [string, ...string[]]; readonly file: string | null },
        signal: AbortSignal,
    ): Promise<Outcome> {
        const { keepOutput, outputLimit } = this.descriptor;
        const box = await this.#takeBox();
        const stop = (): void => void box.close();
        signal.addEventListener('abort', stop, { once: true });
        try {
            const stdin: Stdin = file === null ? { data: Buffer.from(getInputText(task)) } : null;
            const report = await box.run({
                argv,
                stdin,
                limits: this.#limits,
                ...(keepOutput !== 'none' && outputLimit > KEPT_INLINE ? { keepBytes: outputLimit } : {}),
            });
            // Must finish before the box is free for the next command, which overwrites this command's output files.
            return signal.aborted ? { kind: 'abort' } : await this.#judgeReport(report);
        } finally {
            signal.removeEventListener('abort', stop);
            if (signal.aborted) await box.close();
            else if (box.alive) this.#idle.push(box);
        }
    }

    async #takeBox(): Promise<Box> {
        for (let box = this.#idle.pop(); box !== undefined; box = this.#idle.pop()) {
            if (box.alive) return box;
        }
        return this.sandbox.openBare({ cwd: process.cwd(), env: this.#environment });
    }

    #commandFor(task: Task, file: string | null): FilledCommand {
        const { sample: id, group, index } = task;
        const row = isRow(task) ? parseExactJson(getInputText(task)) : null;
        return fillCommand(this.argv, { id, group, index: String(index), input: file ?? '' }, row);
    }

    async #judgeReport(report: RunReport): Promise<Outcome> {
        const verdict = this.#decideVerdict(report);
        const passed = verdict === 'Accepted';
        const { keepOutput } = this.descriptor;
        const isKept =
            report.startErrno === 0 && (keepOutput === 'all' || (keepOutput === 'failed' && !passed));
        const run = { ...toCommandResult(report), ...(isKept ? await this.#keeper.keep(report) : {}) };
        if (typeof verdict !== 'string') {
            return { kind: 'failure', failure: verdict, by: BY, ...(isKept ? { run } : {}) };
        }
        const test: TestResult = {
            passed,
            ...(passed ? {} : { verdict }),
            cpu_time: report.cpu,
            wall_time: report.wall,
            memory: report.memory,
            exec_info: {
                status: report.exitCode === 0 ? 'Success' : 'Failed',
                run_result: run,
            },
        };
        const result: JudgeResult = { accepted: passed, verdict, tests: [test] };
        return { kind: 'verdict', verdict, result, suspect: null, by: BY };
    }

    #decideVerdict(report: RunReport): Verdict | Failure {
        const command = this.argv[0];
        if (report.startErrno !== 0) {
            const why = getSystemErrorName(-report.startErrno);
            return { reason: 'not-started', message: `${command} could not be started: ${why}` };
        }
        const after = this.descriptor.timeout;
        if (report.limit !== null)
            return { reason: 'no-answer', message: `it did not end within ${after} s (--timeout)`, after };
        if (report.signal !== null) {
            const signal = nameSignal(report.signal);
            return {
                reason: 'killed',
                message: `${command} was killed by ${signal}${lastWords(report)}`,
                signal,
            };
        }
        const exitCode = report.exitCode ?? 0;
        const named = this.descriptor.exitVerdicts[String(exitCode)];
        if (isVerdict(named)) return named;
        if (exitCode === 0) return 'Accepted';
        return {
            reason: 'exit-code',
            message: `${command} exited with ${exitCode}${lastWords(report)}`,
            exitCode,
        };
    }

    async close(): Promise<void> {
        await this.sandbox.close();
    }
}

const isRow = ({ input }: Task): boolean => input.kind === 'data' && input.isRow === true;

const UNLIMITED: RunLimits = {
    cpu: 0,
    wall: 0,
    memory: 0,
    addressSpace: 0,
    output: 0,
    stack: 0,
    fileSize: 0,
    processes: 0,
    openFiles: 0,
};

/** Excerpt of what a command printed before it failed: the last line of its stderr, truncated. */
function lastWords({ stderr, stderrFile }: RunReport): string {
    const end = stderrFile === null ? stderr : readEnd(stderrFile, 4096);
    const line = end.toString().trim().split('\n').at(-1)?.slice(0, 300) ?? '';
    return line === '' ? '' : `: ${maskSecrets(line)}`;
}
