import { fsync, open, rename, writev } from 'node:fs';

/*
 * The calls of a commit, by descriptors and callbacks: the same calls of `node:fs/promises` take two to three times as much of the
 * processor, for an object a file and several promises a call, which is most of what a small result costs. An error has no stack
 * trace of ours; the file and the call stand in its message.
 */

/** @returns a descriptor, which the caller closes. @throws what the system says */
export function openDescriptor(path: string, flags: 'r' | 'wx'): Promise<number> {
    return new Promise((resolve, reject) => {
        open(path, flags, (error, descriptor) => (error === null ? resolve(descriptor) : reject(error)));
    });
}

/** @returns bytes written, which may be fewer than given. @throws what the system says */
export function writeBuffers(descriptor: number, buffers: readonly Buffer[]): Promise<number> {
    return new Promise((resolve, reject) => {
        writev(descriptor, buffers, (error, written) => (error === null ? resolve(written) : reject(error)));
    });
}

/** @throws what the system says */
export function syncDescriptor(descriptor: number): Promise<void> {
    return new Promise((resolve, reject) => {
        fsync(descriptor, (error) => (error === null ? resolve() : reject(error)));
    });
}

/** @throws what the system says */
export function renameFile(from: string, to: string): Promise<void> {
    return new Promise((resolve, reject) => {
        rename(from, to, (error) => (error === null ? resolve() : reject(error)));
    });
}
