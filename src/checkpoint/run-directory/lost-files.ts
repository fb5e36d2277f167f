import { join } from 'node:path';
import { DurableWriter, makeDirectory } from '../../host/durable-write.js';
import { readTextFile } from '../../host/open-file.js';
import { isJsonObject, type Json } from '../../model/json.js';
import { getIoCode, readReason } from '../../util/io-error.js';
import { UserError } from '../../util/user-error.js';

/** Far more revisions than the record of any task gets. */
const STEP = 1_000_000;

/**
 * checkpoints/<dir name>/lost.json: the revision above which records in new result files start. When a result file is missing, or was
 * moved aside because it cannot be read, the revisions in it are unknown. The records of the repeated tasks must still outrank those
 * that a results database took from the lost file.
 */
export class LostFiles {
    readonly #dir: string;
    readonly #holder: string;
    #revision: number;
    #raised: Promise<void> | null = null;

    private constructor(dir: string, holder: string, revision: number) {
        this.#dir = dir;
        this.#holder = holder;
        this.#revision = revision;
    }

    /**
     * @param dir `checkpoints/<dir name>`
     * @throws UserError (exit 4) if it is there and cannot be read
     */
    static async load(dir: string, holder: string): Promise<LostFiles> {
        return new LostFiles(dir, holder, parseRevision(await readText(join(dir, NAME))));
    }

    /** 0 if no file was ever lost. */
    get revision(): number {
        return this.#revision;
    }

    /**
     * Must be called before a lost file is replaced; durable when it resolves. Once per start is enough: revisions of this start are
     * already above all earlier ones.
     * @throws UserError (exit 4), WriteError
     */
    raise(): Promise<void> {
        this.#raised ??= this.#raise();
        return this.#raised;
    }

    async #raise(): Promise<void> {
        // Another shard may have raised it since this one started.
        const current = parseRevision(await readText(join(this.#dir, NAME)));
        const revision = Math.max(this.#revision, current) + STEP;
        const json = { version: 1, retired_revision: revision };
        await makeDirectory(this.#dir);
        await new DurableWriter(this.#dir, this.#holder).write(NAME, [
            Buffer.from(`${JSON.stringify(json)}\n`),
        ]);
        this.#revision = revision;
    }
}

const NAME = 'lost.json';

async function readText(path: string): Promise<string> {
    try {
        return await readTextFile(path);
    } catch (error) {
        if (getIoCode(error) === 'ENOENT') return '';
        throw new UserError(`cannot read ${path}: ${readReason(error)}`, 4, { cause: error });
    }
}

function parseRevision(text: string): number {
    let json: Json;
    try {
        json = JSON.parse(text) as Json;
    } catch {
        return 0;
    }
    const revision = isJsonObject(json) ? json.retired_revision : 0;
    return Number.isSafeInteger(revision) && Number(revision) >= 0 ? Number(revision) : 0;
}
