import { createHash, randomBytes } from 'node:crypto';
import { readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { CapturedRun } from '../../model/entry.js';
import type { Failure } from '../../model/failure.js';
import { makeTextContent } from '../../model/fingerprint.js';
import type { Suspicion } from '../../model/task.js';
import type { Box, RunReport } from '../sandbox/box.js';
import type { Sandbox } from '../sandbox/sandbox.js';
import { SandboxError } from '../sandbox/sandbox-error.js';
import { type PackedFile, type PlacedFile, type RunLimits, unpack } from '../sandbox/wire.js';
import { BuildCache } from './build-cache.js';
import { fillIn, listVariants } from './command.js';
import { type CachedCompilation, CompileCache } from './compile-cache.js';
import type { Headers } from './headers.js';
import { type Language, startsWhatItCompiles } from './language.js';
import { COMPILED_HELLO_WORLDS } from './hello.js';
import { COMPILE_LIMITS, COMPILE_SCRATCH_BYTES, COMPILED_BYTES } from './limits.js';
import { toCompilerResult } from './program-run.js';
import type { PlacedSubmission } from './submission.js';
import { layOut } from './submission.js';
import type { UsableLanguage } from './toolchains.js';

/** A runnable program: the files to put into its box. */
export interface Program {
    readonly files: readonly PlacedFile[];
    readonly main: string;
    readonly mainClass: string;
}

export type Compilation =
    | { readonly kind: 'program'; readonly program: Program }
    /**
     * `doubt`: the machine may be to blame, so the error is final only once it has been repeated; null: the program is to blame.
     */
    | { readonly kind: 'error'; readonly result: CapturedRun; readonly doubt: Suspicion | null }
    | { readonly kind: 'failure'; readonly failure: Failure };

/** Bytes of compiler output kept in the cache; how much goes into results is decided later. */
const MESSAGE_BYTES = 16 * 1024;

/**
 * What compilers print when the machine fails them. A program can cause such output too (compilers quote its lines), so it is a
 * doubt and not a failure.
 */
const MACHINE_FAILED =
    /No space left on device|virtual memory exhausted|out of memory allocating|Cannot allocate memory|Killed signal terminated|insufficient memory for the Java Runtime|Resource temporarily unavailable/i;

/** A compilation that may have failed because of the machine; never cached. */
interface DoubtfulCompilation {
    readonly result: CapturedRun;
    readonly doubt: Suspicion;
}

/** Compiles submissions in the sandbox, each distinct content once. */
export class Compiler {
    readonly #cache: CompileCache;
    readonly #libraries: BuildCache;
    readonly #trusted = new Map<string, Promise<boolean>>();

    constructor(
        private readonly sandbox: Sandbox,
        private readonly scratch: string,
        compileCache: string,
        private readonly headers: Headers,
        private readonly limits: RunLimits = COMPILE_LIMITS,
    ) {
        this.#cache = new CompileCache(compileCache);
        this.#libraries = new BuildCache(compileCache);
    }

    /** Keeps the cache within its size; call at the start of a worker. */
    trim(): Promise<void> {
        return this.#cache.trimNowAndThen();
    }

    /** @throws SandboxError if the sandbox failed */
    async compile(usable: UsableLanguage, submission: PlacedSubmission): Promise<Compilation> {
        const { main, mainClass } = submission;
        if (usable.compile === null) {
            return { kind: 'program', program: { files: submission.files, main, mainClass } };
        }
        const key = this.#key(usable, submission);
        const cached = await this.#cache.get(key);
        // Earlier versions also cached programs that cannot be started.
        const isKept = cached !== null && (cached.files === null || hasProgram(usable, cached.files));
        const done = isKept ? cached : await this.#build(usable, submission, key);
        if ('reason' in done) return { kind: 'failure', failure: done };
        if ('doubt' in done) return this.#believed(usable, { kind: 'error', ...done });
        if (done.files === null) {
            return this.#believed(usable, { kind: 'error', result: done.result, doubt: null });
        }
        const files = done.files.map(({ name, mode }) => ({
            host: join(done.folder, 'files', name),
            name,
            mode,
        }));
        return { kind: 'program', program: { files, main, mainClass } };
    }

    #key(usable: UsableLanguage, submission: PlacedSubmission): string {
        const files = submission.files.map((file) => [file.name, file.digest]);
        const { compiler, compile, language } = usable;
        const facts = [
            1,
            language.tag,
            compile,
            compiler?.path,
            compiler?.version,
            this.headers.digest,
            files,
        ];
        return createHash('sha256').update(JSON.stringify(facts)).digest('hex');
    }

    async #build(
        usable: UsableLanguage,
        submission: PlacedSubmission,
        key: string,
    ): Promise<CachedCompilation | DoubtfulCompilation | Failure> {
        const { language } = usable;
        const library = await this.#libraries.get(usable);
        const box = await this.sandbox.open({
            files: [...submission.files, ...this.headers.files],
            roots: [...usable.roots, ...(library === null ? [] : [library])],
            scratchBytes: COMPILE_SCRATCH_BYTES,
            compiles: true,
        });
        const bundle = join(this.scratch, `bundle-${randomBytes(8).toString('hex')}`);
        try {
            const out = `${box.work}/out`;
            const dir = language.compilesCopy === true ? `${box.work}/src` : box.source;
            const placeholders = {
                source: `${dir}/${submission.main}`,
                sources: submission.files
                    .filter((file) => language.extensions.some((extension) => file.name.endsWith(extension)))
                    .map((file) => `${dir}/${file.name}`),
                includes: this.headers.folders.map((folder) => `-I${box.source}/${folder}`),
                dir,
                out: language.makes === 'folder' ? out : `${out}/main`,
            };
            let complaint: CapturedRun | null = null;
            let doubt: Suspicion | null = null;
            for (const variant of listVariants(usable.compile ?? [])) {
                const copied = dir === box.source ? null : box.source;
                const command = withLibrary(fillIn(variant, placeholders), language, library);
                const report = await runCompiler(box, command, copied, this.limits);
                if (report.startErrno !== 0) return cannotStart(language.name);
                const stopped = stoppedAtLimit(report, language.name, this.limits);
                if (stopped !== null) return stopped;
                let result = toCompilerResult(report, MESSAGE_BYTES);
                if (report.exitCode === 0) {
                    const made = await collect(box, out, bundle);
                    const why = describeUnusableOutput(usable, made);
                    if (why === null) return await this.#cache.put(key, made, result);
                    result = refused(result, `the ${language.name} compiler ${why}`);
                    // The disk is full, or, in a language whose compilation runs programs, those left too much.
                    if (made === null) return { result, doubt: 'machine' };
                }
                complaint ??= result;
                if (report.signal !== null) return { result, doubt: 'signal' };
                if (MACHINE_FAILED.test(report.stderr.toString())) doubt = 'machine';
            }
            if (complaint === null) throw new Error('bug in resume-run: no command to compile with');
            if (doubt !== null) return { result: complaint, doubt };
            return await this.#cache.put(key, null, complaint);
        } finally {
            await rm(bundle, { force: true });
            void box.close();
        }
    }

    /**
     * The first error in a language counts only if the compiler can compile anything at all. An error for which the machine may
     * be to blame counts only if the compiler works right now.
     */
    async #believed(
        usable: UsableLanguage,
        complaint: Extract<Compilation, { kind: 'error' }>,
    ): Promise<Compilation> {
        const { tag, name } = usable.language;
        const isStale = complaint.doubt === 'machine' || complaint.doubt === 'signal';
        let trusted = isStale ? undefined : this.#trusted.get(tag);
        if (trusted === undefined) {
            trusted = this.#compilesHello(usable);
            this.#trusted.set(tag, trusted);
        }
        if (await trusted) return complaint;
        this.#trusted.delete(tag);
        const message = `the ${name} compiler ${usable.compiler?.path ?? ''} cannot compile a hello-world`;
        return { kind: 'failure', failure: { reason: 'compiler', message } };
    }

    async #compilesHello(usable: UsableLanguage): Promise<boolean> {
        const { language } = usable;
        const text = COMPILED_HELLO_WORLDS[language.tag];
        if (text === undefined) return true;
        const folder = join(this.scratch, `hello-${randomBytes(8).toString('hex')}`);
        try {
            const files = [{ name: language.source, content: makeTextContent(text) }] as const;
            const submission = await layOut({ files }, language, folder);
            const done = await this.#build(usable, submission, this.#key(usable, submission));
            return 'files' in done && done.files !== null;
        } finally {
            await rm(folder, { recursive: true, force: true });
        }
    }
}

/** The command, with the location of the compiled standard library. */
function withLibrary(
    command: readonly string[],
    { standardLibrary }: Language,
    folder: string | null,
): readonly string[] {
    if (folder === null || standardLibrary === undefined) return command;
    return ['/usr/bin/env', `${standardLibrary.cacheVariable}=${folder}`, ...command];
}

/** @param copied the folder to copy to `src` in the work folder first; null: none */
function runCompiler(
    box: Box,
    command: readonly string[],
    copied: string | null,
    limits: RunLimits,
): Promise<RunReport> {
    const copy = copied === null ? '' : ` && rm -rf src && cp -r ${copied} src && chmod -R u+w src`;
    return box.run({
        argv: ['/bin/sh', '-c', `rm -rf out && mkdir out${copy} && exec "$0" "$@"`, ...command],
        stdin: null,
        limits,
        keep: true,
    });
}

/** The compiler's output files; null if they are too large or cannot be read. @throws SandboxError if the box failed */
async function collect(box: Box, out: string, bundle: string): Promise<readonly PackedFile[] | null> {
    try {
        await box.collect(out, bundle, COMPILED_BYTES);
    } catch (error) {
        if (!(error instanceof SandboxError) || !box.alive) throw error;
        return null;
    }
    return [...unpack(await readFile(bundle))];
}

/** Why the compiler's output cannot be started; null: it can. */
function describeUnusableOutput(usable: UsableLanguage, made: readonly PackedFile[] | null): string | null {
    if (made === null) return 'produced output that is too large to keep';
    return hasProgram(usable, made) ? null : 'produced nothing that can be started';
}

/** In some languages, a library or a non-main package compiles successfully but cannot be started. */
const hasProgram = (
    { language }: UsableLanguage,
    files: readonly Pick<PackedFile, 'name' | 'mode'>[],
): boolean =>
    language.makes !== 'program' ||
    !startsWhatItCompiles(language) ||
    files.some(({ name, mode }) => name === 'main' && (mode & 0o111) !== 0);
/** Turns a successful compilation into a failed one. */
function refused(result: CapturedRun, why: string): CapturedRun {
    const said = result.stderr === '' || result.stderr.endsWith('\n') ? result.stderr : `${result.stderr}\n`;
    return { ...result, status: 'Error', stderr: `${said}${why}\n` };
}

/** Limits that a program can make its compiler exceed. */
const OF_THE_PROGRAM: ReadonlySet<RunReport['limit']> = new Set([
    'cpu',
    'memory',
    'output',
    'files',
] as const);

/**
 * The result of a compilation that was stopped at a limit; null if it was not. One that ran out of wall time may have waited for
 * the machine, or for something that its program included, such as a pipe.
 */
function stoppedAtLimit(report: RunReport, name: string, { cpu }: RunLimits): DoubtfulCompilation | null {
    // On a busy machine, the kernel's own limit, two seconds higher, may strike before we check.
    const limit = report.limit ?? (report.signal !== null && report.cpu >= cpu ? 'cpu' : null);
    if (limit === null) return null;
    const result = toCompilerResult(report, MESSAGE_BYTES);
    const status = limit === 'cpu' || limit === 'wall' ? 'TimeLimitExceeded' : 'Error';
    const message = `the ${name} compiler was stopped at its ${limit} limit`;
    return {
        result: { ...result, status, stderr: `${message}\n${result.stderr}` },
        doubt: OF_THE_PROGRAM.has(limit) ? 'compile-limit' : 'machine',
    };
}

const cannotStart = (name: string): Failure => ({
    reason: 'compiler',
    message: `the ${name} compiler could not be started`,
});
