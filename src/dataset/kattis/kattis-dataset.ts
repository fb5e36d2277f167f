import { realpath } from 'node:fs/promises';
import { join, relative } from 'node:path';
import type { FileStamp } from '../../model/checkpoint.js';
import type { Sample } from '../../model/sample.js';
import { shownPath } from '../../util/shown-path.js';
import { UserError } from '../../util/user-error.js';
import { changedDatasetError } from '../dataset-error.js';
import type { Dataset, DatasetFormat, DatasetSource, IndexedSample, OpenOptions } from '../dataset.js';
import { findPackage, type ProblemPackage, readPackage } from './package.js';
import { loadPackage } from './package-sample.js';

/** Problem packages of Kattis and the ICPC. */
export const kattis: DatasetFormat = { open: (source, options) => new KattisDataset(source, options) };

/** Raised when submissions are found or grouped another way: packages that an earlier version indexed are read anew. */
const INDEX_VERSION = 2;

/** Packages in a tree, or a single one; the id of a package is its path from the tree's root. */
class KattisDataset implements Dataset {
    readonly format = 'kattis';
    readonly limitPolicy = 'own';
    readonly comparison = null;
    readonly badRows: string[] = [];

    constructor(
        private readonly source: DatasetSource,
        private readonly options: OpenOptions,
    ) {}

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
                // A template, or one that is broken, does not keep the others of a repository from being judged.
                const mayLeaveOut = this.options.skipBadRows || this.source.items.length > 1;
                if (!(error instanceof UserError) || !mayLeaveOut) throw error;
                this.badRows.push(error.message);
            }
        }
    }

    async load(indexed: IndexedSample): Promise<Sample> {
        const found = await this.#find(this.#folderOf(indexed));
        if (found.fingerprint !== indexed.fingerprint) {
            throw changedDatasetError(`${found.place}: the package`);
        }
        return loadPackage(found, indexed.id, this.options.testMaker ?? null);
    }

    async #indexPackage(folder: string): Promise<IndexedSample> {
        const found = await this.#find(folder);
        // Not one file's stamp: the fingerprint stands for the stamps of all of them.
        const stamp: FileStamp = {
            inode: `package/${INDEX_VERSION}`,
            size: found.files.length,
            mtime: found.fingerprint,
        };
        const key = join(folder, 'problem.yaml');
        const [cached] = this.options.cache.get(key, stamp) ?? [];
        const id = relative(this.source.root, folder).replaceAll('\\', '/');
        if (cached !== undefined && cached.id === id) return cached;
        const { submissions } = await readPackage(found);
        const count = (group: string): number => submissions.filter((each) => each.group === group).length;
        const indexed: IndexedSample = {
            id,
            locator: { package: id },
            groups: [
                ['solution', count('solution')],
                ['incorrect_solution', count('incorrect_solution')],
            ],
            fingerprint: found.fingerprint,
        };
        this.options.cache.set(key, stamp, [indexed]);
        return indexed;
    }

    #folderOf(indexed: IndexedSample): string {
        const { package: id } = indexed.locator;
        const folder = typeof id === 'string' ? join(this.source.root, id) : '';
        if (!this.source.items.includes(folder)) {
            throw new UserError(`${this.path}: has no package ${indexed.id} any more; start again`);
        }
        return folder;
    }

    /** Links may lead anywhere within what the user named: a tree shares headers and tests among its packages. */
    async #find(folder: string): Promise<ProblemPackage> {
        const bounds = folder === this.source.path ? folder : this.source.root;
        return findPackage(folder, shownPath(folder), await realpath(bounds));
    }
}
