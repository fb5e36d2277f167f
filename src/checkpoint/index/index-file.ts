import { rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { ShardOf } from '../../host/lock-file.js';
import { makeDirectory } from '../../host/durable-write.js';
import { openFile } from '../../host/open-file.js';
import { makeStagingName } from '../../host/staging-name.js';
import type { FileStamp } from '../../model/checkpoint.js';
import type { Json, JsonObject } from '../../model/json.js';
import { SampleRows, type IndexedRow, type Sequence } from '../../model/sample-rows.js';
import type { SampleFigures } from '../../model/directory-sample.js';
import type { SampleTally } from '../../model/tally.js';
import {
    type IndexContent,
    type IndexedDataset,
    isTallies,
    parseJsonOrNull,
    readRest,
    type SampleRest,
} from './index-content.js';
import { JsonTokens } from './json-tokens.js';
import { ParsedTokens } from './parsed-tokens.js';
import { readIndex } from './read-index.js';
import { ResultColumns } from './result-columns.js';
import { writeIndex } from './write-index.js';

const NO_REST: SampleRest = {
    lists: { unexpected: [], inPart: [], nearLimit: [], aboveOwn: [], failures: [], skips: {} },
    computedLimits: null,
};

/**
 * checkpoints/<dir>/index.json: results of complete samples and rows of dataset files, which need not be read again while their
 * stamps are unchanged. It makes a restart over a hundred thousand samples quick. It is only a cache: if anything is wrong with
 * it, it is ignored and rebuilt.
 */
export class IndexFile {
    readonly #dir: string;
    readonly #name: string;
    readonly #holder: string;
    #texts = new Texts([]);
    #datasets = new Map<string, IndexedDataset>();
    #results = new ResultColumns();
    #changed = false;

    private constructor(dir: string, shard: ShardOf | null, holder: string) {
        this.#dir = dir;
        this.#name = shard === null ? 'index.json' : `index.${shard.index}-of-${shard.count}.json`;
        this.#holder = holder;
    }

    /**
     * Reads the index of a directory; an empty one if there is none, or if it cannot be understood.
     * @param dir `checkpoints/<dir name>`
     * @param holder id of this run, for temporary files
     * @param parsedAtOnce largest index, in bytes, that is parsed as a whole; a larger one is read in pieces
     */
    static async load(
        dir: string,
        shard: ShardOf | null,
        holder: string,
        parsedAtOnce = PARSED_AT_ONCE,
    ): Promise<IndexFile> {
        const index = new IndexFile(dir, shard, holder);
        const content = await readContent(join(dir, index.#name), parsedAtOnce).catch(() => null);
        if (content === null) return index;
        index.#texts = new Texts(content.texts);
        index.#datasets = new Map(content.datasets);
        index.#results = content.results;
        return index;
    }

    /** Rows of dataset files, in the shape of a dataset cache. */
    readonly datasets = {
        get: (file: string, stamp: FileStamp): SampleRows | null => this.#findRows(file, stamp),
        set: (file: string, { inode, size, mtime }: FileStamp, rows: Sequence<IndexedRow>): void => {
            this.#changed = true;
            // Rows that are columns already are shared with whoever made them: nobody changes them any more.
            const columns = rows instanceof SampleRows ? rows : new SampleRows();
            if (columns !== rows) for (const row of rows) columns.push(row);
            this.#datasets.set(file, { stamp: [inode, size, mtime], rows: columns });
        },
    };

    #findRows(file: string, stamp: FileStamp): SampleRows | null {
        const known = this.#datasets.get(file);
        if (known === undefined) return null;
        const [inode, size, mtime] = known.stamp;
        return inode === stamp.inode && size === stamp.size && mtime === stamp.mtime ? known.rows : null;
    }

    /** The tally of a sample, if its file, its dataset row and everything that decides the plan are unchanged. */
    get(id: string, stamp: FileStamp, row: string, planKey: string): SampleTally | null {
        const results = this.#results;
        const place = results.find(id);
        if (place === -1 || !results.hasStamp(place, stamp)) return null;
        if (!results.hasRow(place, row) || this.#texts.at(results.planKeyAt(place)) !== planKey) return null;
        return this.#figuresAt(id, place)?.tally ?? null;
    }

    /**
     * The place of a sample that was complete when it was last seen; -1 if it is not known to be. Valid until something is set or
     * deleted.
     */
    findPlace(id: string): number {
        return this.#results.find(id);
    }

    /** What a complete sample's file says, if the file is unchanged, whatever the sample's row and the plan are now. */
    getFigures(id: string, place: number, stamp: FileStamp): SampleFigures | null {
        return this.#results.hasStamp(place, stamp) ? this.#figuresAt(id, place) : null;
    }

    #figuresAt(id: string, place: number): SampleFigures | null {
        const groups = this.#tallies(this.#results.shapeAt(place));
        if (groups === null) return null;
        const kept = this.#results.restAt(place);
        const rest = kept === null ? NO_REST : readRest(kept);
        if (rest === null) return null;
        return {
            tally: { id, groups, isComplete: true, ...rest.lists },
            computedLimits: rest.computedLimits,
        };
    }

    /** Ids of all samples in the index. */
    *ids(): Generator<string> {
        const results = this.#results;
        for (let place = 0; place < results.length; place += 1)
            if (results.isThere(place)) yield results.idAt(place);
    }

    #tallies(shape: number): SampleTally['groups'] | null {
        this.#shapes ??= this.#texts.parsed((json) => (isTallies(json) ? json : null));
        return this.#shapes(shape);
    }

    #shapes: ((number: number) => SampleTally['groups'] | null) | null = null;

    /** Remembers a complete sample. */
    set(
        id: string,
        stamp: FileStamp,
        row: string,
        planKey: string,
        tally: SampleTally,
        computedLimits: SampleFigures['computedLimits'] = null,
    ): void {
        this.#changed = true;
        const { unexpected, inPart, nearLimit, aboveOwn, skips } = tally;
        const isListed =
            unexpected.length +
                inPart.length +
                nearLimit.length +
                aboveOwn.length +
                Object.keys(skips).length >
            0;
        const lists = { unexpected, inPart, nearLimit, aboveOwn, skips };
        const limits = computedLimits === null ? {} : { computedLimits };
        const rest = isListed || computedLimits !== null ? JSON.stringify({ ...lists, ...limits }) : null;
        this.#results.set(id, stamp, {
            row,
            planKey: this.#texts.add(planKey),
            shape: this.#texts.add(JSON.stringify(tally.groups)),
            rest: rest === null ? null : (JSON.parse(rest) as JsonObject),
        });
    }

    /** The same content has moved (into an archive): what is known of it still holds. */
    restamp(id: string, before: FileStamp, now: FileStamp): void {
        const place = this.#results.find(id);
        if (place === -1) return;
        const { inode, mtime } = this.#results.stampAt(place);
        if (inode !== before.inode || mtime !== before.mtime) return;
        this.#changed = true;
        this.#results.setStamp(place, now);
    }

    /** Forgets a sample: its file is being changed. */
    delete(id: string): void {
        if (this.#results.delete(id)) this.#changed = true;
    }

    /**
     * Writes the index if it changed. Atomic but not durable: after a power loss it may be old or unreadable, and is then
     * rebuilt. Never throws: a run does not fail because of its cache.
     * @returns false if it could not be written
     */
    async save(): Promise<boolean> {
        for (let under = null; under !== this.#saving; ) {
            under = this.#saving;
            await under;
        }
        if (!this.#changed) return true;
        this.#changed = false;
        const saving = this.#write();
        this.#saving = saving;
        return saving;
    }

    /** The save in progress: a second one would write to the same file. */
    #saving: Promise<boolean> = Promise.resolve(true);

    async #write(): Promise<boolean> {
        const staging = join(this.#dir, makeStagingName(this.#name, this.#holder));
        const content = { texts: this.#texts.all, datasets: this.#datasets, results: this.#results };
        try {
            await makeDirectory(this.#dir);
            await writeFile(
                staging,
                writeIndex(content, (text) => this.#texts.add(text)),
            );
            await rename(staging, join(this.#dir, this.#name));
            return true;
        } catch {
            this.#changed = true;
            await rm(staging, { force: true }).catch(() => undefined);
            return false;
        }
    }
}

/** About 250,000 samples: the runtime's parser is twice as fast as ours. */
const PARSED_AT_ONCE = 32 * 1024 * 1024;

/** @throws if the file cannot be read or understood */
async function readContent(path: string, parsedAtOnce: number): Promise<IndexContent> {
    const handle = await openFile(path);
    try {
        const isSmall = (await handle.stat()).size <= parsedAtOnce;
        const tokens = isSmall
            ? new ParsedTokens(JSON.parse(await handle.readFile('utf8')) as Json)
            : new JsonTokens(handle.fd);
        return readIndex(tokens);
    } finally {
        await handle.close();
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
            const value = check(parseJsonOrNull(this.all[number] ?? 'null'));
            seen.set(number, value);
            return value;
        };
    }
}
