import { join } from 'node:path';
import { readTextFile } from '../../host/open-file.js';
import { DurableWriter } from '../../host/durable-write.js';
import type { FileStamp } from '../../model/file-stamp.js';
import { isJsonObject, type Json } from '../../model/json.js';
import type { SpoolMark } from './spool.js';

/** A stamp as a string. */
export function stampText({ inode, size, mtime }: FileStamp): string {
    return `${inode} ${size} ${mtime}`;
}

/**
 * checkpoints/<dir>/spooled.json: for each sample, the stamp of the result file whose records are durably in the spool. A sample
 * that is not listed, or has another stamp, is spooled again. This is a cache: deleting it loses nothing.
 */
export class SpoolMarks {
    readonly #name: string;
    readonly #spool: string;
    readonly #writer: DurableWriter;
    readonly #stamps: Map<string, string>;
    #hasChanged = false;

    private constructor(
        place: { readonly dir: string; readonly name: string; readonly spool: string },
        holder: string,
        stamps: Map<string, string>,
    ) {
        this.#name = place.name;
        this.#spool = place.spool;
        this.#writer = new DurableWriter(place.dir, holder);
        this.#stamps = stamps;
    }

    /**
     * @param dir `checkpoints/<dir name>`
     * @param shard `2-of-4`; null: not sharded
     * @param spool the spool's folder: marks for another spool do not apply to it
     */
    static async load(dir: string, shard: string | null, spool: string, holder: string): Promise<SpoolMarks> {
        const name = shard === null ? 'spooled.json' : `spooled.${shard}.json`;
        const text = await readTextFile(join(dir, name)).catch(() => '');
        return new SpoolMarks({ dir, name, spool }, holder, parseMarks(text, spool));
    }

    has(sample: string, stamp: FileStamp): boolean {
        return this.#stamps.get(sample) === stampText(stamp);
    }

    set({ sample, stamp }: SpoolMark): void {
        this.#stamps.set(sample, stamp);
        this.#hasChanged = true;
    }

    /** Writes the marks, durably. A failure is not reported, since it only costs repeated work. */
    async save(): Promise<void> {
        if (!this.#hasChanged) return;
        this.#hasChanged = false;
        const json = { version: 1, spool: this.#spool, samples: Object.fromEntries(this.#stamps) };
        await this.#writer
            .write(this.#name, [Buffer.from(`${JSON.stringify(json)}\n`)])
            .catch(() => undefined);
    }
}

function parseMarks(text: string, spool: string): Map<string, string> {
    let json: Json;
    try {
        json = JSON.parse(text) as Json;
    } catch {
        return new Map();
    }
    if (!isJsonObject(json) || json.version !== 1 || json.spool !== spool) return new Map();
    if (!isJsonObject(json.samples)) return new Map();
    const stamps = Object.entries(json.samples).filter(
        (one): one is [string, string] => typeof one[1] === 'string',
    );
    return new Map(stamps);
}
