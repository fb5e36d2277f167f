import { randomBytes } from 'node:crypto';
import { readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { JudgeResult, RunResult, TestResult } from '../../model/entry.js';
import type { Failure } from '../../model/failure.js';
import type { Limits } from '../../model/limits.js';
import type { Checker, ProgramInput, StagedSample } from '../../model/sample.js';
import type { AttemptedBy, Outcome, Task } from '../../model/task.js';
import { smallFiles } from '../../util/small-files.js';
import { UserError } from '../../util/user-error.js';
import { compareOutput } from '../checker/compare.js';
import type { Comparison } from '../checker/comparison.js';
import type { JudgeDescriptor } from '../descriptor.js';
import type { Executor, ExecutorContext } from '../executor.js';
import type { Box } from '../sandbox/box.js';
import { Sandbox } from '../sandbox/sandbox.js';
import type { RunLimits } from '../sandbox/wire.js';
import { SandboxError } from '../sandbox/sandbox-error.js';
import { CheckerError, CheckerPrograms } from './checker-program.js';
import { fillIn } from './command.js';
import { Compiler, type Program } from './compile.js';
import { readHeaders } from './headers.js';
import { type Language, languageTable } from './languages.js';
import { COMPILE_LIMITS, programLimits, SCRATCH_BYTES } from './limits.js';
import { findMissingImport } from './missing-import.js';
import { ImportProbe } from './probe-import.js';
import { runTests, type TestPlan } from './run-tests.js';
import { StagedSamples } from './staged-samples.js';
import { layOut, type Submission as LaidOut } from './submission.js';
import { compilerText, Toolchains, type UsableLanguage, usableLanguage } from './toolchains.js';

const MIB = 1024 * 1024;
const LARGEST_JAVA_STACK_MB = 64;

/**
 * Judges programs on this machine: compiles each once, runs its tests in one sandbox, compares what it prints.
 * @throws UserError (exit 2) if `--include-dir` is no use
 */
export async function createJudge(
    descriptor: JudgeDescriptor,
    compileLimits: RunLimits = COMPILE_LIMITS,
): Promise<Executor> {
    const sandbox = await Sandbox.create(descriptor.sandbox, descriptor.scratch);
    const headers = await readHeaders(descriptor.includeDirs);
    const compiler = new Compiler(
        sandbox,
        descriptor.scratch,
        descriptor.compileCache,
        headers,
        compileLimits,
    );
    void compiler.trim();
    return new Judge(descriptor, sandbox, compiler);
}

/** A task ended otherwise than by a verdict. */
class Failed extends Error {
    constructor(readonly failure: Failure) {
        super(failure.message);
    }
}

class Judge implements Executor {
    readonly #samples = new StagedSamples();
    readonly #table: ReadonlyMap<string, Language>;
    readonly #toolchains: Toolchains;
    readonly #usable = new Map<string, Promise<UsableLanguage | string>>();
    readonly #checkers: CheckerPrograms;
    readonly #imports: ImportProbe;
    readonly #by: AttemptedBy;

    constructor(
        private readonly descriptor: JudgeDescriptor,
        private readonly sandbox: Sandbox,
        private readonly compiler: Compiler,
    ) {
        const { languages: overrides, python2As3, scratch } = descriptor;
        this.#table = languageTable({ overrides, python2As3 });
        this.#toolchains = new Toolchains(descriptor.sandbox);
        const usable = (language: Language): Promise<UsableLanguage | string> => this.#usableOf(language);
        this.#checkers = new CheckerPrograms({ sandbox, compiler, scratch, table: this.#table, usable });
        this.#imports = new ImportProbe(sandbox, scratch);
        this.#by = { api_used: 'local', sandbox: descriptor.sandbox };
    }

    async run(task: Task, context: ExecutorContext): Promise<Outcome> {
        const { signal } = context;
        if (signal.aborted) return { kind: 'abort' };
        const attempt = new OneAttempt(signal);
        try {
            const result = await attempt.until(this.#judge(task, attempt));
            return { kind: 'verdict', verdict: result.judged.verdict, ...this.#outcome(result) };
        } catch (error) {
            if (signal.aborted) return { kind: 'abort' };
            const failure = failureOf(error);
            context.log(`${task.sample} ${task.group} ${task.index}: ${failure.message}`);
            return { kind: 'failure', failure, by: this.#by };
        } finally {
            await attempt.end();
        }
    }

    #outcome({
        judged,
        suspect,
    }: Judgement): Pick<Extract<Outcome, { kind: 'verdict' }>, 'result' | 'suspect' | 'by'> {
        return { result: judged, suspect, by: this.#by };
    }

    async #judge(task: Task, attempt: OneAttempt): Promise<Judgement> {
        const { input, limits, stage } = task;
        if (input.kind !== 'program' || limits === null || stage === null) {
            throw new Error('bug in resume-run: the judge was given a task that is no program');
        }
        const sample = await this.#samples.get(stage);
        const usable = await this.#languageOf(input);
        const folder = join(this.descriptor.scratch, `submission-${randomBytes(8).toString('hex')}`);
        attempt.atEnd(() => rm(folder, { recursive: true, force: true }));
        const submission = await layOut(input, usable.language, folder);
        const compiled = await this.compiler.compile(usable, submission);
        if (compiled.kind === 'failure') throw new Failed(compiled.failure);
        if (compiled.kind === 'error') {
            await this.#refuseMissing(usable, submission, compiled.result.stderr);
            return compileError(compiled.result, this.descriptor.outputLimit, compilerText(usable));
        }
        const { files } = compiled.program;
        const box = await this.sandbox.open({ files, roots: usable.roots, scratchBytes: SCRATCH_BYTES });
        attempt.owns(box);
        const outcome = await runTests(this.#plan(task, limits, sample, usable, box, compiled.program));
        await this.#refuseMissing(usable, submission, outcome.lastWords);
        return { judged: judgeResult(outcome.verdict, outcome.tests), suspect: outcome.suspect };
    }

    /** A program that needs what this machine does not have gets no verdict. @throws Failed */
    async #refuseMissing(usable: UsableLanguage, submission: LaidOut, said: string): Promise<void> {
        if (said === '') return;
        const sources = await Promise.all(submission.files.map(({ host }) => readFile(host, 'latin1')));
        const missing = findMissingImport(usable.language.tag, said, sources);
        if (missing === null || !(await this.#imports.isMissing(usable, missing))) return;
        const message = `the ${usable.language.name} ${missing.what} ${missing.name} is not on this machine`;
        throw new Failed({ reason: 'environment', message });
    }

    #plan(
        task: Task,
        limits: Limits,
        sample: StagedSample,
        usable: UsableLanguage,
        box: Box,
        program: Program,
    ): TestPlan {
        const { allTests, keepOutput, outputLimit } = this.descriptor;
        return {
            box,
            argv: runCommand(usable, box, program, limits),
            language: usable.language,
            limits,
            runLimits: programLimits(limits, usable.language),
            tests: sample.tests,
            confirmed: task.confirmed,
            allTests,
            confirming: task.confirming,
            settles: task.settles,
            keepOutput,
            outputLimit,
            check: (test, output) => this.#check(sample.checker, test, output),
        };
    }

    #check(
        checker: Checker,
        test: StagedSample['tests'][number],
        output: Buffer | { path: string },
    ): Comparison | Promise<Comparison> {
        if (checker.kind === 'program') return this.#checkers.check(checker, test, output);
        return compareOutput(
            checker,
            output,
            smallFiles.read(test.answer) ?? { path: test.answer },
            test.checkerFlags,
        );
    }

    async #languageOf(input: ProgramInput): Promise<UsableLanguage> {
        const preferred = input.preferred === undefined ? undefined : this.#table.get(input.preferred);
        if (preferred !== undefined) {
            const found = await this.#usableOf(preferred);
            if (typeof found !== 'string') return found;
        }
        const language = this.#table.get(input.language);
        const usable =
            language === undefined ? 'no such language in the table' : await this.#usableOf(language);
        if (typeof usable !== 'string') return usable;
        throw new Failed({ reason: 'compiler', message: `no toolchain for ${input.language}: ${usable}` });
    }

    #usableOf(language: Language): Promise<UsableLanguage | string> {
        let usable = this.#usable.get(language.tag);
        if (usable === undefined) {
            usable = usableLanguage(language, this.#toolchains);
            this.#usable.set(language.tag, usable);
        }
        return usable;
    }

    async close(): Promise<void> {
        await this.#checkers.close();
        await this.sandbox.close();
    }
}

interface Judgement {
    readonly judged: JudgeResult;
    readonly suspect: Extract<Outcome, { kind: 'verdict' }>['suspect'];
}

/** What an attempt holds, and gives back when it ends: at once when the run is stopped. */
class OneAttempt {
    readonly #cleanups: (() => Promise<void>)[] = [];
    readonly #aborted: Promise<never>;
    #box: Box | null = null;
    #onAbort: () => void = () => {};

    constructor(private readonly signal: AbortSignal) {
        this.#aborted = new Promise((_, reject) => {
            this.#onAbort = () => reject(new Error('aborted'));
        });
        this.#aborted.catch(() => {});
        signal.addEventListener('abort', this.#onAbort, { once: true });
    }

    until<T>(work: Promise<T>): Promise<T> {
        return Promise.race([work, this.#aborted]);
    }

    owns(box: Box): void {
        this.#box = box;
        // Opened just as the run was stopped: nobody else will close it.
        if (this.signal.aborted) void box.close();
    }

    atEnd(cleanup: () => Promise<void>): void {
        this.#cleanups.push(cleanup);
    }

    async end(): Promise<void> {
        this.signal.removeEventListener('abort', this.#onAbort);
        const closed = this.#box?.close();
        // The next task need not wait until the last trace is gone; a stopped run must.
        if (this.signal.aborted) await closed;
        await Promise.all(this.#cleanups.map((cleanup) => cleanup()));
    }
}

function failureOf(error: unknown): Failure {
    if (error instanceof Failed || error instanceof CheckerError) return error.failure;
    if (error instanceof SandboxError) return { reason: 'sandbox', message: error.message };
    // Flags in the dataset that the checker does not know.
    if (error instanceof UserError) return { reason: 'judge-error', message: error.message };
    throw error;
}

function runCommand(
    usable: UsableLanguage,
    box: Box,
    program: Program,
    limits: Limits,
): [string, ...string[]] {
    const memory = Math.max(16, Math.floor(limits.memory / MIB));
    return fillIn(usable.run, {
        source: `${box.source}/${program.main}`,
        dir: box.source,
        out: `${box.source}/main`,
        class: program.mainClass,
        memory_mb: String(memory),
        stack_mb: String(Math.max(1, Math.min(LARGEST_JAVA_STACK_MB, Math.floor(memory / 4)))),
    });
}

function judgeResult(verdict: JudgeResult['verdict'], tests: readonly TestResult[]): JudgeResult {
    return {
        accepted: verdict === 'Accepted',
        verdict,
        ...(tests.some((test) => test.near_limit) ? { near_limit: true } : {}),
        tests,
    };
}

/** One test stands for all: the program was never run. */
function compileError(result: RunResult, outputLimit: number, compiler: string | null): Judgement {
    const test: TestResult = {
        passed: false,
        verdict: 'CompileError',
        cpu_time: null,
        wall_time: null,
        memory: null,
        exec_info: {
            status: 'Failed',
            compile_result: {
                ...result,
                stdout: result.stdout.slice(0, outputLimit),
                stderr: result.stderr.slice(0, outputLimit),
            },
            run_result: null,
        },
    };
    const judged = judgeResult('CompileError', [test]);
    return { judged: compiler === null ? judged : { ...judged, compiler }, suspect: null };
}
