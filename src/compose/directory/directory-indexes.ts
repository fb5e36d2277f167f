import { sep } from 'node:path';
import { IndexFile } from '../../checkpoint/index/index-file.js';
import { makePlainName } from '../../checkpoint/result-file/names.js';
import type { DatasetCache } from '../../dataset/dataset.js';
import { listFiles } from '../../host/listing.js';
import { stampFile } from '../../host/stamp.js';
import type { FileStamp } from '../../model/file-stamp.js';
import type { SampleFigures } from '../../model/directory-sample.js';
import type { RunPaths } from './run-paths.js';

const EXTENSION = '.json';

/** A result file that does not have to be read. */
export interface KnownFile extends SampleFigures {
    readonly stamp: FileStamp;
}

/**
 * What starts have recorded about dataset rows and about files of complete samples, including those of shards, for commands that
 * only read. Nothing is added to it.
 */
export class DirectoryIndexes {
    readonly #place: RunPaths;
    #loaded: Promise<readonly IndexFile[]> | null = null;

    constructor(place: RunPaths) {
        this.#place = place;
    }

    /** Caches the rows of dataset files. */
    async loadDatasets(): Promise<DatasetCache> {
        const indexes = await this.#load();
        return {
            get: (file, stamp) => {
                for (const index of indexes) {
                    const rows = index.datasets.get(file, stamp);
                    if (rows !== null) return rows;
                }
                return null;
            },
            set: () => undefined,
        };
    }

    async loadFiles(): Promise<KnownFiles> {
        return new KnownFiles(this.#place.dir, await this.#load());
    }

    /** Frees the indexes: a repeated reader does not need them, as changed files are read anyway. */
    forget(): void {
        this.#loaded = null;
    }

    #load(): Promise<readonly IndexFile[]> {
        this.#loaded ??= loadIndexes(this.#place.checkpoints);
        return this.#loaded;
    }
}

/** Files of complete samples that have not changed since a start wrote or read them. */
export class KnownFiles {
    readonly #dir: string;
    readonly #indexes: readonly IndexFile[];
    /** Ids of the files that are not named after their id. */
    #others: ReadonlyMap<string, string> | null = null;

    constructor(dir: string, indexes: readonly IndexFile[]) {
        this.#dir = dir;
        this.#indexes = indexes;
    }

    /** @returns null if the file has to be read */
    find(name: string): KnownFile | null {
        if (this.#indexes.length === 0 || !name.endsWith(EXTENSION)) return null;
        this.#others ??= this.#listOthers();
        const id = this.#others.get(name) ?? name.slice(0, -EXTENSION.length);
        for (const index of this.#indexes) {
            const place = index.findPlace(id);
            if (place === -1) continue;
            const stamp = stampFile(`${this.#dir}${sep}${name}`);
            const figures = stamp === null ? null : index.getFigures(id, place, stamp);
            if (stamp !== null && figures !== null)
                return { tally: figures.tally, computedLimits: figures.computedLimits, stamp };
        }
        return null;
    }

    #listOthers(): ReadonlyMap<string, string> {
        const others = new Map<string, string>();
        for (const index of this.#indexes) {
            for (const id of index.ids()) {
                const name = makePlainName(id);
                if (name.length !== id.length + EXTENSION.length || !name.startsWith(id))
                    others.set(name, id);
            }
        }
        return others;
    }
}

/** Never throws: without indexes, datasets and files are read. */
async function loadIndexes(checkpoints: string): Promise<readonly IndexFile[]> {
    const names = await listFiles(checkpoints).catch(() => []);
    const shards = names.flatMap((name) => {
        const match = /^index\.(\d+)-of-(\d+)\.json$/.exec(name);
        return match === null ? [] : [{ index: Number(match[1]), count: Number(match[2]) }];
    });
    const indexes: IndexFile[] = [];
    for (const shard of [null, ...shards]) indexes.push(await IndexFile.load(checkpoints, shard, ''));
    return indexes;
}
