import { realpath } from 'node:fs/promises';
import { basename, dirname, join, relative } from 'node:path';
import type { FileStamp } from '../model/checkpoint.js';
import type { Sample } from '../model/sample.js';
import { nameOnSamples, renameOnSamples } from '../model/sample-tests.js';
import { shortenPath } from '../util/shown-path.js';
import { UserError } from '../util/user-error.js';
import { makeChangedDatasetError } from './dataset-error.js';
import type {
    Dataset,
    DatasetFormat,
    DatasetSource,
    IndexedSample,
    OpenOptions,
    TestMakerSource,
} from './dataset.js';
import type { ProblemPackage } from './kattis/package.js';
import type { PackagePlace, PackageReach } from './kattis/package-files.js';

/** Suffix of the fingerprint of a package that is judged only by its samples. */
const ON_SAMPLES = '/samples';

/** Reads the packages of one format. */
export interface PackageReader {
    /** Key of the registry. */
    readonly format: string;
    /** The file whose presence makes a folder a package. */
    readonly manifest: string;
    /**
     * Increased when submissions are found or grouped differently, so that packages indexed by an earlier version are read again.
     */
    readonly version: number;
    /**
     * The files of a package.
     * @param place the package's name in messages
     * @param reach what may be read besides the package
     */
    find(folder: string, place: string, reach: PackageReach): Promise<ProblemPackage>;
    /** @throws UserError if settings cannot be read */
    countTasks(found: ProblemPackage): Promise<TaskCounts>;
    /**
     * Loads a package as a sample, with all its files hashed.
     * @throws UserError
     */
    load(found: ProblemPackage, id: string, how: LoadOptions): Promise<Sample>;
    /**
     * The same for a package whose tests `load` cannot read, so that its submissions are skipped. Absent: `load` parses nothing
     * that `countTasks` has not parsed.
     */
    loadSkipped?(found: ProblemPackage, id: string, reason: string): Promise<Sample>;
}

export interface LoadOptions {
    /** Makes tests that the package only describes; null: they are not made. */
    readonly maker: TestMakerSource | null;
    /** `--sample-tests` */
    readonly sampleTests: boolean;
}

export interface TaskCounts {
    readonly solution: number;
    readonly incorrect: number;
    /** Whether it has only samples, and no description of how its secret tests are made. */
    readonly hasSamplesAlone: boolean;
}

export const packageFormat = (reader: PackageReader): DatasetFormat => ({
    open: (source, options) => new PackageDataset(reader, source, options),
});

/** The packages in a tree, or a single one. The id of a package is its path from the tree's root. */
class PackageDataset implements Dataset {
    readonly limitPolicy = 'own';
    readonly comparison = null;
    readonly badRows: string[] = [];

    constructor(
        private readonly reader: PackageReader,
        private readonly source: DatasetSource,
        private readonly options: OpenOptions,
    ) {}

    get format(): string {
        return this.reader.format;
    }

    get idPrefix(): string {
        return this.source.root.replaceAll('\\', '/');
    }

    get path(): string {
        return this.source.path;
    }

    async *index(): AsyncIterable<readonly IndexedSample[]> {
        this.badRows.length = 0;
        for (const folder of this.source.items) {
            try {
                yield [await this.#indexPackage(folder)];
            } catch (error) {
                if (!(error instanceof UserError) || !this.#mayLeaveOut) throw error;
                this.badRows.push(error.message);
            }
        }
    }

    async load(indexed: IndexedSample): Promise<Sample> {
        const found = await this.#find(this.#findFolder(indexed));
        if (found.fingerprint !== indexed.fingerprint.replace(ON_SAMPLES, '')) {
            throw makeChangedDatasetError(`${found.place}: the package`);
        }
        try {
            const { testMaker = null, sampleTests = false } = this.options;
            return await this.reader.load(found, indexed.id, { maker: testMaker, sampleTests });
        } catch (error) {
            if (!(error instanceof UserError) || !this.#mayLeaveOut) throw error;
            if (error.code !== 'RESUME_RUN_INVALID_DATASET') throw error;
            if (this.reader.loadSkipped === undefined) throw error;
            const skipped = await this.reader.loadSkipped(found, indexed.id, error.message);
            const isOnSamples = indexed.fingerprint.endsWith(ON_SAMPLES);
            return isOnSamples ? { ...skipped, groups: renameOnSamples(skipped.groups) } : skipped;
        }
    }

    /** A template or a broken package must not keep the others in a repository from being judged. */
    get #mayLeaveOut(): boolean {
        const { items, isOneOfMany } = this.source;
        return this.options.skipBadRows || items.length > 1 || isOneOfMany === true;
    }

    async #indexPackage(folder: string): Promise<IndexedSample> {
        const found = await this.#find(folder);
        const { sampleTests = false } = this.options;
        // Instead of one file's stamp, this holds the fingerprint, which covers the stamps of all files.
        const stamp: FileStamp = {
            inode: `package/${this.reader.version}${sampleTests ? ON_SAMPLES : ''}`,
            size: found.files.length,
            mtime: found.fingerprint,
        };
        const key = join(folder, this.reader.manifest);
        const cached = this.options.cache.get(key, stamp)?.at(0);
        const id = this.#makeId(folder);
        if (cached !== undefined && cached.id === id) return cached;
        const counts = await this.reader.countTasks(found);
        const isOnSamples = sampleTests && counts.hasSamplesAlone;
        const name = isOnSamples ? nameOnSamples : (group: string): string => group;
        const indexed: IndexedSample = {
            id,
            locator: { package: id },
            groups: [
                [name('solution'), counts.solution],
                [name('incorrect_solution'), counts.incorrect],
            ],
            // A package that was left out before must count as changed.
            fingerprint: `${found.fingerprint}${isOnSamples ? ON_SAMPLES : ''}`,
        };
        this.options.cache.set(key, stamp, [indexed]);
        return indexed;
    }

    #makeId(folder: string): string {
        return this.source.ids?.get(folder) ?? relative(this.source.root, folder).replaceAll('\\', '/');
    }

    #findFolder(indexed: IndexedSample): string {
        const { package: id } = indexed.locator;
        const folder = this.source.items.find((item) => this.#makeId(item) === id);
        if (folder === undefined) {
            throw new UserError(`${this.path}: no longer contains the package ${indexed.id}; start again`);
        }
        return folder;
    }

    /** Links may lead anywhere within the tree that the user named, since packages of a tree share headers and tests. */
    async #find(folder: string): Promise<ProblemPackage> {
        const { path, named = path, root, archive } = this.source;
        const bounds = archive?.unpacked ?? (folder === named ? folder : root);
        return this.reader.find(folder, this.source.names?.get(folder) ?? shortenPath(folder), {
            bounds: await realpath(bounds),
            beside: await this.#findBeside(),
        });
    }

    /**
     * An archive is treated as if the folder that it holds were at its place in the tree. If the archive itself was named, its
     * tree is unknown.
     */
    async #findBeside(): Promise<PackagePlace | null> {
        const { path, root, archive } = this.source;
        if (archive === undefined || archive.isNamed) return null;
        const folder = join(await realpath(dirname(path)), basename(path).replace(/\.zip$/i, ''));
        return { folder, bounds: await realpath(root) };
    }
}
