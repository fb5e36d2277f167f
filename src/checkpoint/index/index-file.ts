import { rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { makeDirectory } from '../../host/durable-write.js';
import { readTextFile } from '../../host/open-file.js';
import type { ShardOf } from '../../host/lock-file.js';
import { makeStagingName } from '../../host/staging-name.js';
import type { FileStamp } from '../../model/checkpoint.js';
import type { Json, JsonObject } from '../../model/json.js';
import type { SampleTally } from '../../model/tally.js';
import {
    packColumns,
    type DatasetColumns,
    type IndexRow,
    isGroups,
    isTallies,
    type Lists,
    getLocatorAt,
    makeEmptyColumns,
    readIndex,
    readLists,
    writeIndex,
} from './index-columns.js';

const EMPTY_LISTS: Lists = { unexpected: [], nearLimit: [], aboveOwn: [], failures: [], skips: {} };

/**
 * checkpoints/<dir>/index.json: results of complete samples and rows of dataset files that need not be read again while
 * their stamps are the same. What makes a restart over a hundred thousand samples quick. A cache: whatever is wrong with it,
 * it is ignored and made again.
 */
export class IndexFile {
    readonly #dir: string;
    readonly #name: string;
    readonly #holder: string;
    #texts = new Texts([]);
    #datasets = new Map<string, DatasetColumns>();
    #results = makeEmptyColumns();
    /** Where a sample stands in the columns. A place without an id here is left out when they are written. */
    readonly #places = new Map<string, number>();
    #changed = false;

    private constructor(dir: string, shard: ShardOf | null, holder: string) {
        this.#dir = dir;
        this.#name = shard === null ? 'index.json' : `index.${shard.index}-of-${shard.count}.json`;
        this.#holder = holder;
    }

    /**
     * Reads the index of a directory; an empty one if there is none, or none that can be understood.
     * @param dir `checkpoints/<dir name>`
     * @param holder id of this run, for temporary files
     */
    static async load(dir: string, shard: ShardOf | null, holder: string): Promise<IndexFile> {
        const index = new IndexFile(dir, shard, holder);
        const text = await readTextFile(join(dir, index.#name)).catch(() => null);
        const content = text === null ? null : readIndex(text);
        if (content === null) return index;
        index.#texts = new Texts(content.texts);
        index.#datasets = new Map(content.datasets);
        index.#results = content.results;
        for (const [place, id] of content.results.ids.entries()) index.#places.set(id, place);
        return index;
    }

    /** Rows of dataset files; has the shape of a dataset cache. */
    readonly datasets = {
        get: (file: string, stamp: FileStamp): readonly IndexRow[] | null => this.#findRows(file, stamp),
        set: (file: string, { inode, size, mtime }: FileStamp, rows: readonly IndexRow[]): void => {
            this.#changed = true;
            const columns = packColumns([inode, size, mtime], rows, (text) => this.#texts.add(text));
            this.#datasets.set(file, columns);
        },
    };

    #findRows(file: string, stamp: FileStamp): readonly IndexRow[] | null {
        const known = this.#datasets.get(file);
        if (known === undefined) return null;
        const [inode, size, mtime] = known.stamp;
        if (inode !== stamp.inode || size !== stamp.size || mtime !== stamp.mtime) return null;
        const groupsOf = this.#texts.parsed((json) => (isGroups(json) ? json : null));
        const rows: IndexRow[] = [];
        for (const [place, id] of known.ids.entries()) {
            const groups = groupsOf(known.groups[place] ?? -1);
            const fingerprint = known.fingerprints[place];
            if (groups === null || fingerprint === undefined) return null;
            rows.push(new KnownRow(id, fingerprint, groups, known.locators, place));
        }
        return rows;
    }

    /** The tally of a sample, if its file, its dataset row and what decides the plan are what they were. */
    get(id: string, stamp: FileStamp, row: string, planKey: string): SampleTally | null {
        const place = this.#places.get(id);
        if (place === undefined) return null;
        const { inodes, sizes, mtimes, rows, planKeys, shapes, rest } = this.#results;
        const same =
            inodes[place] === stamp.inode &&
            sizes[place] === stamp.size &&
            mtimes[place] === stamp.mtime &&
            rows[place] === row &&
            this.#texts.at(planKeys[place] ?? -1) === planKey;
        if (!same) return null;
        const groups = this.#tallies(shapes[place] ?? -1);
        if (groups === null) return null;
        const listed = rest.get(place);
        const lists = listed === undefined ? EMPTY_LISTS : readLists(listed);
        return lists === null ? null : { id, groups, isComplete: true, ...lists };
    }

    #tallies(shape: number): SampleTally['groups'] | null {
        this.#shapes ??= this.#texts.parsed((json) => (isTallies(json) ? json : null));
        return this.#shapes(shape);
    }

    #shapes: ((number: number) => SampleTally['groups'] | null) | null = null;

    /** Remembers a complete sample. */
    set(id: string, stamp: FileStamp, row: string, planKey: string, tally: SampleTally): void {
        const { unexpected, nearLimit, aboveOwn, skips } = tally;
        const place = this.#restamp(id, stamp);
        this.#results.rows[place] = row;
        this.#results.planKeys[place] = this.#texts.add(planKey);
        this.#results.shapes[place] = this.#texts.add(JSON.stringify(tally.groups));
        const listed = unexpected.length + nearLimit.length + aboveOwn.length + Object.keys(skips).length;
        if (listed === 0) {
            this.#results.rest.delete(place);
        } else {
            const lists = JSON.stringify({ unexpected, nearLimit, aboveOwn, skips });
            this.#results.rest.set(place, JSON.parse(lists) as JsonObject);
        }
    }

    /** The same content stands elsewhere now (an archive): what is known of it still holds. */
    restamp(id: string, before: FileStamp, now: FileStamp): void {
        const place = this.#places.get(id);
        if (place === undefined) return;
        const { inodes, mtimes } = this.#results;
        if (inodes[place] === before.inode && mtimes[place] === before.mtime) this.#restamp(id, now);
    }

    #restamp(id: string, { inode, size, mtime }: FileStamp): number {
        this.#changed = true;
        const { ids, inodes, sizes, mtimes } = this.#results;
        const place = this.#places.get(id) ?? ids.length;
        this.#places.set(id, place);
        ids[place] = id;
        inodes[place] = inode;
        sizes[place] = size;
        mtimes[place] = mtime;
        return place;
    }

    /** Forgets a sample: its file is being changed. */
    delete(id: string): void {
        if (this.#places.delete(id)) this.#changed = true;
    }

    /**
     * Writes the index if it changed. Atomic, not durable: after a power loss it may be the old one or unreadable, and is
     * then made again. Never throws: a run does not end for its cache.
     * @returns false if it could not be written
     */
    async save(): Promise<boolean> {
        if (!this.#changed) return true;
        this.#changed = false;
        const staging = join(this.#dir, makeStagingName(this.#name, this.#holder));
        try {
            await makeDirectory(this.#dir);
            await writeFile(staging, this.#text());
            await rename(staging, join(this.#dir, this.#name));
            return true;
        } catch {
            this.#changed = true;
            await rm(staging, { force: true }).catch(() => undefined);
            return false;
        }
    }

    #text(): string {
        this.#closeGaps();
        return writeIndex({ texts: this.#texts.all, datasets: this.#datasets, results: this.#results });
    }

    /** Samples that were forgotten, or written again after that, leave places that nobody asks for. */
    #closeGaps(): void {
        const old = this.#results;
        if (this.#places.size === old.ids.length) return;
        const kept = [...this.#places.values()];
        const of = <T>(column: readonly T[]): T[] => kept.map((place) => column[place] as T);
        this.#results = {
            ids: of(old.ids),
            inodes: of(old.inodes),
            sizes: of(old.sizes),
            mtimes: of(old.mtimes),
            rows: of(old.rows),
            planKeys: of(old.planKeys),
            shapes: of(old.shapes),
            rest: new Map(),
        };
        for (const [now, place] of kept.entries()) {
            const rest = old.rest.get(place);
            if (rest !== undefined) this.#results.rest.set(now, rest);
        }
        this.#places.clear();
        for (const [place, id] of this.#results.ids.entries()) this.#places.set(id, place);
    }
}

/** A row as it was remembered. Its locator is made when it is asked for: only rows with something left to do are found again. */
class KnownRow implements IndexRow {
    constructor(
        readonly id: string,
        readonly fingerprint: string,
        readonly groups: IndexRow['groups'],
        private readonly locators: DatasetColumns['locators'],
        private readonly place: number,
    ) {}

    get locator(): JsonObject {
        return getLocatorAt(this.locators, this.place);
    }
}

/** Texts that many rows share, by number. */
class Texts {
    readonly all: string[];
    readonly #numbers: Map<string, number>;

    constructor(all: readonly string[]) {
        this.all = [...all];
        this.#numbers = new Map(all.map((text, number) => [text, number]));
    }

    at(number: number): string | undefined {
        return this.all[number];
    }

    add(text: string): number {
        let number = this.#numbers.get(text);
        if (number === undefined) {
            number = this.all.length;
            this.all.push(text);
            this.#numbers.set(text, number);
        }
        return number;
    }

    /** Reads a text as JSON, once for all rows that share it. */
    parsed<T>(check: (json: Json) => T | null): (number: number) => T | null {
        const seen = new Map<number, T | null>();
        return (number) => {
            const known = seen.get(number);
            if (known !== undefined) return known;
            const value = check(parse(this.all[number] ?? 'null'));
            seen.set(number, value);
            return value;
        };
    }
}

function parse(text: string): Json {
    try {
        return JSON.parse(text) as Json;
    } catch {
        return null;
    }
}
