import { closeSync, constants, fstatSync, openSync, renameSync, statSync, writeSync } from 'node:fs';
import { NotAFileError, describeKind } from '../../util/regular-file.js';

const FLUSH_BYTES = 16 * 1024;
const FLUSH_MS = 250;
/** Never blocks on a FIFO without a reader. */
const APPEND =
    constants.O_WRONLY | constants.O_APPEND | constants.O_CREAT | constants.O_NONBLOCK | constants.O_NOCTTY;

/**
 * An append-only text file with a size limit: when it is full it becomes `<path>.1`, replacing the previous file of that name,
 * and a new one is started. Writes are buffered briefly; `flush` and `close` write the buffer.
 */
export class RotatingFile {
    private descriptor: number;
    private size: number;
    /** Devices (`/dev/null`, a terminal) have no size and are never renamed. */
    private readonly canRotate: boolean;
    private waiting = '';
    private timer: NodeJS.Timeout | null = null;

    /**
     * @param bound bytes
     * @param onError called once when writing fails; later text is dropped
     * @throws NotAFileError for a FIFO, folder or socket; the system's error if the file cannot be opened
     */
    constructor(
        private readonly path: string,
        private readonly bound: number,
        private readonly onError: (error: unknown) => void,
    ) {
        const stats = statSync(path, { throwIfNoEntry: false });
        if (stats !== undefined && !stats.isFile() && !stats.isCharacterDevice())
            throw new NotAFileError(path, describeKind(stats));
        this.descriptor = openSync(path, APPEND);
        const opened = fstatSync(this.descriptor);
        this.size = opened.size;
        this.canRotate = opened.isFile();
    }

    write(text: string): void {
        if (this.descriptor === -1) return;
        this.waiting += text;
        if (this.waiting.length >= FLUSH_BYTES) this.flush();
        else this.timer ??= setTimeout(() => this.flush(), FLUSH_MS).unref();
    }

    flush(): void {
        if (this.timer !== null) clearTimeout(this.timer);
        this.timer = null;
        if (this.waiting === '' || this.descriptor === -1) return;
        const bytes = Buffer.from(this.waiting);
        this.waiting = '';
        try {
            if (this.canRotate && this.size > 0 && this.size + bytes.length > this.bound) this.rotate();
            writeAll(this.descriptor, bytes);
            this.size += bytes.length;
        } catch (error) {
            this.give(error);
        }
    }

    close(): void {
        this.flush();
        if (this.descriptor !== -1) closeSync(this.descriptor);
        this.descriptor = -1;
    }

    private rotate(): void {
        renameSync(this.path, `${this.path}.1`);
        closeSync(this.descriptor);
        this.descriptor = -1;
        this.descriptor = openSync(this.path, APPEND);
        this.size = 0;
    }

    private give(error: unknown): void {
        if (this.descriptor !== -1) closeSync(this.descriptor);
        this.descriptor = -1;
        this.onError(error);
    }
}

/** A write may take fewer bytes than given. */
function writeAll(descriptor: number, bytes: Buffer): void {
    for (let at = 0; at < bytes.length; ) at += writeSync(descriptor, bytes, at);
}
