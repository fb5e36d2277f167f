import { randomBytes } from 'node:crypto';
import { mkdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type {
    CheckerProgram,
    Content,
    Sample,
    SourceFile,
    Stage,
    StagedSample,
    StagedTest,
} from '../model/sample.js';
import { UserError } from '../util/user-error.js';

export interface StagerOptions {
    /**
     * Absolute path of an existing folder for scratch files that only this process uses. Its owner removes what a killed process
     * left in it.
     */
    readonly scratch: string;
    /** Most bytes that staged samples may take together; further samples wait. A larger sample is staged alone. */
    readonly maxBytes?: number;
}

/** Writes loaded samples to scratch files; a sample that is already staged is shared. */
export interface Stager {
    stage(sample: Sample): Promise<Stage>;
}

/** 4 GiB: enough for a few of the largest samples, and less than any scratch disk that is large enough for compiling. */
const DEFAULT_MAX_BYTES = 4 * 1024 ** 3;

export function createStager(options: StagerOptions): Stager {
    return new ScratchStager(options.scratch, options.maxBytes ?? DEFAULT_MAX_BYTES);
}

interface Staged {
    users: number;
    readonly path: Promise<string>;
    readonly bytes: number;
}

class ScratchStager implements Stager {
    readonly #staged = new Map<string, Staged>();
    readonly #waiting: (() => void)[] = [];
    #bytes = 0;

    constructor(
        private readonly scratch: string,
        private readonly maxBytes: number,
    ) {}

    async stage(sample: Sample): Promise<Stage> {
        const bytes = measureSize(sample);
        while (!this.#staged.has(sample.id) && this.#bytes > 0 && this.#bytes + bytes > this.maxBytes) {
            await new Promise<void>((resolve) => this.#waiting.push(resolve));
        }
        const staged = this.#staged.get(sample.id) ?? this.#start(sample, bytes);
        staged.users += 1;
        try {
            const path = await staged.path;
            return { path, release: once(() => this.#release(sample.id, staged)) };
        } catch (error) {
            await this.#release(sample.id, staged);
            throw error;
        }
    }

    #start(sample: Sample, bytes: number): Staged {
        const folder = join(this.scratch, `stage-${randomBytes(9).toString('hex')}`);
        const staged: Staged = { users: 0, path: writeStage(sample, folder), bytes };
        this.#staged.set(sample.id, staged);
        this.#bytes += bytes;
        return staged;
    }

    async #release(id: string, staged: Staged): Promise<void> {
        staged.users -= 1;
        if (staged.users > 0) return;
        this.#staged.delete(id);
        const path = await staged.path.catch(() => null);
        if (path !== null) await rm(path, { recursive: true, force: true });
        this.#bytes -= staged.bytes;
        for (const wake of this.#waiting.splice(0)) wake();
    }
}

function once(action: () => Promise<void>): () => Promise<void> {
    let done: Promise<void> | null = null;
    return () => (done ??= action());
}

/** Bytes that staging writes: only texts, since files stay where they are. */
function measureSize(sample: Sample): number {
    const size = (content: Content): number =>
        content.text === undefined ? 0 : Buffer.byteLength(content.text);
    const tests = sample.judging?.tests ?? [];
    return tests.reduce((sum, test) => sum + size(test.input) + size(test.output), 0);
}

async function writeStage(sample: Sample, folder: string): Promise<string> {
    try {
        await mkdir(join(folder, 'tests'), { recursive: true, mode: 0o700 });
        const judging = await stageJudging(sample, folder);
        await writeNew(join(folder, 'sample.json'), JSON.stringify(judging), PRIVATE);
        return folder;
    } catch (error) {
        await rm(folder, { recursive: true, force: true }).catch(() => undefined);
        const why = error instanceof Error ? error.message : String(error);
        throw new UserError(`cannot write the tests of ${sample.id} to scratch files: ${why}`, 2, {
            cause: error,
        });
    }
}

async function stageJudging(sample: Sample, folder: string): Promise<StagedSample> {
    if (sample.judging === null) return { id: sample.id, tests: [], checker: { kind: 'tokens' } };
    const tests: StagedTest[] = [];
    for (const [i, test] of sample.judging.tests.entries()) {
        tests.push({
            name: test.name,
            input: await place(test.input, join(folder, 'tests', `${i}.in`), INPUT_MODE),
            answer: await place(test.output, join(folder, 'tests', `${i}.ans`)),
            checkerFlags: test.checkerFlags,
            ...(test.args === undefined ? {} : { args: test.args }),
            ...(test.files === undefined
                ? {}
                : { files: await placeFiles(test.files, folder, `tests/${i}`) }),
            ...(test.staticFlags === undefined ? {} : { staticFlags: test.staticFlags }),
        });
    }
    const { scoring, interactive, interactor, passes, checker, staticValidator, namedFiles } = sample.judging;
    return {
        id: sample.id,
        tests,
        checker: checker.kind === 'program' ? await stageProgram(checker, folder, 'checker') : checker,
        ...(scoring === undefined ? {} : { scoring }),
        ...(interactive === undefined ? {} : { interactive }),
        ...(interactor === undefined
            ? {}
            : { interactor: await stageProgram(interactor, folder, 'interactor') }),
        ...(passes === undefined ? {} : { passes }),
        ...(namedFiles === undefined ? {} : { namedFiles }),
        ...(staticValidator === undefined
            ? {}
            : { staticValidator: await stageProgram(staticValidator, folder, 'static-validator') }),
    };
}

/** Path of a content: its own if it is a file, otherwise `path` after writing the content there. */
async function place(content: Content, path: string, mode = PRIVATE): Promise<string> {
    if (content.path !== undefined) return content.path;
    await writeNew(path, content.text, mode);
    return path;
}

/** @param name name of the folder in the stage for the program's files */
async function stageProgram(program: CheckerProgram, folder: string, name: string): Promise<CheckerProgram> {
    const [main, ...rest] = program.files;
    const [first] = await placeFiles([main], folder, `${name}-main`);
    const files = await placeFiles(rest, folder, name);
    const staged: CheckerProgram = { ...program, files: [first ?? main, ...files] };
    if (program.also === undefined) return staged;
    const also: CheckerProgram[] = [];
    for (const [i, other] of program.also.entries())
        also.push(await stageProgram(other, folder, `${name}-${i + 2}`));
    return { ...staged, also };
}

/** Writes files, named by number, to the folder `name` within `folder`; content that is already a file stays in place. */
async function placeFiles(files: readonly SourceFile[], folder: string, name: string): Promise<SourceFile[]> {
    const placed: SourceFile[] = [];
    for (const [i, { name: own, content }] of files.entries()) {
        if (content.path === undefined) await mkdir(join(folder, name), { recursive: true, mode: 0o700 });
        const path = await place(content, join(folder, name, String(i)));
        placed.push({ name: own, content: { path, digest: content.digest } });
    }
    return placed;
}

const PRIVATE = 0o600;
/**
 * Programs that run as another user get this file as stdin and may open it again (`/dev/stdin`). They cannot reach it by path,
 * since only we can enter the scratch folder.
 */
const INPUT_MODE = 0o644;

const writeNew = (path: string, text: string, mode: number): Promise<void> =>
    writeFile(path, text, { mode, flag: 'wx' });
