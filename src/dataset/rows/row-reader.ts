import type { FileHandle } from 'node:fs/promises';
import { withDescriptors } from '../../util/io-error.js';
import { readFully } from './read-row.js';

/** Bytes read at a time for small rows, since samples are requested in the order of their rows. */
const WINDOW_BYTES = 64 * 1024;

/**
 * Milliseconds after its last use until a file is closed: a run of several days must not keep a file open that somebody replaces.
 */
const IDLE_MS = 2000;

/** The bytes read last; rows within them need no further call. */
interface Window {
    readonly offset: number;
    readonly bytes: Promise<Buffer>;
}

/**
 * Reads rows of one file by position. The file stays open between rows: opening, checking and closing it for each row cost three
 * times as much as everything else that a small row needs before it is planned.
 */
export class RowReader {
    readonly #open: () => Promise<FileHandle>;
    #handle: Promise<FileHandle> | null = null;
    #window: Window | null = null;
    #reading = 0;
    #idle: NodeJS.Timeout | null = null;

    /** @param open opens the file that holds the rows */
    constructor(open: () => Promise<FileHandle>) {
        this.#open = open;
    }

    /**
     * Bytes of a row; fewer if the file has become shorter.
     * @throws the errors of opening the file, and the system's
     */
    async read(offset: number, length: number): Promise<Buffer> {
        this.#reading += 1;
        try {
            if (length > WINDOW_BYTES) return await readFully(await this.#opened(), offset, length);
            const window = this.#windowFor(offset, length);
            const from = offset - window.offset;
            return (await window.bytes).subarray(from, from + length);
        } catch (error) {
            // A handle stays stale if its file was replaced on a network disk, so the next row opens the file again.
            this.#drop();
            throw error;
        } finally {
            this.#reading -= 1;
            this.#closeLater();
        }
    }

    /** Closes the file unless reads are in progress. */
    close(): void {
        if (this.#idle !== null) clearTimeout(this.#idle);
        this.#idle = null;
        if (this.#reading === 0) this.#drop();
    }

    /** Reads in progress finish first: closing a handle waits for them. */
    #drop(): void {
        const handle = this.#handle;
        this.#handle = null;
        this.#window = null;
        // The file was only read, so an error on closing has no consequences.
        handle?.then((open) => open.close()).catch(() => undefined);
    }

    #windowFor(offset: number, length: number): Window {
        const last = this.#window;
        if (last !== null && offset >= last.offset && offset + length <= last.offset + WINDOW_BYTES)
            return last;
        const bytes = this.#opened().then((handle) => readFully(handle, offset, WINDOW_BYTES));
        this.#window = { offset, bytes };
        return this.#window;
    }

    #opened(): Promise<FileHandle> {
        if (this.#handle === null) {
            const opening = withDescriptors(this.#open);
            this.#handle = opening;
            opening.catch(() => {
                if (this.#handle === opening) this.#handle = null;
            });
        }
        return this.#handle;
    }

    #closeLater(): void {
        if (this.#reading > 0) return;
        if (this.#idle !== null) {
            this.#idle.refresh();
            return;
        }
        this.#idle = setTimeout(() => this.close(), IDLE_MS);
        // The timer must not keep a finished process alive.
        this.#idle.unref();
    }
}
