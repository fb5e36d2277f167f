import { join } from 'node:path';
import { DurableWriter, makeDirectory } from '../../host/durable-write.js';
import { listFiles } from '../../host/listing.js';
import { acquireLock } from '../../host/lock.js';
import { sweep } from '../../host/sweep.js';
import { WriteError } from '../../host/write-error.js';
import { describeIoError } from '../../util/io-error.js';
import { UserError } from '../../util/user-error.js';
import type { StorageFormat } from '../result-store.js';
import { chooseStorage } from './choose-storage.js';
import { DatabaseStore } from './database-store.js';
import { FOLDERS } from './folders.js';
import { KEYS, readKeys } from './key-files.js';
import {
    makeEmptyManifest,
    MANIFEST,
    type Manifest,
    PARTS,
    readManifest,
    writeManifest,
} from './manifest.js';
import type { LivePart } from './part-builder.js';
import { PartError } from './part-codec.js';
import { moveReplacedParts, removeExpiredParts } from './replaced-parts.js';

export interface OpenStoreOptions {
    /** The database's folder, `database`; created if missing. */
    readonly dir: string;
    /** Null: the database's own format, or JSON for a new one. */
    readonly storage: StorageFormat | null;
    readonly takeOver?: boolean;
    /** Receives a line for the user. */
    readonly onNotice: (message: string) => void;
    /** The caller is about to convert the database. */
    readonly converts?: boolean;
    /** Ends the wait for the lock. */
    readonly signal?: AbortSignal;
    /** For tests: bytes of JSON lines after which a new part is started. */
    readonly partBytes?: number;
}

/**
 * Opens a database as its single writer.
 * @throws UserError: exit 3 if another process holds it, 2 if its manifest or a part is damaged, 4 if it cannot be locked
 * @throws WriteError (exit 4)
 */
export async function openStore(options: OpenStoreOptions): Promise<DatabaseStore> {
    const { dir } = options;
    const lock = await acquireLock({
        checkpointsDir: dir,
        dir,
        shard: null,
        takeOver: options.takeOver ?? false,
        hint: 'a database has one writer at a time, and results that wait for it are safe',
        onNotice: options.onNotice,
        ...(options.signal === undefined ? {} : { signal: options.signal }),
    });
    try {
        for (const folder of [PARTS, KEYS]) await makeDirectory(join(dir, folder));
        const folders = [KEYS, ...FOLDERS].map((name) => join(dir, name));
        await sweep([dir, ...folders], async () => new Set([lock.id]));
        const found = await readManifest(dir);
        const storage = await chooseStorage(options, found);
        const manifest = found ?? (await createManifest(dir, lock.id, storage));
        await moveReplacedParts(dir, manifest);
        await removeExpiredParts(dir);
        const parts: LivePart[] = [];
        for (const [id, info] of manifest.parts.entries())
            parts.push({ id, info, keys: await readKeys(dir, info) });
        const { partBytes } = options;
        const store = new DatabaseStore({
            dir,
            lock,
            storage,
            manifest,
            parts,
            ...(partBytes === undefined ? {} : { partBytes }),
        });
        await store.loadRetirements();
        return store;
    } catch (error) {
        await lock.release();
        throw explainOpenError(dir, error);
    }
}

function explainOpenError(dir: string, error: unknown): unknown {
    if (error instanceof PartError)
        return new UserError(
            `cannot open the database: ${error.message}. Restore a backup with \`resume-run database restore\``,
            2,
            { cause: error },
        );
    if (error instanceof UserError || error instanceof WriteError) return error;
    return new WriteError(dir, describeIoError(error), { cause: error });
}

/**
 * Writes an empty manifest into a new database before any other file: files without a manifest mean that it was lost, never that
 * the database is new.
 */
async function createManifest(dir: string, holder: string, storage: StorageFormat): Promise<Manifest> {
    for (const folder of FOLDERS) {
        const files = await listFiles(join(dir, folder));
        if (files.length === 0) continue;
        throw new UserError(
            `${join(dir, MANIFEST)} is missing, though there are ${files.length} files in ${join(dir, folder)}. ` +
                'Restore a backup with `resume-run database restore`, or move the folder away and rebuild it with ' +
                '`resume-run collect --from results`',
        );
    }
    const manifest = makeEmptyManifest(storage);
    await writeManifest(new DurableWriter(dir, holder), manifest);
    return manifest;
}
