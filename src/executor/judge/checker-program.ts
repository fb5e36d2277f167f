import { randomBytes } from 'node:crypto';
import { readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Failure } from '../../model/failure.js';
import { checkerDigest } from '../../model/fingerprint.js';
import type { CheckerProgram, StagedTest } from '../../model/sample.js';
import { messageOf } from '../../util/message.js';
import { UserError } from '../../util/user-error.js';
import type { Comparison } from '../checker/comparison.js';
import type { Box, RunReport } from '../sandbox/box.js';
import type { Sandbox } from '../sandbox/sandbox.js';
import { SandboxError } from '../sandbox/sandbox-error.js';
import { GIVEN_PATHS, unpack } from '../sandbox/wire.js';
import { signalName } from '../signal-name.js';
import { fillIn } from './command.js';
import type { Compiler, Program } from './compile.js';
import { type Language, languageOfFile } from './languages.js';
import { CHECKER_MEMORY, CHECKER_TIME, programLimits, SCRATCH_BYTES } from './limits.js';
import { layOut } from './submission.js';
import type { UsableLanguage } from './toolchains.js';
import { adaptFiles } from './windows-programs.js';

/** The checker said neither yes nor no. */
export class CheckerError extends Error {
    override readonly name = 'CheckerError';

    constructor(readonly failure: Failure) {
        super(failure.message);
    }
}

/**
 * The failure that an error stands for which a check or the sandbox threw.
 * @throws the error itself, where it is a bug of ours
 */
export function checkFailure(error: unknown): Failure {
    if (error instanceof CheckerError) return error.failure;
    if (error instanceof SandboxError) return { reason: 'sandbox', message: error.message };
    // Flags in the dataset that the checker does not know.
    if (error instanceof UserError) return { reason: 'judge-error', message: error.message };
    throw error;
}

function judgeError(message: string): CheckerError {
    return new CheckerError({ reason: 'judge-error', message });
}

interface ReadyChecker {
    readonly checker: CheckerProgram;
    readonly usable: UsableLanguage;
    readonly box: Box;
    readonly program: Program;
}

/** What checkers need of the judge. */
export interface CheckerTools {
    readonly sandbox: Sandbox;
    readonly compiler: Compiler;
    readonly scratch: string;
    /** See `LocalOptions`: checkers come from the same places as programs. */
    readonly adaptWindows: boolean;
    readonly table: ReadonlyMap<string, Language>;
    /** A text says why the language cannot run here. */
    readonly usable: (language: Language) => Promise<UsableLanguage | string>;
}

/** Checkers kept ready: more than the samples that are usually in work at once. */
const KEPT = 4;
const MESSAGE_BYTES = 1024;
const FEEDBACK_BYTES = 16 * 1024 * 1024;

/** Runs checker programs in the sandbox; each is compiled once and keeps one box for all that it checks. */
export class CheckerPrograms {
    readonly #ready = new Map<string, Promise<ReadyChecker>>();
    /** A box does one thing after the other; so do we, for a run and the collecting of its feedback belong together. */
    #last: Promise<unknown> = Promise.resolve();

    constructor(private readonly tools: CheckerTools) {}

    /**
     * @throws CheckerError if the checker broke its convention or could not be built; SandboxError if the sandbox broke
     */
    check(
        checker: CheckerProgram,
        test: StagedTest,
        output: Buffer | { readonly path: string },
    ): Promise<Comparison> {
        const turn = this.#last.then(() => this.#check(checker, test, output));
        this.#last = turn.catch(() => {});
        return turn;
    }

    async #check(
        checker: CheckerProgram,
        test: StagedTest,
        output: Buffer | { readonly path: string },
    ): Promise<Comparison> {
        const ready = await this.#prepare(checker);
        const flags = [...checker.flags, ...(test.checkerFlags ?? [])];
        const file = await this.#asFile(output);
        try {
            return checker.convention === 'testlib'
                ? await this.#testlib(ready, test, file.path)
                : await this.#kattis(ready, test, file.path, flags);
        } finally {
            if (file.ours) await rm(file.path, { force: true });
        }
    }

    async #asFile(output: Buffer | { readonly path: string }): Promise<{ path: string; ours: boolean }> {
        if (!Buffer.isBuffer(output)) return { path: output.path, ours: false };
        const path = join(this.tools.scratch, `checked-${randomBytes(8).toString('hex')}`);
        await writeFile(path, output, { mode: 0o600 });
        return { path, ours: true };
    }

    async #prepare(checker: CheckerProgram): Promise<ReadyChecker> {
        const key = checkerDigest(checker);
        const known = this.#ready.get(key);
        if (known !== undefined) {
            const ready = await known;
            if (ready.box.alive) return ready;
        }
        const fresh = this.#build(checker);
        this.#ready.delete(key);
        this.#ready.set(key, fresh);
        fresh.catch(() => this.#ready.delete(key));
        await this.#evict();
        return fresh;
    }

    async #evict(): Promise<void> {
        for (const [key, old] of this.#ready) {
            if (this.#ready.size <= KEPT) return;
            this.#ready.delete(key);
            const ready = await old.catch(() => null);
            void ready?.box.close();
        }
    }

    async #build(checker: CheckerProgram): Promise<ReadyChecker> {
        const { tools } = this;
        const [main] = checker.files;
        const language =
            checker.language === null
                ? languageOfFile(tools.table, main.name)
                : (tools.table.get(checker.language.toUpperCase()) ?? null);
        if (language === null) throw judgeError(`the checker ${main.name} is in no language of the table`);
        const usable = await tools.usable(language);
        if (typeof usable === 'string')
            throw judgeError(`no toolchain for the checker ${main.name}: ${usable}`);
        const folder = join(tools.scratch, `checker-${randomBytes(8).toString('hex')}`);
        const { files } = tools.adaptWindows ? await adaptFiles(checker.files, language.tag) : checker;
        const submission = await layOut({ files }, language, folder);
        const compiled = await tools.compiler.compile(usable, submission);
        if (compiled.kind === 'failure') throw new CheckerError(compiled.failure);
        if (compiled.kind === 'error') throw judgeError(complaint(main.name, compiled.result.stderr));
        if (compiled.kind === 'limit') throw judgeError(compiled.result.stderr.split('\n', 1)[0] ?? '');
        const { program } = compiled;
        const box = await tools.sandbox.open({
            files: program.files,
            roots: usable.roots,
            scratchBytes: SCRATCH_BYTES,
        });
        return { checker, usable, box, program };
    }

    /** `checker in out ans`; what it has to say is on stderr. */
    async #testlib(ready: ReadyChecker, test: StagedTest, output: string): Promise<Comparison> {
        const report = await ready.box.run({
            argv: command(ready, GIVEN_PATHS),
            stdin: null,
            given: [test.input, output, test.answer],
            limits: limitsOf(ready),
        });
        const message = firstWords(report.stderr);
        const code = exitCodeOf(report, message);
        if (code === 0) return { accepted: true, message: null };
        if (code === 1 && threw(report, ready.usable.language.tag))
            throw judgeError(`the checker ended by an exception: ${lastWords(report.stderr)}`);
        if (code === 1 || code === 2 || code === 4 || code === 8 || code >= 16)
            return { accepted: false, message };
        throw judgeError(`the checker exited with ${code}, which says neither right nor wrong: ${message}`);
    }

    /** `validator in ans feedbackdir flags < out`; what it has to say is in `judgemessage.txt` of that folder. */
    async #kattis(
        ready: ReadyChecker,
        test: StagedTest,
        output: string,
        flags: readonly string[],
    ): Promise<Comparison> {
        const { box } = ready;
        const feedback = `${box.work}/feedback`;
        const [input, answer] = GIVEN_PATHS;
        const report = await box.run({
            argv: [
                '/bin/sh',
                '-c',
                'mkdir feedback && exec "$0" "$@"',
                ...command(ready, [input, answer, `${feedback}/`, ...flags]),
            ],
            stdin: { path: output },
            given: [test.input, test.answer],
            limits: limitsOf(ready),
            keep: true,
        });
        const message = (await this.#feedback(box, feedback)) || firstWords(report.stderr);
        const code = exitCodeOf(report, message);
        if (code === 42) return { accepted: true, message: null };
        if (code === 43) return { accepted: false, message };
        throw judgeError(`the validator exited with ${code}, expected 42 or 43: ${message}`);
    }

    async #feedback(box: Box, folder: string): Promise<string> {
        const bundle = join(this.tools.scratch, `feedback-${randomBytes(8).toString('hex')}`);
        try {
            await box.collect(folder, bundle, FEEDBACK_BYTES);
            for (const file of unpack(await readFile(bundle))) {
                if (file.name === 'judgemessage.txt') return firstWords(file.content);
            }
        } catch (error) {
            return messageOf(error);
        } finally {
            await rm(bundle, { force: true });
        }
        return '';
    }

    async close(): Promise<void> {
        const all = [...this.#ready.values()];
        this.#ready.clear();
        await Promise.all(all.map(async (one) => (await one.catch(() => null))?.box.close()));
    }
}

function complaint(name: string, stderr: string): string {
    const hint = stderr.includes('testlib.h') ? '; name the folder of testlib.h by --include-dir' : '';
    return `the checker ${name} does not compile: ${firstWords(Buffer.from(stderr))}${hint}`;
}

function limitsOf({ checker, usable }: ReadyChecker): ReturnType<typeof programLimits> {
    const limits = {
        time: checker.time ?? CHECKER_TIME,
        memory: checker.memory ?? CHECKER_MEMORY,
        output: FEEDBACK_BYTES,
    };
    return programLimits(limits, usable.language);
}

function command({ box, usable, program }: ReadyChecker, args: readonly string[]): [string, ...string[]] {
    const [first, ...rest] = fillIn(usable.run, {
        source: `${box.source}/${program.main}`,
        dir: box.source,
        out: `${box.source}/main`,
        class: program.mainClass,
        memory_mb: String(Math.floor(CHECKER_MEMORY / 1024 ** 2)),
        stack_mb: '64',
    });
    return [first, ...rest, ...args];
}

function exitCodeOf(report: RunReport, message: string): number {
    if (report.startErrno !== 0)
        throw judgeError(`the checker could not be started (error ${report.startErrno})`);
    if (report.limit !== null) throw judgeError(`the checker was stopped at its ${report.limit} limit`);
    if (report.signal !== null)
        throw judgeError(`the checker died by ${signalName(report.signal)}: ${message}`);
    return report.exitCode ?? 0;
}

/** What interpreters write, at the start of a line, when nobody catches an exception; they then exit with testlib's "wrong". */
const EXCEPTIONS: Readonly<Record<string, RegExp>> = {
    PYTHON: /^Traceback \(most recent call last\):$/m,
    PYTHON3: /^Traceback \(most recent call last\):$|^ *SyntaxError: /m,
    JAVA: /^Exception in thread "/m,
    KOTLIN: /^Exception in thread "/m,
    JAVASCRIPT: /^Node\.js v\d/m,
    TYPESCRIPT: /^Node\.js v\d/m,
};

/** A checker that crashed, though its exit code says "wrong". */
function threw(report: RunReport, tag: string): boolean {
    return EXCEPTIONS[tag]?.test(report.stderr.toString()) ?? false;
}

/** The end is where an exception says what it is. */
function lastWords(stderr: Buffer): string {
    return firstWords(stderr.subarray(-MESSAGE_BYTES));
}

/** What a checker said, on one short line. */
function firstWords(bytes: Buffer): string {
    return bytes.subarray(0, MESSAGE_BYTES).toString().replace(/\s+/g, ' ').trim();
}
