import { mkdir, mkdtemp, readdir, readFile, rename, rm, stat, utimes, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { CapturedRun } from '../../model/entry.js';
import { type PackedFile } from '../sandbox/wire.js';

/** The result of compiling a submission: files, or the compiler's message. */
export interface CacheEntry {
    /** null: it did not compile. */
    readonly files: readonly { readonly name: string; readonly mode: number }[] | null;
    readonly result: CapturedRun;
}

export interface CachedCompilation extends CacheEntry {
    /** Holds the files. */
    readonly folder: string;
}

/** 2 GiB of compiled submissions are kept between runs. */
const MAX_BYTES = 2 * 1024 ** 3;
const MANIFEST = 'manifest.json';
/** Its modification time is when the cache was last trimmed. */
const TRIMMED = '.trimmed';
const TRIM_EVERY_MS = 3_600_000;

/** Compiled submissions by content: a folder per key, renamed into place when complete and never changed. */
export class CompileCache {
    constructor(private readonly root: string) {}

    async get(key: string): Promise<CachedCompilation | null> {
        const folder = join(this.root, key);
        try {
            const entry = JSON.parse(await readFile(join(folder, MANIFEST), 'utf8')) as CacheEntry;
            const now = new Date();
            // Marks the entry as used, for `trim`.
            await utimes(join(folder, MANIFEST), now, now).catch(() => {});
            return { ...entry, folder };
        } catch {
            return null;
        }
    }

    async put(
        key: string,
        files: readonly PackedFile[] | null,
        result: CapturedRun,
    ): Promise<CachedCompilation> {
        await mkdir(this.root, { recursive: true, mode: 0o700 });
        const building = await mkdtemp(join(this.root, 'building-'));
        for (const file of files ?? []) {
            const path = join(building, 'files', file.name);
            await mkdir(dirname(path), { recursive: true });
            await writeFile(path, file.content, { mode: file.mode & 0o111 ? 0o555 : 0o444 });
        }
        const listed = files?.map(({ name, mode }) => ({ name, mode: mode & 0o111 ? 0o555 : 0o444 })) ?? null;
        const entry: CacheEntry = { files: listed, result };
        await writeFile(join(building, MANIFEST), JSON.stringify(entry));
        const folder = join(this.root, key);
        try {
            await rename(building, folder);
        } catch {
            // Another process has stored the same entry first.
            await rm(building, { recursive: true, force: true });
        }
        return { ...entry, folder };
    }

    /** Trims unless another worker or run has done so within the hour, since trimming looks at every file. */
    async trimNowAndThen(): Promise<void> {
        const marker = join(this.root, TRIMMED);
        const last = await stat(marker).catch(() => null);
        if (last !== null && Math.abs(Date.now() - last.mtimeMs) < TRIM_EVERY_MS) return;
        // Set the marker first, since the other workers of this run get here at the same time. Without a folder there is nothing
        // to trim.
        const marked = await writeFile(marker, '').then(
            () => true,
            () => false,
        );
        if (marked) await this.trim();
    }

    /** Removes the least recently used entries until the rest fits, and entries left unfinished by a kill. */
    async trim(maxBytes = MAX_BYTES): Promise<void> {
        const names = (await readdir(this.root).catch(() => [])).filter((name) => name !== TRIMMED);
        const entries = await Promise.all(names.map((name) => this.#weigh(name)));
        const known = entries.filter((entry) => entry !== null).sort((a, b) => b.used - a.used);
        let total = 0;
        for (const entry of known) {
            total += entry.bytes;
            if (total > maxBytes) await rm(entry.path, { recursive: true, force: true });
        }
    }

    async #weigh(name: string): Promise<{ path: string; used: number; bytes: number } | null> {
        const path = join(this.root, name);
        const manifest = await stat(join(path, MANIFEST)).catch(() => null);
        if (manifest === null) {
            const info = await stat(path).catch(() => null);
            const isStale = info !== null && Date.now() - info.mtimeMs > 3_600_000;
            if (isStale) await rm(path, { recursive: true, force: true });
            return null;
        }
        let bytes = manifest.size;
        const files = await readdir(join(path, 'files'), { recursive: true }).catch(() => []);
        for (const file of files) {
            bytes += await stat(join(path, 'files', file)).then(
                (info) => info.size,
                () => 0,
            );
        }
        return { path, used: manifest.mtimeMs, bytes };
    }
}
