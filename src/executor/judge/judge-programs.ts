import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import type { Failure } from '../../model/failure.js';
import type { SourceFile } from '../../model/sample.js';
import { ScoreError } from '../../model/scoring.js';
import { UserError } from '../../util/user-error.js';
import type { Box, RunReport } from '../sandbox/box.js';
import type { Sandbox } from '../sandbox/sandbox.js';
import { SandboxError } from '../sandbox/sandbox-error.js';
import type { PlacedFile, RunLimits } from '../sandbox/wire.js';
import { nameSignal } from '../signal-name.js';
import { fillIn } from './command.js';
import type { Compilation, Compiler, Program } from './compile.js';
import type { Language } from './language.js';
import { findLanguageByFile } from './languages.js';
import { CHECKER_MEMORY, CHECKER_TIME, buildProgramLimits, SCRATCH_BYTES } from './limits.js';
import { layOut } from './submission.js';
import type { UsableLanguage } from './toolchains.js';
import { adaptFiles } from './windows-programs.js';

/*
 * The programs that come with a problem: checkers, graders, interactors. Each is compiled once and keeps one box for all its
 * uses.
 */

/** A program of the problem broke its convention or could not be built. */
export class CheckerError extends Error {
    override readonly name = 'CheckerError';

    constructor(readonly failure: Failure) {
        super(failure.message);
    }
}

/**
 * The failure for an error thrown by a check or by the sandbox.
 * @throws the error itself if it is a bug in resume-run
 */
export function checkFailure(error: unknown): Failure {
    if (error instanceof CheckerError) return error.failure;
    if (error instanceof SandboxError) return { reason: 'sandbox', message: error.message };
    if (error instanceof ScoreError) return { reason: 'judge-error', message: error.message };
    // Flags in the dataset that the checker does not support.
    if (error instanceof UserError) return { reason: 'judge-error', message: error.message };
    throw error;
}

export function judgeError(message: string): CheckerError {
    return new CheckerError({ reason: 'judge-error', message });
}

/** A program of the problem, as given in the dataset. */
export interface JudgeProgram {
    /** Language tag; null: recognised by the main file's name. */
    readonly language: string | null;
    readonly files: readonly [SourceFile, ...SourceFile[]];
    /** Seconds; null or absent: the default. */
    readonly time?: number | null;
    /** Bytes; null or absent: the default. */
    readonly memory?: number | null;
    /** Most bytes that it may print and store, if more than `FEEDBACK_BYTES`. */
    readonly output?: number;
}

interface CompiledProgram {
    readonly usable: UsableLanguage;
    readonly program: Program;
}

export interface ReadyProgram extends CompiledProgram {
    readonly source: JudgeProgram;
    readonly box: Box;
    /** Its folder in the box. */
    readonly folder: string;
}

/** What running the programs of problems requires. */
export interface CheckerTools {
    readonly sandbox: Sandbox;
    readonly compiler: Compiler;
    readonly scratch: string;
    /** See `LocalOptions`: these programs come from the same sources as submissions. */
    readonly adaptWindows: boolean;
    readonly table: ReadonlyMap<string, Language>;
    /** A string is the reason why the language cannot run here. */
    readonly usable: (language: Language) => Promise<UsableLanguage | string>;
    /** Folder to place programs in, for programs that inspect the path by which they were started; absent: none. */
    readonly folder?: string;
}

export interface CompilingAhead {
    /** Starts no further compilation. */
    stop(): void;
    /** Never rejects. */
    readonly settled: Promise<unknown>;
}

/** Programs kept ready: more than the number of samples that are usually in progress at once. */
const KEPT = 6;
const MESSAGE_BYTES = 1024;
/**
 * Most bytes that a program of the problem may print, and most that it may store in its feedback folder, unless its package asks
 * for more.
 */
const FEEDBACK_BYTES = 16 * 1024 * 1024;

export class JudgePrograms {
    readonly #ready = new Map<string, Promise<ReadyProgram>>();
    readonly #compiling = new Map<string, Promise<CompiledProgram>>();

    constructor(
        private readonly tools: CheckerTools,
        /** Most boxes kept. */
        private readonly kept = KEPT,
    ) {}

    /** @param what for messages: `the checker` */
    async prepare(source: JudgeProgram, what: string): Promise<ReadyProgram> {
        const key = makeKey(source);
        const known = this.#ready.get(key);
        if (known !== undefined) {
            const ready = await known;
            if (ready.box.alive) return ready;
        }
        const fresh = this.#build(source, what);
        this.#ready.delete(key);
        this.#ready.set(key, fresh);
        fresh.catch(() => this.#ready.delete(key));
        await this.#evict();
        return fresh;
    }

    /** Opens a separate box, which the caller closes. */
    async open(source: JudgeProgram, what: string, more: readonly PlacedFile[]): Promise<ReadyProgram> {
        return this.#build(source, what, more);
    }

    /**
     * Compiles programs before they are needed, up to `atOnce` at a time. Errors are thrown when a program is actually requested.
     */
    compileAhead(
        programs: Iterable<readonly [source: JudgeProgram, what: string]>,
        atOnce: number,
    ): CompilingAhead {
        const queue = [...programs];
        const next = async (): Promise<void> => {
            for (let one = queue.shift(); one !== undefined; one = queue.shift()) {
                const [source, what] = one;
                await this.#compile(source, what).catch(() => {});
            }
        };
        const settled = Promise.all(Array.from({ length: atOnce }, next));
        return { stop: () => void queue.splice(0), settled };
    }

    async #evict(): Promise<void> {
        for (const [key, old] of this.#ready) {
            if (this.#ready.size <= this.kept) return;
            this.#ready.delete(key);
            const ready = await old.catch(() => null);
            void ready?.box.close();
        }
    }

    async #build(
        source: JudgeProgram,
        what: string,
        more: readonly PlacedFile[] = [],
    ): Promise<ReadyProgram> {
        const { usable, program } = await this.#compile(source, what);
        const { sandbox, folder } = this.tools;
        const files =
            folder === undefined
                ? program.files
                : program.files.map((file) => ({ ...file, name: `${folder}/${file.name}` }));
        const box = await sandbox.open({
            files: [...files, ...more],
            roots: usable.roots,
            scratchBytes: SCRATCH_BYTES,
        });
        return {
            source,
            usable,
            box,
            program,
            folder: folder === undefined ? box.source : `${box.source}/${folder}`,
        };
    }

    /** Reuses a compilation that is still in progress. */
    #compile(source: JudgeProgram, what: string): Promise<CompiledProgram> {
        const key = makeKey(source);
        const known = this.#compiling.get(key);
        if (known !== undefined) return known;
        const compiled = this.#compileNow(source, what).finally(() => this.#compiling.delete(key));
        this.#compiling.set(key, compiled);
        return compiled;
    }

    async #compileNow(source: JudgeProgram, what: string): Promise<CompiledProgram> {
        const { tools } = this;
        const [main] = source.files;
        const language =
            source.language === null
                ? findLanguageByFile(tools.table, main.name)
                : (tools.table.get(source.language.toUpperCase()) ?? null);
        if (language === null) throw judgeError(`${what} ${main.name} is in an unsupported language`);
        const usable = await tools.usable(language);
        if (typeof usable === 'string') throw judgeError(`no toolchain for ${what} ${main.name}: ${usable}`);
        const folder = join(tools.scratch, `checker-${randomBytes(8).toString('hex')}`);
        const { files } = tools.adaptWindows ? await adaptFiles(source.files, language.tag) : source;
        const submission = await layOut({ files }, language, folder);
        const compiled = await tools.compiler.compile(usable, submission);
        if (compiled.kind === 'failure') throw new CheckerError(compiled.failure);
        if (compiled.kind === 'error') throw refusedProgram(compiled, what, main.name);
        return { usable, program: compiled.program };
    }

    async close(): Promise<void> {
        const all = [...this.#ready.values()];
        this.#ready.clear();
        await Promise.all(all.map(async (one) => (await one.catch(() => null))?.box.close()));
    }
}

const makeKey = ({ language, files, time, memory, output }: JudgeProgram): string =>
    JSON.stringify([
        language,
        files.map((file) => [file.name, file.content.digest]),
        time ?? null,
        memory ?? null,
        output ?? null,
    ]);

/** The error for a program of the problem that does not compile; if the machine may be to blame, the next start tries again. */
function refusedProgram(
    { result: { stderr }, doubt }: Extract<Compilation, { kind: 'error' }>,
    what: string,
    name: string,
): CheckerError {
    if (doubt === 'compile-limit') return judgeError(stderr.split('\n', 1)[0] ?? '');
    const message = complaint(what, name, stderr);
    return doubt === null ? judgeError(message) : new CheckerError({ reason: 'compiler', message });
}

function complaint(what: string, name: string, stderr: string): string {
    const hint = stderr.includes('testlib.h') ? '; pass the folder of testlib.h with --include-dir' : '';
    return `${what} ${name} does not compile: ${firstWords(Buffer.from(stderr))}${hint}`;
}

/** Most bytes that a program of the problem may print, and most that it may store in its feedback folder. */
export const getOutputBound = ({ output = 0 }: Pick<JudgeProgram, 'output'>): number =>
    Math.max(FEEDBACK_BYTES, output);

export function chooseCheckerLimits({ source, usable }: Pick<ReadyProgram, 'source' | 'usable'>): RunLimits {
    const limits = {
        time: source.time ?? CHECKER_TIME,
        memory: source.memory ?? CHECKER_MEMORY,
        output: getOutputBound(source),
    };
    return buildProgramLimits(limits, usable.language);
}

export function buildCommand(
    { folder, usable, program }: Pick<ReadyProgram, 'folder' | 'usable' | 'program'>,
    args: readonly string[],
): [string, ...string[]] {
    const [first, ...rest] = fillIn(usable.run, {
        source: `${folder}/${program.main}`,
        dir: folder,
        out: `${folder}/main`,
        class: program.mainClass,
        memory_mb: String(Math.floor(CHECKER_MEMORY / 1024 ** 2)),
        stack_mb: '64',
    });
    return [first, ...rest, ...args];
}

/** @throws CheckerError if the program did not end by itself */
export function readExitCode(report: RunReport, message: string, what: string): number {
    if (report.startErrno !== 0)
        throw judgeError(`${what} could not be started (error ${report.startErrno})`);
    if (report.limit !== null) throw judgeError(`${what} was stopped at its ${report.limit} limit`);
    if (report.signal !== null)
        throw judgeError(`${what} was killed by ${nameSignal(report.signal)}: ${message}`);
    return report.exitCode ?? 0;
}

/** The last lines of stderr, which contain the message of an exception. */
export const lastWords = (stderr: Buffer): string => firstWords(stderr.subarray(-MESSAGE_BYTES));

/** What a program printed, on one short line. */
export const firstWords = (bytes: Buffer): string =>
    bytes.subarray(0, MESSAGE_BYTES).toString().replace(/\s+/g, ' ').trim();
