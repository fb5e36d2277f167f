import { statSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { smallFiles } from '../../util/small-files.js';

/** Maximum bytes of test data that all requests of one executor hold in memory at once. */
export const LOAD_BUDGET = 256 * 1024 * 1024;

/** Limits the bytes in use at once; a request for more than the total runs alone. First come, first served. */
export class ByteBudget {
    private used = 0;
    private readonly queue: { readonly bytes: number; readonly enter: () => void }[] = [];

    constructor(private readonly total: number) {}

    /** Waits until `bytes` are available, and holds them while `work` runs. */
    async hold<T>(bytes: number, work: () => Promise<T>): Promise<T> {
        await this.enter(bytes);
        try {
            return await work();
        } finally {
            this.used -= bytes;
            this.serve();
        }
    }

    private enter(bytes: number): Promise<void> {
        return new Promise((resolve) => {
            this.queue.push({ bytes, enter: resolve });
            this.serve();
        });
    }

    private serve(): void {
        for (let next = this.queue[0]; next !== undefined; next = this.queue[0]) {
            if (this.used > 0 && this.used + next.bytes > this.total) return;
            this.used += next.bytes;
            this.queue.shift();
            next.enter();
        }
    }
}

const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/** The bytes as text that JSON carries without loss; null if they are not UTF-8. */
export function asText(bytes: Buffer): string | null {
    try {
        return decoder.decode(bytes);
    } catch {
        return null;
    }
}

/** Size of a file of test data in bytes. */
export const measureSize = (path: string): number => smallFiles.read(path)?.length ?? statSync(path).size;

export async function readWhole(path: string): Promise<Buffer> {
    return smallFiles.read(path) ?? readFile(path);
}
