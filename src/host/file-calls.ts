import { fsync, open, openSync, rename, renameSync, statfsSync, writev, writevSync } from 'node:fs';
import { SyncWhileQuick } from './sync-while-quick.js';

/*
 * The calls of a commit, by descriptors and callbacks: the same calls of `node:fs/promises` take two to three times as much CPU,
 * for an object per file and several promises per call, which is most of the cost of a small result. Errors have no stack trace
 * of ours; their message names the file and the call.
 */

/** @returns a descriptor, which the caller closes. @throws the system's error */
export function openDescriptor(path: string, flags: 'r' | 'wx'): Promise<number> {
    return new Promise((resolve, reject) => {
        open(path, flags, (error, descriptor) => (error === null ? resolve(descriptor) : reject(error)));
    });
}

/** @throws the system's error */
export function syncDescriptor(descriptor: number): Promise<void> {
    return new Promise((resolve, reject) => {
        fsync(descriptor, (error) => (error === null ? resolve() : reject(error)));
    });
}

function writeBuffers(descriptor: number, buffers: readonly Buffer[]): Promise<number> {
    return new Promise((resolve, reject) => {
        writev(descriptor, buffers, (error, written) => (error === null ? resolve(written) : reject(error)));
    });
}

function renameFile(from: string, to: string): Promise<void> {
    return new Promise((resolve, reject) => {
        rename(from, to, (error) => (error === null ? resolve() : reject(error)));
    });
}

/** Copying this many bytes into memory takes less time than waking another thread. */
const SMALL = 64 * 1024;

/**
 * The calls of a commit before and after its fsync, in one folder. On a local file system these calls only change memory, so
 * small ones are made synchronously; only the fsync waits for the disk. On any other file system they may be messages to a
 * server.
 */
export class CommitCalls {
    readonly #dir: string;
    readonly #pace = new SyncWhileQuick();
    #isLocal: boolean | null = null;

    constructor(dir: string) {
        this.#dir = dir;
    }

    /** Creates a file for writing. @returns a descriptor, which the caller closes. @throws the system's error */
    create(path: string, size: number): number | Promise<number> {
        const later = (): Promise<number> => openDescriptor(path, 'wx');
        return this.#mayWait(size) ? later() : this.#pace.call(() => openSync(path, 'wx'), later);
    }

    /** Opens the folder, to sync it. @returns a descriptor, which the caller closes. @throws the system's error */
    openFolder(): number | Promise<number> {
        const later = (): Promise<number> => openDescriptor(this.#dir, 'r');
        return this.#mayWait(0) ? later() : this.#pace.call(() => openSync(this.#dir, 'r'), later);
    }

    /** @returns bytes written, possibly fewer than given. @throws the system's error */
    write(descriptor: number, buffers: readonly Buffer[], size: number): number | Promise<number> {
        const later = (): Promise<number> => writeBuffers(descriptor, buffers);
        return this.#mayWait(size) ? later() : this.#pace.call(() => writevSync(descriptor, buffers), later);
    }

    /**
     * @param size bytes of the file; the replaced one is assumed to be about as large
     * @throws the system's error
     */
    rename(from: string, to: string, size: number): void | Promise<void> {
        const later = (): Promise<void> => renameFile(from, to);
        return this.#mayWait(size) ? later() : this.#pace.call(() => renameSync(from, to), later);
    }

    #mayWait(size: number): boolean {
        this.#isLocal ??= isOnLocalDisk(this.#dir);
        return size > SMALL || !this.#isLocal;
    }
}

/** `f_type` of file systems that answer from memory (statfs(2)): ext2 to ext4, XFS, Btrfs, ZFS, F2FS, tmpfs, overlayfs. */
const LOCAL_TYPES: ReadonlySet<number> = new Set([
    0xef53, 0x58465342, 0x9123683e, 0x2fc12fc1, 0xf2f52010, 0x01021994, 0x794c7630,
]);

/** False if unknown. */
function isOnLocalDisk(dir: string): boolean {
    // Other systems number the types differently.
    if (process.platform !== 'linux') return false;
    try {
        return LOCAL_TYPES.has(statfsSync(dir).type);
    } catch {
        return false;
    }
}
