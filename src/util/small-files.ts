import { readFileSync, statSync } from 'node:fs';

/** Files up to this many bytes are read synchronously: far cheaper than five trips through the thread pool. */
const MAX_FILE_BYTES = 256 * 1024;
/** Bytes kept for later reads. */
const KEPT = 16 * 1024 * 1024;

/**
 * Contents of small files that are read again and again: every submission of a problem gets the same tests. The files must not
 * change while the process lives, and the buffers must not be written to.
 */
class SmallFiles {
    readonly #kept = new Map<string, Buffer>();
    #bytes = 0;

    /** The whole file; null if it is not small. @throws the system's error if it cannot be read */
    read(path: string): Buffer | null {
        const known = this.#kept.get(path);
        if (known !== undefined) return known;
        if (statSync(path).size > MAX_FILE_BYTES) return null;
        const content = readFileSync(path);
        this.#kept.set(path, content);
        this.#bytes += content.length;
        for (const [oldest, { length }] of this.#kept) {
            if (this.#bytes <= KEPT) break;
            this.#kept.delete(oldest);
            this.#bytes -= length;
        }
        return content;
    }
}

export const smallFiles = new SmallFiles();
