import { createHash } from 'node:crypto';
import { readFile, stat } from 'node:fs/promises';
import { join, sep } from 'node:path';
import type { Redis } from 'ioredis';
import { hashFile } from '../../host/hash-file.js';
import { listProblemPrograms, type ProblemProgram } from '../../model/problem-programs.js';
import type { CheckerProgram, SourceFile, StagedSample, StagedTest } from '../../model/sample.js';
import type { RunKeys } from './keys.js';
import { MAX_FILE_BYTES } from './messages.js';

/*
 * A staged sample is sent to workers as a manifest: its `sample.json` with the digests of all files that it names. A task names
 * the digest of its manifest. When a worker first needs them, it fetches the manifest and the files that it does not have yet.
 */

/** Contents of a manifest (JSON). */
export interface StageManifest {
    /** The sample with its files under their dataset paths, or as `staged:<digest>`: equal for every coordinator of the run. */
    readonly sample: StagedSample;
    /** SHA-256 by path, for inputs and answers of tests; other files have their digest in `sample`. */
    readonly digests: Readonly<Record<string, string>>;
}

/** In a manifest, marks a file that only the coordinator has. */
const STAGED = 'staged:';

/** Seconds that Redis keeps a file for the worker that requested it, and for others that do so soon after. */
const FILE_TTL_S = 120;

type FileSource = { readonly path: string } | { readonly bytes: Buffer };

/** A staged sample as referred to by a task. */
export interface StageHandle {
    /** Digest of the sample's manifest. */
    readonly manifest: string;
    /** The sample's own programs, such as a checker: workers need their languages for every task of it. */
    readonly programs: readonly ProblemProgram['program'][];
}

interface StageEntry {
    readonly handle: Promise<StageHandle>;
    readonly sources: Map<string, FileSource>;
    users: number;
}

/** The files of open samples, for workers that request them. */
export class StageFiles {
    readonly #stages = new Map<string, StageEntry>();
    /** Files are read and sent one at a time, so that memory stays bounded. */
    #sending: Promise<void> = Promise.resolve();

    constructor(
        private readonly client: Redis,
        private readonly keys: RunKeys,
    ) {}

    /**
     * Marks a sample as in use by a task that is with workers, until `release`.
     * @param stage folder of the staged sample
     * @throws errors of reading its files
     */
    use(stage: string): Promise<StageHandle> {
        const known = this.#stages.get(stage);
        if (known !== undefined) {
            known.users += 1;
            return known.handle;
        }
        const sources = new Map<string, FileSource>();
        const entry = { handle: readManifest(stage, sources), sources, users: 1 };
        this.#stages.set(stage, entry);
        return entry.handle;
    }

    release(stage: string): void {
        const entry = this.#stages.get(stage);
        if (entry === undefined) return;
        entry.users -= 1;
        if (entry.users === 0) this.#stages.delete(stage);
    }

    /**
     * Puts a file where workers find it.
     * @throws Error if no open sample has it, or it is too large
     */
    async send(sha256: string): Promise<void> {
        const source = [...this.#stages.values()].map(({ sources }) => sources.get(sha256)).find(Boolean);
        if (source === undefined) throw new Error('no open sample has that file');
        const sent = this.#sending.then(() => this.#send(sha256, source));
        this.#sending = sent.catch(() => undefined);
        await sent;
    }

    async #send(sha256: string, source: FileSource): Promise<void> {
        const key = this.keys.file(sha256);
        if ((await this.client.expire(key, FILE_TTL_S)) === 1) return;
        if ('path' in source && (await stat(source.path)).size > MAX_FILE_BYTES) {
            throw new Error(
                `${source.path} exceeds the size limit of a queue (${MAX_FILE_BYTES} bytes): put the dataset into a folder that the workers share, and pass it with --shared-path`,
            );
        }
        await this.client.setex(
            key,
            FILE_TTL_S,
            'bytes' in source ? source.bytes : await readFile(source.path),
        );
    }
}

async function readManifest(stage: string, sources: Map<string, FileSource>): Promise<StageHandle> {
    const staged = JSON.parse(await readFile(join(stage, 'sample.json'), 'utf8')) as StagedSample;
    const digests: Record<string, string> = {};
    const place = (path: string, digest: string): string => {
        sources.set(digest, { path });
        return path.startsWith(stage + sep) ? STAGED + digest : path;
    };
    const placeTest = async (path: string): Promise<string> => {
        const { sha256 } = await hashFile(path);
        const placed = place(path, sha256);
        digests[placed] = sha256;
        return placed;
    };
    const sample = await mapFiles(staged, {
        test: placeTest,
        source: (path, digest) => Promise.resolve(place(path, digest)),
    });
    const bytes = Buffer.from(JSON.stringify({ sample, digests } satisfies StageManifest));
    const digest = createHash('sha256').update(bytes).digest('hex');
    sources.set(digest, { bytes });
    return { manifest: digest, programs: listProblemPrograms(staged).map(({ program }) => program) };
}

/** How to replace the paths of a staged sample. */
export interface PathMap {
    /** Replaces the path of a test's input or answer. */
    test(path: string, role: 'input' | 'answer'): Promise<string>;
    /** Replaces the path of a file that is listed with its digest. */
    source(path: string, digest: string): Promise<string>;
}

/** Returns a staged sample with other paths. */
export async function mapFiles(sample: StagedSample, map: PathMap): Promise<StagedSample> {
    const mapOne = async (file: SourceFile): Promise<SourceFile> => {
        const { path, digest } = file.content;
        if (path === undefined) return file;
        return { ...file, content: { path: await map.source(path, digest), digest } };
    };
    const mapAll = async (all: CheckerProgram['files']): Promise<CheckerProgram['files']> => {
        const [main, ...rest] = all;
        const files: [SourceFile, ...SourceFile[]] = [await mapOne(main)];
        for (const file of rest) files.push(await mapOne(file));
        return files;
    };
    const mapProgram = async (program: CheckerProgram): Promise<CheckerProgram> => {
        const files = await mapAll(program.files);
        if (program.also === undefined) return { ...program, files };
        const also: CheckerProgram[] = [];
        for (const other of program.also) also.push(await mapProgram(other));
        return { ...program, files, also };
    };
    const tests: StagedTest[] = [];
    for (const test of sample.tests) {
        const files: SourceFile[] = [];
        for (const file of test.files ?? []) files.push(await mapOne(file));
        tests.push({
            ...test,
            input: await map.test(test.input, 'input'),
            answer: await map.test(test.answer, 'answer'),
            ...(test.files === undefined ? {} : { files }),
        });
    }
    const { checker, interactor, staticValidator, scoring } = sample;
    const grader = scoring?.grader ?? null;
    return {
        ...sample,
        tests,
        checker: checker.kind === 'program' ? await mapProgram(checker) : checker,
        ...(interactor === undefined ? {} : { interactor: await mapProgram(interactor) }),
        ...(staticValidator === undefined ? {} : { staticValidator: await mapProgram(staticValidator) }),
        ...(scoring === undefined || grader === null
            ? {}
            : { scoring: { ...scoring, grader: { ...grader, files: await mapAll(grader.files) } } }),
    };
}
