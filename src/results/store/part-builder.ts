import { type FileHandle, open, rename, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { makeStagingName } from '../../host/staging-name.js';
import { WriteError } from '../../host/write-error.js';
import { describeIoError, withDescriptors } from '../../util/io-error.js';
import { UserError } from '../../util/user-error.js';
import type { RecordLine } from '../record/record.js';
import { RecordKeys } from '../record/record-keys.js';
import { type RecordRows, startOfRow } from '../record/record-rows.js';
import type { StorageFormat } from '../result-store.js';
import { makeFileName, PARTS, type PartInfo, readManifest } from './manifest.js';
import { type PartCodec, PartError } from './part-codec.js';

const BUFFER_BYTES = 1024 * 1024;
/** Extra bytes, since the last row may be long. */
const MARGIN = 64 * 1024;

/**
 * Number of parts that are encoded at the same time: the lines of one are few enough that the engine reads them in one thread.
 */
const SEALS_AT_ONCE = 2;

/** A part as seen by the writer. */
export interface LivePart {
    /** Number that the key index uses for it; never reused within a process. */
    readonly id: number;
    readonly info: PartInfo;
    readonly keys: RecordKeys;
}

/** Settings shared by all builders of one store. */
export interface BuilderSettings {
    /** The database's folder. */
    readonly dir: string;
    /** Holder id, for staging names. */
    readonly holder: string;
    readonly format: StorageFormat;
    readonly codec: PartCodec;
    readonly nextId: () => number;
    /** For tests: bytes of lines after which a new part is started. */
    readonly partBytes?: number;
}

/** Writes rows into new part files, which no manifest names yet. */
export class PartBuilder {
    readonly #settings: BuilderSettings;
    readonly #done: LivePart[] = [];
    #open: OpenPart | null = null;
    /** Earlier parts that are being encoded and synced; they reject as `finish` does. */
    readonly #sealing = new Set<Promise<void>>();

    constructor(settings: BuilderSettings) {
        this.#settings = settings;
    }

    /** Whether a row can be added now; otherwise call `makeRoom` first. */
    get hasRoom(): boolean {
        return this.#open !== null && !this.#open.isFull && this.#open.bytes < this.#partBytes;
    }

    /** Writes waiting rows, and starts a new part if the current one is full. @throws WriteError */
    async makeRoom(): Promise<void> {
        const part = this.#open;
        if (part !== null && part.bytes >= this.#partBytes) await this.#beginSeal(part);
        else if (part !== null) await this.#guard(() => part.flush());
        this.#open ??= await this.#guard(() => OpenPart.create(this.#settings));
    }

    /** Number of the part that rows are being added to. */
    get part(): number {
        return this.#requireRoom().id;
    }

    /** Adds a row; there must be room. @returns its row number in the part */
    add(record: RecordLine): number {
        return this.#requireRoom().push(record);
    }

    /** The same for one row of a block. Rows added in order are copied in one go, at the latest by `endRows`. */
    addRow(rows: RecordRows, row: number): number {
        return this.#requireRoom().pushRow(rows, row);
    }

    /** Call this before rows that were added become invalid. */
    endRows(): void {
        this.#open?.endRows();
    }

    #requireRoom(): OpenPart {
        if (this.#open === null) throw new Error('bug in resume-run: a row was added before there was room');
        return this.#open;
    }

    get #partBytes(): number {
        return this.#settings.partBytes ?? this.#settings.codec.linesPerPart;
    }

    /** Whether `copyParts` accepts parts of this codec. */
    copiesRowsFrom(format: StorageFormat): boolean {
        return format === this.#settings.format && this.#settings.codec.copyRows !== undefined;
    }

    /**
     * Writes the rows of parts with the same codec as one new part, without converting them to records.
     * @param dropped rows to leave out, by number of the part
     * @throws WriteError, PartError
     */
    async copyParts(
        sources: readonly LivePart[],
        dropped: ReadonlyMap<number, ReadonlySet<number>>,
    ): Promise<void> {
        const { codec, dir, nextId } = this.#settings;
        if (codec.copyRows === undefined) throw new Error('bug in resume-run: the codec copies lines');
        await this.#seal();
        const keys = new RecordKeys();
        for (const source of sources) keys.pushAll(source.keys, dropped.get(source.id) ?? NO_ROWS);
        if (keys.count === 0) return;
        const copied = sources.map(({ id, info }) => ({
            path: join(dir, info.path),
            dropped: dropped.get(id) ?? NO_ROWS,
        }));
        const info = await this.#guard(() =>
            writePart(this.#settings, makeFileName(codec.extension), keys.count, async (target) => {
                const rows = await codec.copyRows?.(copied, target);
                if (rows === keys.count) return;
                const paths = copied.map(({ path }) => path).join(', ');
                throw new PartError(paths, `expected ${keys.count} records, found ${rows}`);
            }),
        );
        this.#done.push({ id: nextId(), info, keys });
    }

    /** Returns the parts, written and synced; their directory is not synced yet. @throws WriteError */
    async finish(): Promise<readonly LivePart[]> {
        await this.#seal();
        // Sort by row order: parts that were encoded at the same time may have finished in any order.
        return this.#done.sort((a, b) => a.id - b.id);
    }

    /**
     * Removes what was written, except for parts that the manifest on disk names: if the folder could not be synced after the
     * manifest was renamed, the new generation is in effect. Never throws.
     */
    async discard(): Promise<void> {
        await Promise.allSettled(this.#sealing);
        await this.#open?.discard();
        const { dir } = this.#settings;
        try {
            const manifest = await readManifest(dir);
            const named = new Set(manifest?.parts.map(({ path }) => path));
            for (const { info } of this.#done)
                if (!named.has(info.path)) await rm(join(dir, info.path), { force: true });
        } catch {
            // Nothing names the remaining files; the next generation moves them away.
        }
    }

    async #seal(): Promise<void> {
        if (this.#open !== null) await this.#beginSeal(this.#open);
        await Promise.all(this.#sealing);
    }

    /** Seals a part while rows go into the next one: encoding takes longer than reading the rows. */
    async #beginSeal(part: OpenPart): Promise<void> {
        while (this.#sealing.size >= SEALS_AT_ONCE) await Promise.race(this.#sealing);
        this.#open = null;
        const sealing = this.#guard(async () => {
            this.#done.push(await part.seal());
            this.#sealing.delete(sealing);
        });
        this.#sealing.add(sealing);
        // The next caller that awaits it gets the error; until then it must not count as unhandled.
        sealing.catch(() => undefined);
    }

    async #guard<T>(action: () => Promise<T>): Promise<T> {
        try {
            return await action();
        } catch (error) {
            if (error instanceof WriteError || error instanceof UserError || error instanceof PartError)
                throw error;
            throw new WriteError(join(this.#settings.dir, PARTS), describeIoError(error), { cause: error });
        }
    }
}

const NO_ROWS: ReadonlySet<number> = new Set();

/**
 * Staging file, fsync, rename: the name appears only once the file is complete. @param write creates the file at the given path
 */
async function writePart(
    { dir, holder, format }: BuilderSettings,
    name: string,
    records: number,
    write: (target: string) => Promise<void>,
): Promise<PartInfo> {
    const staging = join(dir, PARTS, makeStagingName(name, holder));
    try {
        await write(staging);
        const handle = await withDescriptors(() => open(staging, 'r+'));
        try {
            await handle.sync();
        } finally {
            await handle.close();
        }
        const { size } = await stat(staging);
        await rename(staging, join(dir, PARTS, name));
        return { path: `${PARTS}/${name}`, codec: format, records, bytes: size };
    } finally {
        await rm(staging, { force: true }).catch(() => undefined);
    }
}

class OpenPart {
    readonly keys = new RecordKeys();
    bytes = 0;
    /** Data waiting to be written: the first bytes of this buffer, then lines, or a run of rows. */
    #waitingBytes: Buffer = Buffer.alloc(0);
    /** Buffer that is being written, and the promise of that write. */
    #writtenBytes: Buffer = Buffer.alloc(0);
    #writing: Promise<void> = Promise.resolve();
    #length = 0;
    #lines: string[] = [];
    #run: { readonly rows: RecordRows; readonly from: number; to: number } | null = null;
    #waiting = 0;
    /** Bytes of the longest line, including its line break. */
    #longest = 0;
    /** Fields that occur in the lines; null: any. */
    #fields: Set<string> | null = new Set();
    #lastFields: readonly string[] | undefined = [];

    private constructor(
        readonly settings: BuilderSettings,
        readonly id: number,
        readonly name: string,
        readonly staging: string,
        readonly handle: FileHandle,
    ) {}

    static async create(settings: BuilderSettings): Promise<OpenPart> {
        const name = makeFileName(settings.codec.extension);
        const staging = join(settings.dir, PARTS, makeStagingName(name, settings.holder));
        return new OpenPart(
            settings,
            settings.nextId(),
            name,
            staging,
            await withDescriptors(() => open(staging, 'wx')),
        );
    }

    /** @returns the row's number */
    push({ digest, revision, line, fields }: RecordLine): number {
        this.endRows();
        this.keys.push(digest, revision);
        this.#lines.push(line);
        // A UTF-16 code unit takes three bytes of UTF-8 at most.
        this.#count(line.length + 1, 3 * line.length + 1);
        if (fields !== this.#lastFields) this.#addFields(fields);
        return this.keys.count - 1;
    }

    /** @returns the row's number */
    pushRow(rows: RecordRows, row: number): number {
        if (this.#run?.rows !== rows || this.#run.to !== row) {
            this.endRows();
            this.#run = { rows, from: row, to: row };
        }
        this.#run.to = row + 1;
        this.#count((rows.ends[row] ?? 0) - startOfRow(rows, row));
        return this.keys.count + row - this.#run.from;
    }

    #count(bytes: number, atMost = bytes): void {
        this.#waiting += bytes;
        this.bytes += bytes;
        if (atMost > this.#longest) this.#longest = atMost;
    }

    endRows(): void {
        if (this.#run === null) return;
        const { rows, from, to } = this.#run;
        this.#run = null;
        this.#endLines();
        this.#append(rows.bytes.subarray(startOfRow(rows, from), startOfRow(rows, to)));
        this.keys.pushSome(rows.keys, from, to);
        if (rows.fields !== this.#lastFields) this.#addFields(rows.fields);
    }

    #endLines(): void {
        if (this.#lines.length === 0) return;
        this.#append(Buffer.from(`${this.#lines.join('\n')}\n`));
        this.#lines = [];
    }

    #append(bytes: Buffer): void {
        const end = this.#length + bytes.length;
        if (end > this.#waitingBytes.length) {
            const larger = Buffer.allocUnsafeSlow(Math.max(end, BUFFER_BYTES + MARGIN));
            this.#waitingBytes.copy(larger, 0, 0, this.#length);
            this.#waitingBytes = larger;
        }
        bytes.copy(this.#waitingBytes, this.#length);
        this.#length = end;
    }

    #addFields(fields: readonly string[] | undefined): void {
        this.#lastFields = fields;
        if (fields === undefined) this.#fields = null;
        else for (const name of fields) this.#fields?.add(name);
    }

    /** Whether it is time to flush. */
    get isFull(): boolean {
        return this.#waiting >= BUFFER_BYTES;
    }

    /** Starts writing the waiting data once the previous write is done; more lines can be added meanwhile. */
    async flush(): Promise<void> {
        this.endRows();
        this.#endLines();
        if (this.#length === 0) return;
        const full = this.#waitingBytes;
        const bytes = full.subarray(0, this.#length);
        await this.#writing;
        this.#waitingBytes = this.#writtenBytes;
        this.#writtenBytes = full;
        this.#length = 0;
        this.#waiting = 0;
        this.#writing = writeAll(this.handle, bytes);
        // The next caller that awaits it gets the error; until then it must not count as unhandled.
        this.#writing.catch(() => undefined);
    }

    async #finishWriting(): Promise<void> {
        await this.flush();
        await this.#writing;
    }

    async seal(): Promise<LivePart> {
        const { codec } = this.settings;
        try {
            await this.#finishWriting();
            await this.handle.close();
            const info = await writePart(this.settings, this.name, this.keys.count, (target) =>
                codec.encode({ path: this.staging, longest: this.#longest, present: this.#fields }, target),
            );
            return { id: this.id, info, keys: this.keys };
        } finally {
            await this.discard();
        }
    }

    /** Removes the file of lines. Never throws. */
    async discard(): Promise<void> {
        await this.#writing.catch(() => undefined);
        await this.handle.close().catch(() => undefined);
        await rm(this.staging, { force: true }).catch(() => undefined);
    }
}

async function writeAll(handle: FileHandle, bytes: Buffer): Promise<void> {
    for (let at = 0; at < bytes.length; ) {
        const { bytesWritten } = await handle.write(bytes, at, bytes.length - at, null);
        at += bytesWritten;
    }
}
