import { createHash } from 'node:crypto';
import { copyFile, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Content } from '../../model/sample.js';
import type {
    MadeFile,
    MadeTest,
    MakerProgram,
    ScriptRecipe,
    TestMaker,
    TestRecipe,
} from '../../model/test-recipe.js';
import type { LocalOptions } from '../descriptor.js';
import type { MakingOptions } from '../executor-kind.js';
import type { Box, RunReport } from '../sandbox/box.js';
import { Sandbox } from '../sandbox/sandbox.js';
import { SandboxError } from '../sandbox/sandbox-error.js';
import { type RunLimits, type Stdin, unpack } from '../sandbox/wire.js';
import { Compiler } from './compile.js';
import type { FinishedTests, TestPaths } from './finished-tests.js';
import { readHeaders } from './headers.js';
import {
    CheckerError,
    buildCommand,
    readExitCode,
    JudgePrograms,
    judgeError,
    firstWords,
    type ReadyProgram,
} from './judge-programs.js';
import { KeptTests } from './kept-tests.js';
import { buildLanguageTable } from './languages.js';
import { CHECKER_MEMORY, CHECKER_TIME, buildProgramLimits } from './limits.js';
import { digestScript, readMadeFiles, runTestScript } from './run-test-script.js';
import { Toolchains, findUsableLanguage } from './toolchains.js';

const MIB = 1024 * 1024;
/** Largest size of an input or answer, and of all tests of a package together, in bytes. */
const TEST_BYTES = 256 * MIB;
const ALL_BYTES = 4096 * MIB;
/** Room for an input and its answer. */
const COLLECTED_BYTES = 2 * TEST_BYTES;
const INDEX = 'index.json';
/**
 * A generator may be a link to an input validator: BAPCtools' validation.h generates tests if the path by which the program was
 * started contains a folder of this name.
 */
const GENERATORS = 'generators';

export type MakeTestsOptions = LocalOptions & MakingOptions;

/** Runs the generators and test scripts of packages in the sandbox. */
export class SandboxTestMaker implements TestMaker {
    readonly #kept: KeptTests;

    constructor(private readonly options: MakeTestsOptions) {
        this.#kept = new KeptTests(options);
    }

    make(what: string, recipes: readonly TestRecipe[]): Promise<readonly MadeTest[] | string> {
        return this.#kept.find({
            digest: digestRecipes(recipes),
            what,
            notice: async (unfinished) => announce(recipes.length, what, await unfinished.count()),
            read: readIndex,
            make: (folder, unfinished) => this.#makeAll(recipes, folder, unfinished),
        });
    }

    async runScript(what: string, recipe: ScriptRecipe): Promise<readonly MadeFile[] | string> {
        const { sandbox } = this.options;
        if (sandbox === 'none') return 'such scripts run under --sandbox bwrap or rlimit only';
        return this.#kept.find({
            digest: digestScript(recipe),
            what,
            notice: async () => `generating the tests of ${what} with ${recipe.script}`,
            read: readMadeFiles,
            make: (folder) =>
                this.#withSandbox((opened) => runTestScript(recipe, folder, opened, this.options)),
        });
    }

    /** The sandbox and everything in it is closed as soon as the run is stopped. */
    async #withSandbox(use: (sandbox: Sandbox) => Promise<void>): Promise<void> {
        const { sandbox: kind, scratch, signal } = this.options;
        const sandbox = await Sandbox.create(kind, scratch);
        const end = (): void => void sandbox.close();
        try {
            signal.addEventListener('abort', end);
            if (signal.aborted) throw new SandboxError('the run was stopped');
            await use(sandbox);
        } finally {
            signal.removeEventListener('abort', end);
            await sandbox.close();
        }
    }

    async #makeAll(recipes: readonly TestRecipe[], folder: string, finished: FinishedTests): Promise<void> {
        const left = recipes.slice(await finished.count());
        await this.#withSandbox(async (sandbox) => {
            const programs = await this.#programs(sandbox);
            const ahead = programs.compileAhead(listPrograms(left), this.options.concurrency);
            try {
                await makeEach(recipes, programs, finished);
            } finally {
                ahead.stop();
                await programs.close();
                // Ends compilations that are still in progress.
                await sandbox.close();
                await ahead.settled;
            }
        });
        for (const i of recipes.keys()) await finished.place(i, join(folder, String(i)));
        await writeFile(join(folder, INDEX), JSON.stringify(recipes.map(({ name }) => name)), {
            mode: 0o600,
        });
    }

    async #programs(sandbox: Sandbox): Promise<JudgePrograms> {
        const { options } = this;
        const { scratch, adaptWindows, languages: overrides, python2As3 } = options;
        const headers = await readHeaders(options.includeDirs);
        const compiler = new Compiler(sandbox, scratch, options.compileCache, headers);
        const toolchains = new Toolchains(options.sandbox);
        const table = buildLanguageTable({ overrides, python2As3 });
        return new JudgePrograms({
            sandbox,
            compiler,
            scratch,
            adaptWindows,
            table,
            usable: (language) => findUsableLanguage(language, toolchains),
            folder: GENERATORS,
        });
    }
}

async function makeEach(
    recipes: readonly TestRecipe[],
    programs: JudgePrograms,
    finished: FinishedTests,
): Promise<void> {
    let bytes = 0;
    for (const [i, recipe] of recipes.entries()) {
        bytes += await finished.add(i, (paths) => new OneTest(recipe, programs, paths).make());
        if (bytes > ALL_BYTES) throw judgeError(`its generators produce more than ${ALL_BYTES / MIB} MiB`);
    }
}

/** Generates one test, and its settings if its generator writes them. @throws CheckerError naming the test, SandboxError */
class OneTest {
    constructor(
        private readonly recipe: TestRecipe,
        private readonly programs: JudgePrograms,
        private readonly paths: TestPaths,
    ) {}

    async make(): Promise<void> {
        const { input, answer } = this.recipe;
        const { input: inPath, answer: answerPath } = this.paths;
        let answered = answer !== null;
        if (answer !== null) await writeContent(answer, answerPath);
        if (input.kind === 'content') await writeContent(input.content, inPath);
        else answered = (await this.#generate(input, inPath, answerPath)) || answered;
        if (!answered) await this.#solve(inPath, answerPath);
    }

    /** @returns whether it generated the answer, too */
    async #generate(
        { program, tries }: Extract<TestRecipe['input'], { readonly kind: 'program' }>,
        inPath: string,
        answerPath: string,
    ): Promise<boolean> {
        const { report, ready, what } = await this.#runFirst(program, tries);
        await writeOutput(report, inPath);
        const files = await this.#collect(ready.box, what);
        // The file names that older tools expect: there, files were named after the test.
        const base = this.recipe.name.slice(this.recipe.name.lastIndexOf('/') + 1);
        const written = (extension: string): Buffer | undefined =>
            files.get(`testcase.${extension}`) ?? files.get(`${base}.${extension}`);
        const input = written('in');
        if (input !== undefined) await writeFile(inPath, input, { mode: 0o600 });
        else if (report.stdoutBytes === 0) throw judgeError(`${what} produced no input`);
        const settings = written('yaml');
        if (settings !== undefined) await writeFile(this.paths.settings, settings, { mode: 0o600 });
        const answer = written('ans');
        if (answer === undefined || this.recipe.answer !== null) return false;
        await writeFile(answerPath, answer, { mode: 0o600 });
        return true;
    }

    /** Reads the files in the box's folder; regular files only. */
    async #collect(box: Box, what: string): Promise<ReadonlyMap<string, Buffer>> {
        const bundle = this.paths.scratch;
        await box.collect(box.work, bundle, COLLECTED_BYTES).catch((error: unknown) => {
            // If the box is still alive, the program is at fault.
            if (!(error instanceof SandboxError) || !box.alive) throw error;
            throw judgeError(`${what} wrote files of more than ${COLLECTED_BYTES / MIB} MiB`);
        });
        const files = [...unpack(await readFile(bundle))].map(
            ({ name, content }) => [name, content] as const,
        );
        await rm(bundle);
        return new Map(files);
    }

    async #solve(inPath: string, answerPath: string): Promise<void> {
        const { solution, name } = this.recipe;
        if (solution === null)
            throw judgeError(`its test ${name} has no answer, and no solution that could generate it`);
        const { report } = await this.#run(solution, [], { path: inPath });
        await writeOutput(report, answerPath);
    }

    /** A generator that fails is started again with the arguments for the next attempt. */
    async #runFirst(program: MakerProgram, tries: readonly (readonly string[])[]): Promise<ProgramOfTest> {
        for (const args of tries.slice(0, -1)) {
            try {
                return await this.#run(program, args, null);
            } catch (error) {
                if (!(error instanceof FailedProgram)) throw error;
            }
        }
        return this.#run(program, tries.at(-1) ?? [], null);
    }

    async #run(source: MakerProgram, args: readonly string[], stdin: Stdin): Promise<ProgramOfTest> {
        const what = describeMaker(source, this.recipe.name);
        const ready = await this.programs.prepare(source, what);
        const limits: RunLimits = buildProgramLimits(
            { time: CHECKER_TIME, memory: CHECKER_MEMORY, output: TEST_BYTES },
            ready.usable.language,
        );
        const report = await ready.box.run({
            argv: buildCommand(ready, args),
            stdin,
            limits,
            keep: stdin === null,
        });
        const said = readLastLine(report.stderr);
        const code = readExitCode(report, said, what);
        if (code !== 0) {
            // Discard its files before the next attempt.
            await ready.box.close();
            throw new FailedProgram({
                reason: 'judge-error',
                message: `${what} ended with exit code ${code}: ${said}`,
            });
        }
        return { report, ready, what };
    }
}

interface ProgramOfTest {
    readonly report: RunReport;
    readonly ready: ReadyProgram;
    /** For messages: `gen.py, which makes its test secret/a,` */
    readonly what: string;
}

/** The distinct programs of the tests, each named after the first test that it generates. */
function listPrograms(recipes: readonly TestRecipe[]): (readonly [program: MakerProgram, what: string])[] {
    const found = new Map<MakerProgram, string>();
    for (const { name, input, solution } of recipes)
        for (const program of [input.kind === 'program' ? input.program : null, solution])
            if (program !== null && !found.has(program)) found.set(program, describeMaker(program, name));
    return [...found];
}

/** For messages: `gen.py, which makes its test secret/a,` */
const describeMaker = ({ files: [main] }: MakerProgram, test: string): string =>
    `${main.name}, which makes its test ${test},`;

const announce = (count: number, what: string, finished: number): string =>
    finished === 0
        ? `making ${count} tests of ${what} by its generators`
        : `making the other ${count - finished} of ${count} tests of ${what} by its generators`;

/** The last line of an exception contains its message; the lines before it contain the location. */
const readLastLine = (stderr: Buffer): string =>
    firstWords(Buffer.from(stderr.toString().trimEnd().split('\n').at(-1)?.slice(0, 200) ?? ''));

/** The program ended by itself and reported a failure. */
class FailedProgram extends CheckerError {}

async function writeOutput({ stdout }: RunReport, path: string): Promise<void> {
    if (Buffer.isBuffer(stdout)) await writeFile(path, stdout, { mode: 0o600 });
    else await copyFile(stdout.path, path);
}

async function writeContent(content: Content, path: string): Promise<void> {
    if (content.text === undefined) await copyFile(content.path, path);
    else await writeFile(path, content.text, { mode: 0o600 });
}

/** Hash of everything that determines the tests. */
export function digestRecipes(recipes: readonly TestRecipe[]): string {
    const program = (one: MakerProgram | null): unknown =>
        one === null ? null : [one.language, one.files.map(({ name, content }) => [name, content.digest])];
    const facts = recipes.map(({ name, input, answer, solution }) => [
        name,
        input.kind === 'content' ? input.content.digest : [program(input.program), ...input.tries],
        answer?.digest ?? null,
        program(solution),
    ]);
    return createHash('sha256')
        .update(JSON.stringify([1, facts]))
        .digest('hex')
        .slice(0, 32);
}

/** The tests of a finished folder; null if there is none. */
async function readIndex(folder: string): Promise<readonly MadeTest[] | null> {
    const text = await readFile(join(folder, INDEX), 'utf8').catch(() => null);
    if (text === null) return null;
    const names = JSON.parse(text) as readonly string[];
    const settings = new Set((await readdir(folder)).filter((each) => each.endsWith('.yaml')));
    return names.map((name, i) => ({
        name,
        input: join(folder, `${i}.in`),
        answer: join(folder, `${i}.ans`),
        settings: settings.has(`${i}.yaml`) ? join(folder, `${i}.yaml`) : null,
    }));
}
