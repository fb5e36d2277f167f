import { createHash, randomBytes } from 'node:crypto';
import { mkdir, realpath, rename, rm, stat, writeFile } from 'node:fs/promises';
import { join, sep } from 'node:path';
import type { Redis } from 'ioredis';
import { hashFile } from '../../host/hash-file.js';
import type { StagedSample } from '../../model/sample.js';
import type { RunKeys } from './keys.js';
import { mapFiles, type StageManifest } from './stage-manifest.js';

export interface StageCacheOptions {
    readonly client: Redis;
    readonly keys: RunKeys;
    /** Absolute path of an existing folder that nothing else uses. */
    readonly folder: string;
    /** Folders whose files are used in place if their digest matches the manifest. Absolute paths. */
    readonly sharedPaths: readonly string[];
    /** Maximum bytes of files kept for samples that may be needed again. */
    readonly maxBytes: number;
    /** Asks the coordinator to put a file into Redis. @throws Error with its reason */
    readonly ask: (sha256: string) => Promise<void>;
}

interface CachedStage {
    readonly path: Promise<string>;
    /** Names in `files`, with their sizes in bytes. */
    readonly files: Map<string, number>;
    users: number;
    lastUse: number;
}

/**
 * A program running as another user gets a test's input as stdin and may open it once more. Nothing else is readable for others.
 */
const MODES = { input: 0o644, answer: 0o600, source: 0o600 } as const;

type Role = keyof typeof MODES;

/**
 * The samples of a run on a worker's disk. Each file is fetched once, by its digest, and verified. If all samples together exceed
 * the maximum size, unused ones are removed, least recently used first.
 */
export class StageCache {
    readonly #stages = new Map<string, CachedStage>();
    readonly #fetching = new Map<string, Promise<string>>();

    constructor(private readonly options: StageCacheOptions) {}

    /**
     * @param manifest digest of the manifest
     * @returns folder of the staged sample
     * @throws Error if one of its files cannot be fetched
     */
    async use(manifest: string): Promise<{ readonly path: string; readonly release: () => void }> {
        let stage = this.#stages.get(manifest);
        if (stage === undefined) {
            const files = new Map<string, number>();
            stage = { path: this.#build(manifest, files), files, users: 0, lastUse: 0 };
            this.#stages.set(manifest, stage);
        }
        const used = stage;
        used.users += 1;
        const release = (): void => {
            used.users -= 1;
            used.lastUse = performance.now();
            void this.#trim();
        };
        try {
            return { path: await used.path, release };
        } catch (error) {
            this.#stages.delete(manifest);
            throw error;
        }
    }

    async #build(manifest: string, files: Map<string, number>): Promise<string> {
        const { folder } = this.options;
        await mkdir(join(folder, 'files'), { recursive: true, mode: 0o711 });
        const bytes = await this.#fetch(manifest);
        const { sample, digests } = JSON.parse(bytes.toString()) as StageManifest;
        const place = async (path: string, digest: string | undefined, role: Role): Promise<string> => {
            if (digest === undefined) throw new Error(`the sample's manifest has no digest of ${path}`);
            return (await this.#findShared(path, digest)) ?? this.#keep(digest, role, files);
        };
        const local: StagedSample = await mapFiles(sample, {
            test: (path, role) => place(path, digests[path], role),
            source: (path, digest) => place(path, digest, 'source'),
        });
        const path = join(folder, `stage-${manifest}`);
        await rm(path, { recursive: true, force: true });
        await mkdir(path, { mode: 0o700 });
        await writeFile(join(path, 'sample.json'), JSON.stringify(local), { mode: 0o600 });
        return path;
    }

    /** Path of the file in a shared folder; null if it is in none. */
    async #findShared(path: string, digest: string): Promise<string | null> {
        if (this.options.sharedPaths.length === 0) return null;
        try {
            const real = await realpath(path);
            if (!this.options.sharedPaths.some((folder) => real.startsWith(folder + sep))) return null;
            return (await hashFile(real)).sha256 === digest ? real : null;
        } catch {
            return null;
        }
    }

    /** Path of the file on this disk; fetches it unless that was done before. */
    async #keep(digest: string, role: Role, files: Map<string, number>): Promise<string> {
        const name = `${digest}.${role}`;
        const path = join(this.options.folder, 'files', name);
        const fetching = this.#fetching.get(name) ?? this.#store(digest, path, MODES[role]);
        this.#fetching.set(name, fetching);
        try {
            await fetching;
        } finally {
            this.#fetching.delete(name);
        }
        files.set(name, (await stat(path)).size);
        return path;
    }

    async #store(digest: string, path: string, mode: number): Promise<string> {
        if (await isFile(path)) return path;
        const bytes = await this.#fetch(digest);
        const temporary = `${path}.${randomBytes(6).toString('hex')}`;
        await writeFile(temporary, bytes, { mode });
        await rename(temporary, path);
        return path;
    }

    async #fetch(digest: string): Promise<Buffer> {
        const { client, keys, ask } = this.options;
        const key = keys.file(digest);
        let bytes = await client.getBuffer(key);
        if (bytes === null) {
            await ask(digest);
            bytes = await client.getBuffer(key);
        }
        if (bytes === null) throw new Error('a file of the sample is no longer in Redis');
        if (createHash('sha256').update(bytes).digest('hex') !== digest)
            throw new Error('a file of the sample in Redis has the wrong digest');
        return bytes;
    }

    /** Removes unused samples until the rest fits. */
    async #trim(): Promise<void> {
        const idle = [...this.#stages.entries()]
            .filter(([, { users }]) => users === 0)
            .sort(([, a], [, b]) => a.lastUse - b.lastUse);
        for (const [manifest, stage] of idle) {
            if (this.#size() <= this.options.maxBytes) return;
            this.#stages.delete(manifest);
            await this.#remove(stage);
        }
    }

    #size(): number {
        const sizes = new Map<string, number>();
        for (const { files } of this.#stages.values())
            for (const [name, bytes] of files) sizes.set(name, bytes);
        return [...sizes.values()].reduce((sum, bytes) => sum + bytes, 0);
    }

    async #remove(stage: CachedStage): Promise<void> {
        const path = await stage.path.catch(() => null);
        if (path !== null) await rm(path, { recursive: true, force: true });
        const stillUsed = new Set([...this.#stages.values()].flatMap(({ files }) => [...files.keys()]));
        for (const name of stage.files.keys()) {
            if (!stillUsed.has(name)) await rm(join(this.options.folder, 'files', name), { force: true });
        }
    }
}

const isFile = (path: string): Promise<boolean> =>
    stat(path).then(
        () => true,
        () => false,
    );
