import { open, type FileHandle } from 'node:fs/promises';

/** The part of one side that is in memory: bytes from `at` (the first that has not been compared yet) to `end`. */
export class Window {
    at = 0;

    /** @param last true if nothing follows `end` */
    constructor(
        public bytes: Buffer,
        public end: number,
        public last: boolean,
    ) {}

    static whole(bytes: Buffer): Window {
        return new Window(bytes, bytes.length, true);
    }

    get unread(): number {
        return this.end - this.at;
    }
}

const CAPACITY = 512 * 1024;

/** A window that moves along a file; memory is bounded by its capacity. */
export class FileWindow extends Window {
    private constructor(private readonly handle: FileHandle) {
        super(Buffer.allocUnsafe(CAPACITY), 0, false);
    }

    /** @throws the system's error if the file cannot be opened */
    static async open(path: string): Promise<FileWindow> {
        return new FileWindow(await open(path, 'r'));
    }

    /** Drops what was compared and reads more; returns the number of bytes read. */
    async refill(): Promise<number> {
        if (this.last) return 0;
        if (this.at > 0) {
            this.bytes.copy(this.bytes, 0, this.at, this.end);
            this.end -= this.at;
            this.at = 0;
        }
        if (this.end === CAPACITY) return 0;
        const { bytesRead } = await this.handle.read(this.bytes, this.end, CAPACITY - this.end, null);
        this.end += bytesRead;
        this.last = bytesRead === 0;
        return bytesRead;
    }

    close(): Promise<void> {
        return this.handle.close();
    }
}
