import { randomBytes } from 'node:crypto';
import { DurableWriter, makeDirectory } from '../../host/durable-write.js';
import { getMessage } from '../../util/message.js';
import { batchText, changeText } from '../collect/own-batch.js';
import type { RecordChange } from '../record/record.js';

/** Size in bytes at which a batch is written at once. */
const BATCH_BYTES = 1024 * 1024;
/** Time in milliseconds after its first change at which a batch is written. */
const BATCH_AGE = 5000;
/** Bytes that may wait for the disk. Beyond this limit changes are dropped; the next start spools them again. */
const WAITING_BYTES = 32 * 1024 * 1024;

export interface SpoolOptions {
    /** `temp_results`; created if missing. */
    readonly dir: string;
    /** Prefix of the names of its batches: the run's id, or a model. Any text. */
    readonly name: string;
    /** Holder id, for staging names. */
    readonly holder: string;
    /** Receives a line for the user when the spool cannot be written. Called once. */
    readonly onNotice: (message: string) => void;
    /** Called for each sample whose changes up to a mark are on disk. */
    readonly onDurable?: (mark: SpoolMark) => void;
    /** For tests: milliseconds to use instead of `BATCH_AGE`, bytes instead of `WAITING_BYTES`. */
    readonly batchAge?: number;
    readonly waitingBytes?: number;
}

/** A position in the stream of changes. */
export interface SpoolMark {
    readonly sample: string;
    /** Stamp of the result file that holds the changes before this position. */
    readonly stamp: string;
}

type Item =
    | { readonly kind: 'change'; readonly sample: string; readonly text: string }
    | { readonly kind: 'mark'; readonly mark: SpoolMark };

/**
 * Writes changes of records as batches for the collector. It never blocks: `add` returns at once. Changes that the disk cannot
 * keep up with are dropped; their samples get no mark, and the next start spools them again.
 */
export class Spool {
    readonly #options: SpoolOptions;
    readonly #writer: DurableWriter;
    /** Samples that lost a change: later marks for them do not count. */
    readonly #lossy = new Set<string>();
    #items: Item[] = [];
    #bytes = 0;
    /** Bytes in `#items` and in the batch that is being written. */
    #waiting = 0;
    #timer: NodeJS.Timeout | null = null;
    #writing: Promise<void> | null = null;
    #wasToldOfFault = false;

    constructor(options: SpoolOptions) {
        this.#options = options;
        this.#writer = new DurableWriter(options.dir, options.holder);
    }

    /** Adds a change. Never throws, never waits. */
    add(sample: string, change: RecordChange): void {
        const text = changeText(change);
        if (this.#waiting + text.length > (this.#options.waitingBytes ?? WAITING_BYTES)) {
            this.#drop(sample, 'the disk does not keep up');
            return;
        }
        this.#items.push({ kind: 'change', sample, text });
        this.#bytes += text.length;
        this.#waiting += text.length;
        if (this.#bytes >= BATCH_BYTES) this.#start();
        else this.#schedule();
    }

    /** States that everything in a sample's file was added. */
    mark(mark: SpoolMark): void {
        this.#items.push({ kind: 'mark', mark });
        this.#schedule();
    }

    /** For callers that can wait: resolves when little is waiting for the disk. Never rejects. */
    async waitForRoom(): Promise<void> {
        while (this.#writing !== null && this.#waiting > 4 * BATCH_BYTES) await this.#writing;
    }

    /** Writes all waiting changes. Resolves when they are on disk, or could not be written; never rejects. */
    async flush(): Promise<void> {
        for (;;) {
            if (this.#writing !== null) await this.#writing;
            else if (this.#items.length === 0) return;
            else this.#start();
        }
    }

    #schedule(): void {
        this.#timer ??= setTimeout(() => {
            this.#timer = null;
            this.#start();
        }, this.#options.batchAge ?? BATCH_AGE);
        this.#timer.unref();
    }

    #start(): void {
        if (this.#writing !== null) return;
        if (this.#timer !== null) clearTimeout(this.#timer);
        this.#timer = null;
        const items = this.#items;
        const bytes = this.#bytes;
        this.#items = [];
        this.#bytes = 0;
        this.#writing = this.#write(items).finally(() => {
            this.#waiting -= bytes;
            this.#writing = null;
            if (this.#bytes >= BATCH_BYTES) this.#start();
            else if (this.#items.length > 0) this.#schedule();
        });
    }

    async #write(items: readonly Item[]): Promise<void> {
        const texts = items.flatMap((item) => (item.kind === 'change' ? [item.text] : []));
        try {
            if (texts.length > 0) {
                await makeDirectory(this.#options.dir);
                await this.#writer.write(batchName(this.#options.name), [Buffer.from(batchText(texts))]);
            }
        } catch (error) {
            for (const item of items) if (item.kind === 'change') this.#drop(item.sample, getMessage(error));
        }
        for (const item of items) {
            if (item.kind === 'mark' && !this.#lossy.has(item.mark.sample))
                this.#options.onDurable?.(item.mark);
        }
    }

    #drop(sample: string, why: string): void {
        this.#lossy.add(sample);
        if (this.#wasToldOfFault) return;
        this.#wasToldOfFault = true;
        this.#options.onNotice(
            `some results cannot be written to ${this.#options.dir}: ${why}. They are safe in their result files, and ` +
                'the next start with --collect writes them',
        );
    }
}

/**
 * `<run or model>_<pid>_<milliseconds>_<random>.json`. The name is safe: it cannot point outside the folder, nor be too long for
 * it.
 */
export function batchName(name: string): string {
    // Half of a surrogate pair has no encoding.
    const safe = encodeURIComponent(Buffer.from(name).toString())
        .replaceAll(/[*'()]/g, '_')
        .slice(0, 120);
    return `${safe === '' || safe.startsWith('.') ? `_${safe}` : safe}_${process.pid}_${Date.now()}_${randomBytes(4).toString('hex')}.json`;
}
