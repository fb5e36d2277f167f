import { join } from 'node:path';
import { DurableWriter, syncDirectory } from '../../host/durable-write.js';
import type { Lock } from '../../host/lock.js';
import { WriteError } from '../../host/write-error.js';
import { describeIoError } from '../../util/io-error.js';
import { UserError } from '../../util/user-error.js';
import { type AggregateSet, writeAggregates } from '../aggregate/aggregate-files.js';
import { toWords } from '../record/record-keys.js';
import type { Changes, CommitSummary, ResultStore, StorageFormat } from '../result-store.js';
import { sortBatch } from './commit.js';
import { KEYS, readKeys, removeKeys, writeKeys } from './key-files.js';
import { KeyIndex, RETIRED } from './key-index.js';
import { type Manifest, PARTS, writeManifest } from './manifest.js';
import {
    backUpParts,
    bringBackPart,
    compareParts,
    forgetMigration,
    groupParts,
    type Migration,
    readMigration,
    refuseRollbackOverNews,
    writeMigration,
} from './migration.js';
import { type LivePart, PartBuilder } from './part-builder.js';
import { loadCodec, PartError } from './part-codec.js';
import { moveReplacedParts, removeExpiredParts } from './replaced-parts.js';
import { readRetirements, type RetiredKey, writeRetirements } from './retirement-files.js';

/** Smaller parts are joined with others. Bytes. */
const SMALL_PART = 50 * 1024 * 1024;
/** Number of small parts that a commit leaves unjoined. */
const MAX_SMALL_PARTS = 64;

/** Bytes of JSON lines in a part that a commit writes: one part is encoded while the next is filled, and joining is cheap. */
const FRESH_PART = 32 * 1024 * 1024;

/** Most rows that the engine can leave out of a copy; beyond that, records are copied one by one. */
const MAX_DROPPED = 2000;

export interface StoreSettings {
    readonly dir: string;
    readonly lock: Lock;
    readonly storage: StorageFormat;
    readonly manifest: Manifest;
    readonly parts: readonly LivePart[];
    /** For tests, see `OpenStoreOptions`. */
    readonly partBytes?: number;
}

/** The single writer of a database, which holds its lock. See `ResultStore`. */
export class DatabaseStore implements ResultStore {
    readonly dir: string;
    readonly #settings: StoreSettings;
    readonly #writer: DurableWriter;
    readonly #keyWriter: DurableWriter;
    readonly #indexed = new KeyIndex();
    /** Parts whose keys are not in the index yet, which is filled on demand: nothing needs them after the last commit. */
    #unindexed: LivePart[] = [];
    readonly #parts = new Map<number, LivePart>();
    #manifest: Manifest;
    #ids: number;
    /** Raised when joining failed, so that not every commit tries again. */
    #mostSmallParts = MAX_SMALL_PARTS;
    #last: Promise<unknown> = Promise.resolve();

    constructor(settings: StoreSettings) {
        this.dir = settings.dir;
        this.#settings = settings;
        this.#manifest = settings.manifest;
        this.#writer = new DurableWriter(settings.dir, settings.lock.id);
        this.#keyWriter = new DurableWriter(join(settings.dir, KEYS), settings.lock.id);
        this.#ids = settings.parts.length;
        for (const part of settings.parts) this.#take(part);
    }

    get generation(): number {
        return this.#manifest.generation;
    }

    /** Codec of new parts. */
    get storage(): StorageFormat {
        return this.#settings.storage;
    }

    get manifest(): Manifest {
        return this.#manifest;
    }

    /** Reads the keys that were retired. Call this once, before the first commit. */
    async loadRetirements(): Promise<void> {
        for await (const key of readRetirements(this.dir, this.#manifest)) this.#takeRetired(key);
    }

    /** Call this after all parts were taken: a record that came back after its retirement stays. */
    #takeRetired({ digest, revision }: RetiredKey): void {
        const words = toWords(digest);
        const known = this.#index.get(words);
        if (known === null || known.revision <= revision) this.#index.set(words, 0, revision, RETIRED, 0);
    }

    commit(changes: Changes): Promise<CommitSummary> {
        return this.#inTurn(async () => {
            const summary = await this.#commit(changes);
            await this.#joinMany();
            return summary;
        });
    }

    compact(): Promise<void> {
        return this.#inTurn(() => this.#join(1));
    }

    /**
     * Adds the counts of an earlier database, next to the records.
     * @returns false if a file with the same content was added before
     * @throws as `commit`
     */
    addAggregates(set: AggregateSet): Promise<boolean> {
        return this.#inTurn(async () => {
            if (this.#manifest.aggregates.some(({ sha256 }) => sha256 === set.sha256)) return false;
            await this.#settings.lock.verify();
            const info = await writeAggregates(this.dir, this.#settings.lock.id, set);
            await this.#publish({ aggregates: [...this.#manifest.aggregates, info] });
            return true;
        });
    }

    /**
     * Rewrites every part with the codec `to`; see migration.ts. Finishes an earlier migration that was interrupted.
     * @param onProgress called after each switch with the number of records done and the total
     * @returns number of records that this call rewrote
     * @throws as `commit`; UserError (exit 2) if the codec needs a package that is not installed
     */
    migrate(to: StorageFormat, onProgress: (done: number, all: number) => void): Promise<number> {
        return this.#inTurn(async () => {
            const others = [...this.#parts.values()].filter((part) => part.info.codec !== to);
            let migration = await this.#beginMigration(to, others);
            if (migration === null) return 0;
            const all = others.reduce((sum, part) => sum + part.info.records, 0);
            let done = 0;
            for (const group of groupParts(others)) {
                migration = await this.#migrateGroup(group, migration);
                done += group.reduce((sum, part) => sum + part.info.records, 0);
                onProgress(done, all);
            }
            if (this.#manifest.storage !== to) await this.#publish({ storage: to });
            await writeMigration(this.#writer, { ...migration, is_finished: true });
            return done;
        });
    }

    /** @returns null if every part already has the codec and there is no unfinished migration */
    async #beginMigration(to: StorageFormat, others: readonly LivePart[]): Promise<Migration | null> {
        // Load before writing anything: a migration that cannot read its parts must not count as started.
        for (const codec of new Set([to, ...others.map(({ info }) => info.codec)])) await loadCodec(codec);
        await this.#settings.lock.verify();
        const known = await readMigration(this.dir);
        if (known?.is_finished !== false && others.length === 0 && this.#manifest.storage === to) return null;
        if (known !== null && known.to === to && (!known.is_finished || others.length === 0)) return known;
        const { storage, parts, retirements } = this.#manifest;
        await this.#guardWrite(backUpParts(this.dir, parts));
        const before = { storage, parts, retirements };
        const started_at = new Date().toISOString();
        const migration = { version: 1, to, started_at, is_finished: false, before, made: [] } as const;
        await writeMigration(this.#writer, migration);
        return migration;
    }

    async #migrateGroup(group: readonly LivePart[], migration: Migration): Promise<Migration> {
        const builder = await this.#builder(migration.to);
        try {
            await this.#copyRows(group, new Map(), builder);
            const targets = await builder.finish();
            await compareParts(
                this.dir,
                group.map((part) => part.info),
                targets.map((part) => part.info),
            );
            const made = [...migration.made, ...targets.map((part) => part.info.path)];
            // Record them before the switch: unknown parts would prevent a rollback.
            await writeMigration(this.#writer, { ...migration, made });
            await this.#publish({ storage: migration.to }, group, targets);
            return { ...migration, made };
        } catch (error) {
            await builder.discard();
            throw error;
        }
    }

    /**
     * Goes back to the parts from before the last migration.
     * @throws as `commit`; UserError (exit 2) if there was no migration, or records were added since
     */
    rollBackMigration(): Promise<StorageFormat> {
        return this.#inTurn(async () => {
            const migration = await readMigration(this.dir);
            if (migration === null)
                throw new UserError(`${this.dir} was never migrated: there is nothing to roll back`);
            refuseRollbackOverNews(migration, this.#manifest);
            const { before } = migration;
            const wanted = new Set(before.parts.map(({ path }) => path));
            const live = new Set(this.#manifest.parts.map(({ path }) => path));
            const added: LivePart[] = [];
            for (const info of before.parts.filter(({ path }) => !live.has(path))) {
                await this.#guardWrite(bringBackPart(this.dir, info));
                added.push({ id: this.#ids++, info, keys: await readKeys(this.dir, info) });
            }
            const removed = [...this.#parts.values()].filter((part) => !wanted.has(part.info.path));
            await this.#publish({ storage: before.storage }, removed, added);
            await forgetMigration(this.dir);
            return before.storage;
        });
    }

    async #guardWrite(action: Promise<void>): Promise<void> {
        try {
            await action;
        } catch (error) {
            if (error instanceof PartError) throw error;
            throw new WriteError(this.dir, describeIoError(error), { cause: error });
        }
    }

    async close(): Promise<void> {
        await this.#last.catch(() => undefined);
        await this.#settings.lock.release();
    }

    #inTurn<T>(action: () => Promise<T>): Promise<T> {
        const turn = this.#last
            .catch(() => undefined)
            .then(action)
            .catch((error: unknown) => {
                if (!(error instanceof PartError)) throw error;
                throw new UserError(
                    `${error.message}. Restore a backup with \`resume-run database restore\`, or rebuild the ` +
                        'database with `resume-run collect --from results`',
                    4,
                    { cause: error },
                );
            });
        this.#last = turn;
        return turn;
    }

    async #builder(format: StorageFormat, bytes?: number): Promise<PartBuilder> {
        const { dir, lock } = this.#settings;
        const partBytes = this.#settings.partBytes ?? bytes;
        return new PartBuilder({
            dir,
            holder: lock.id,
            format,
            codec: await loadCodec(format),
            nextId: () => this.#ids++,
            ...(partBytes === undefined ? {} : { partBytes }),
        });
    }

    async #commit(changes: Changes): Promise<CommitSummary> {
        await this.#settings.lock.verify();
        const { storage } = this.#settings;
        const builder = await this.#builder(storage, FRESH_PART);
        const rest = await this.#builder(storage);
        try {
            const { summary, dropped, retirements } = await sortBatch(changes, this.#index, builder);
            const fresh = await builder.finish();
            const touched = new Map([...this.#parts, ...fresh.map((part) => [part.id, part] as const)]);
            const sources = [...dropped.keys()].flatMap((id) => touched.get(id) ?? []);
            await this.#copyRows(sources, dropped, rest);
            const kept = fresh.filter((part) => !dropped.has(part.id));
            const added = [...kept, ...(await rest.finish())];
            if (added.length === 0 && sources.length === 0 && retirements.length === 0) return summary;
            const file = await writeRetirements(this.dir, this.#settings.lock.id, retirements);
            await this.#publish(
                { retirements: [...this.#manifest.retirements, ...file.map((one) => one.info)] },
                sources,
                added,
            );
            for (const { keys } of file) for (const key of keys) this.#takeRetired(key);
            return summary;
        } catch (error) {
            await builder.discard();
            await rest.discard();
            throw error;
        }
    }

    /** The commit is already durable: if the disk has no room for the joined parts, there are just more of them. */
    async #joinMany(): Promise<void> {
        try {
            await this.#join(this.#mostSmallParts);
        } catch (error) {
            if (!(error instanceof WriteError)) throw error;
            this.#mostSmallParts += MAX_SMALL_PARTS;
        }
    }

    /** Joins the small parts if there are more than `most` of them. */
    async #join(most: number): Promise<void> {
        const format = this.#settings.storage;
        const small = [...this.#parts.values()].filter(
            (part) => part.info.bytes < SMALL_PART && part.info.codec === format,
        );
        if (small.length > most) await this.#rewrite(small, new Map(), format);
        await removeExpiredParts(this.dir);
    }

    async #rewrite(
        sources: readonly LivePart[],
        dropped: ReadonlyMap<number, ReadonlySet<number>>,
        format: StorageFormat,
    ): Promise<void> {
        await this.#settings.lock.verify();
        const builder = await this.#builder(format);
        try {
            await this.#copyRows(sources, dropped, builder);
            const targets = await builder.finish();
            await this.#publish({}, sources, targets);
        } catch (error) {
            await builder.discard();
            throw error;
        }
    }

    async #copyRows(
        sources: readonly LivePart[],
        dropped: ReadonlyMap<number, ReadonlySet<number>>,
        builder: PartBuilder,
    ): Promise<void> {
        const isCopied = ({ id, info }: LivePart): boolean =>
            builder.copiesRowsFrom(info.codec) && (dropped.get(id)?.size ?? 0) <= MAX_DROPPED;
        for (const group of groupParts(sources.filter(isCopied))) await builder.copyParts(group, dropped);
        for (const { id, info, keys } of sources.filter((part) => !isCopied(part))) {
            const codec = await loadCodec(info.codec);
            const skipped = dropped.get(id);
            let row = 0;
            for await (const lines of codec.readLines(join(this.dir, info.path))) {
                for (const line of lines) {
                    if (row < keys.count && skipped?.has(row) !== true) {
                        if (!builder.hasRoom) await builder.makeRoom();
                        builder.add({ line, digest: keys.digest(row), revision: keys.revision(row) });
                    }
                    row += 1;
                }
            }
            if (row !== keys.count)
                throw new PartError(info.path, `expected ${keys.count} records, found ${row}`);
        }
    }

    /**
     * Publishes the next generation. Everything that it names is made durable first; the rename of the manifest makes it visible.
     */
    async #publish(
        change: Partial<Manifest>,
        removed: readonly LivePart[] = [],
        added: readonly LivePart[] = [],
    ): Promise<void> {
        for (const part of added) await writeKeys(this.#keyWriter, part.info, part.keys);
        try {
            await syncDirectory(join(this.dir, PARTS));
        } catch (error) {
            throw new WriteError(join(this.dir, PARTS), describeIoError(error), { cause: error });
        }
        await this.#settings.lock.verify();
        const gone = new Set(removed.map((part) => part.info.path));
        const next: Manifest = {
            ...this.#manifest,
            storage: this.#settings.storage,
            ...change,
            generation: this.#manifest.generation + 1,
            written_at: new Date().toISOString(),
            parts: [
                ...this.#manifest.parts.filter((part) => !gone.has(part.path)),
                ...added.map((part) => part.info),
            ],
        };
        await writeManifest(this.#writer, next);
        this.#manifest = next;
        for (const part of removed) this.#parts.delete(part.id);
        for (const part of added) this.#take(part);
        await moveReplacedParts(this.dir, next);
        for (const part of removed) await removeKeys(this.dir, part.info);
    }

    #take(part: LivePart): void {
        this.#parts.set(part.id, part);
        this.#unindexed.push(part);
    }

    /** All keys, indexed in the order in which parts were taken: the last entry of a key wins. */
    get #index(): KeyIndex {
        const parts = this.#unindexed;
        this.#unindexed = [];
        for (const { keys, id } of parts) this.#indexed.setPart(keys, id);
        return this.#indexed;
    }
}
