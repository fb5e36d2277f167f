import { randomBytes } from 'node:crypto';
import { readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { Failure } from '../../model/failure.js';
import { type Limits, getMemoryBound } from '../../model/limits.js';
import type { ProgramInput, StagedTest } from '../../model/sample.js';
import type { AttemptedBy, Outcome, Task } from '../../model/task.js';
import { unreachable } from '../../util/unreachable.js';
import { type CheckOutput, compareWithAnswer } from '../check-output.js';
import type { JudgeDescriptor } from './judge-kind.js';
import type { Executor, ExecutorContext } from '../executor.js';
import { findOpenDoubt, type Judged, judgeTests } from '../judge-tests.js';
import { compileErrorResult, withAdaptations } from '../judged-result.js';
import type { Box } from '../sandbox/box.js';
import { Sandbox } from '../sandbox/sandbox.js';
import type { PlacedFile, RunLimits } from '../sandbox/wire.js';
import { CheckerPrograms } from './checker-program.js';
import { chooseRun } from './choose-run.js';
import { fillIn } from './command.js';
import { Compiler, type Program } from './compile.js';
import { readHeaders } from './headers.js';
import { checkFailure } from './judge-programs.js';
import { ANSWERS } from './internal-languages.js';
import type { Language } from './language.js';
import { buildLanguageTable } from './languages.js';
import { COMPILE_LIMITS, buildProgramLimits, SCRATCH_BYTES } from './limits.js';
import { wrapNamedFiles } from './named-files.js';
import { findNewestFeature } from './missing-feature.js';
import { describeMissing, findMissingImport, type MissingImport } from './missing-import.js';
import { ImportProbe } from './probe-import.js';
import { findSyntaxError } from './syntax-check.js';
import { StagedSamples } from './staged-samples.js';
import { layOut, type PlacedSubmission } from './submission.js';
import { describeCompiler, Toolchains, type UsableLanguage, findUsableLanguage } from './toolchains.js';
import { type AdaptedFiles, adaptFiles } from './windows-programs.js';

const MIB = 1024 * 1024;
const MAX_JAVA_STACK_MB = 64;

/**
 * Judges programs on this machine: compiles each once, runs its tests in one sandbox and compares its output.
 * @throws UserError (exit 2) if `--include-dir` is unusable
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

/** A task ended without a verdict. */
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

    constructor(
        private readonly descriptor: JudgeDescriptor,
        private readonly sandbox: Sandbox,
        private readonly compiler: Compiler,
    ) {
        const { languages: overrides, python2As3, adaptWindows, scratch } = descriptor;
        this.#table = buildLanguageTable({ overrides, python2As3 });
        this.#toolchains = new Toolchains(descriptor.sandbox);
        const usable = (language: Language): Promise<UsableLanguage | string> => this.#findUsable(language);
        this.#checkers = new CheckerPrograms({
            sandbox,
            compiler,
            scratch,
            adaptWindows,
            table: this.#table,
            usable,
        });
        this.#imports = new ImportProbe(sandbox, scratch);
    }

    get #by(): AttemptedBy {
        const { cgroup } = this.sandbox;
        return { api_used: 'local', sandbox: this.descriptor.sandbox, ...(cgroup === 0 ? {} : { cgroup }) };
    }

    async run(task: Task, { signal }: ExecutorContext): Promise<Outcome> {
        if (signal.aborted) return { kind: 'abort' };
        const attempt = new OneAttempt(signal);
        try {
            return this.#outcome(await attempt.until(this.#judge(task, attempt)));
        } catch (error) {
            if (signal.aborted) return { kind: 'abort' };
            return { kind: 'failure', failure: toFailure(error), by: this.#by };
        } finally {
            await attempt.end();
        }
    }

    #outcome(judged: Judged): Outcome {
        switch (judged.kind) {
            case 'abort':
                return judged;
            case 'failed':
                return { kind: 'failure', failure: judged.failure, by: this.#by };
            case 'judged': {
                const { result, suspect, isPartial = false } = judged;
                const { verdict } = result;
                return { kind: 'verdict', verdict, result, suspect, isPartial, by: this.#by };
            }
            default:
                return unreachable(judged, 'judgement');
        }
    }

    async #judge(task: Task, attempt: OneAttempt): Promise<Judged> {
        const { input, limits, stage } = task;
        if (input.kind !== 'program' || limits === null || stage === null) {
            throw new Error('bug in resume-run: the judge was given a task that is not a program');
        }
        const sample = await this.#samples.get(stage);
        const usable = await this.#chooseLanguage(input);
        const folder = join(this.descriptor.scratch, `submission-${randomBytes(8).toString('hex')}`);
        attempt.atEnd(() => rm(folder, { recursive: true, force: true }));
        const { files: sources, adapted } = await this.#adapt(input, usable);
        const submission = await layOut({ files: sources }, usable.language, folder);
        const compiled = await this.compiler.compile(usable, submission);
        if (compiled.kind === 'failure') throw new Failed(compiled.failure);
        if (compiled.kind === 'error') {
            await this.#refuseMissing(
                usable,
                submission,
                (sources) =>
                    findMissingImport(usable.language.tag, compiled.result.stderr, sources) ??
                    findNewestFeature(usable.language.tag, sources),
            );
            const result = compileErrorResult(compiled.result, this.descriptor, describeCompiler(usable));
            return {
                kind: 'judged',
                result: withAdaptations(result, adapted),
                suspect: findOpenDoubt(task, compiled.doubt),
                decidedBy: null,
            };
        }
        const { files } = compiled.program;
        const openBox = async (more: readonly PlacedFile[] = []): Promise<Box> =>
            attempt.owns(
                await this.sandbox.open({
                    files: [...files, ...more],
                    roots: usable.roots,
                    scratchBytes: SCRATCH_BYTES,
                }),
            );
        const box = await openBox();
        const program = {
            box,
            openBox,
            argv: (inside: Box, test: StagedTest): readonly [string, ...string[]] =>
                wrapNamedFiles(sample.namedFiles, [
                    ...runCommand(usable, inside, compiled.program, limits),
                    ...listArguments(usable.language, test),
                ]),
            language: usable.language,
            limits,
            runLimits: buildProgramLimits(limits, usable.language),
        };
        const judged = await judgeTests({
            task,
            limits,
            sample,
            options: this.descriptor,
            firstTimeout: null,
            check: this.#check,
            grade: (...asked) => this.#checkers.grade(...asked),
            run: chooseRun({
                sample,
                program,
                submission,
                openProgram: async (source, more) => {
                    const ready = await this.#checkers.open(source, more);
                    attempt.owns(ready.box);
                    return ready;
                },
                check: this.#check,
                scratch: this.descriptor.scratch,
            }),
        });
        if (judged.kind === 'judged' && judged.decidedBy?.verdict === 'RuntimeError') {
            const { stderr } = judged.decidedBy;
            const said = Buffer.isBuffer(stderr) ? stderr.toString() : '';
            await this.#refuseMissing(usable, submission, (sources) =>
                findMissingImport(usable.language.tag, said, sources),
            );
            const source = `${box.source}/${compiled.program.main}`;
            const refused = await findSyntaxError(usable, box, source, judged.decidedBy, said);
            if (refused !== null) {
                const result = compileErrorResult(refused, this.descriptor, describeCompiler(usable));
                return { ...judged, result, suspect: null, decidedBy: null };
            }
        }
        return judged.kind === 'judged'
            ? { ...judged, result: withAdaptations(judged.result, adapted) }
            : judged;
    }

    /** The files to compile; those of programs written for Windows judges are adapted so that they compile here. */
    #adapt({ files }: ProgramInput, { language }: UsableLanguage): Promise<AdaptedFiles> {
        return this.descriptor.adaptWindows
            ? adaptFiles(files, language.tag)
            : Promise.resolve({ files, adapted: [] });
    }

    /** A program that needs something this machine lacks gets no verdict. @throws Failed */
    async #refuseMissing(
        usable: UsableLanguage,
        submission: PlacedSubmission,
        find: (sources: readonly string[]) => MissingImport | null,
    ): Promise<void> {
        const sources = await Promise.all(submission.files.map(({ host }) => readFile(host, 'latin1')));
        const missing = find(sources);
        if (missing === null || !(await this.#imports.isMissing(usable, missing))) return;
        const message = describeMissing(missing, usable.language.name, 'on this machine');
        throw new Failed({ reason: 'environment', message });
    }

    readonly #check: CheckOutput = (checker, test, output) =>
        checker.kind === 'program'
            ? this.#checkers.check(checker, test, output)
            : compareWithAnswer(checker, test, output);

    async #chooseLanguage(input: ProgramInput): Promise<UsableLanguage> {
        const preferred = input.preferred === undefined ? undefined : this.#table.get(input.preferred);
        if (preferred !== undefined) {
            const found = await this.#findUsable(preferred);
            if (typeof found !== 'string') return found;
        }
        const language = this.#table.get(input.language);
        const usable =
            language === undefined ? 'no such language in the table' : await this.#findUsable(language);
        if (typeof usable !== 'string') return usable;
        throw new Failed({ reason: 'compiler', message: `no toolchain for ${input.language}: ${usable}` });
    }

    #findUsable(language: Language): Promise<UsableLanguage | string> {
        let usable = this.#usable.get(language.tag);
        if (usable === undefined) {
            usable = findUsableLanguage(language, this.#toolchains);
            this.#usable.set(language.tag, usable);
        }
        return usable;
    }

    async close(): Promise<void> {
        await this.#checkers.close();
        await this.sandbox.close();
    }
}

/** The resources of an attempt, which are released when it ends, or at once if the run is stopped. */
class OneAttempt {
    readonly #cleanups: (() => Promise<void>)[] = [];
    readonly #aborted: Promise<never>;
    readonly #boxes: Box[] = [];
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

    owns(box: Box): Box {
        this.#boxes.push(box);
        // Opened just as the run was stopped, so nothing else will close it.
        if (this.signal.aborted) void box.close();
        return box;
    }

    atEnd(cleanup: () => Promise<void>): void {
        this.#cleanups.push(cleanup);
    }

    async end(): Promise<void> {
        this.signal.removeEventListener('abort', this.#onAbort);
        const closed = Promise.all(this.#boxes.map((box) => box.close()));
        // The next task need not wait for the clean-up to finish; a stopped run must.
        if (this.signal.aborted) await closed;
        await Promise.all(this.#cleanups.map((cleanup) => cleanup()));
    }
}

function toFailure(error: unknown): Failure {
    return error instanceof Failed ? error.failure : checkFailure(error);
}

/** Answers are looked up by the test's name; programs get the arguments of the test. */
const listArguments = ({ tag }: Language, { name, args = [] }: StagedTest): readonly string[] =>
    tag === ANSWERS ? [name] : args;

function runCommand(
    usable: UsableLanguage,
    box: Box,
    program: Program,
    limits: Limits,
): [string, ...string[]] {
    const memory = Math.max(16, Math.floor(getMemoryBound(limits) / MIB));
    return fillIn(usable.run, {
        source: `${box.source}/${program.main}`,
        dir: box.source,
        out: `${box.source}/main`,
        class: program.mainClass,
        memory_mb: String(memory),
        stack_mb: String(Math.max(1, Math.min(MAX_JAVA_STACK_MB, Math.floor(memory / 4)))),
    });
}
