import { availableParallelism } from 'node:os';
import { Piscina } from 'piscina';
import type { CheckpointLines } from './directory/checkpoint-lines.js';
import type { FileReaders } from './directory/checkpoint-reader.js';
import type { LinesReply, LinesRequest } from './directory/lines-thread.js';

const ENTRY = new URL('../compose/directory/lines-thread.js', import.meta.url).href;

/** More would wait for the disk, and for the one who takes what they read. */
const MOST_THREADS = 4;

/** Files of a request: a few milliseconds of work. */
const FILES_AT_ONCE = 128;

/** Requests of a thread that run or wait. */
const AHEAD = 2;

/** Threads that read result files while this one does something else. */
export class ReadingThreads {
    readonly #pool: Piscina;

    /** They load what they need at once. Null where there is one core. */
    static start(): ReadingThreads | null {
        const threads = Math.min(availableParallelism(), MOST_THREADS);
        return threads < 2 ? null : new ReadingThreads(threads);
    }

    private constructor(private readonly threads: number) {
        this.#pool = new Piscina({
            filename: ENTRY,
            minThreads: threads,
            maxThreads: threads,
            idleTimeout: Number.POSITIVE_INFINITY,
            recordTiming: false,
        });
        // A thread that dies fails what it had in hand; without a listener the event would end the process.
        this.#pool.on('error', () => {});
    }

    readersOf(of: Omit<LinesRequest, 'names'>): FileReaders<CheckpointLines> {
        return { read: (names) => this.#read(names, of) };
    }

    async *#read(names: readonly string[], of: Omit<LinesRequest, 'names'>): AsyncGenerator<LinesReply> {
        const running: Promise<LinesReply>[] = [];
        for (let from = 0; from < names.length; from += FILES_AT_ONCE) {
            running.push(this.#ask({ ...of, names: names.slice(from, from + FILES_AT_ONCE) }));
            const first = running.length < AHEAD * this.threads ? undefined : running.shift();
            if (first !== undefined) yield await first;
        }
        for (const one of running) yield await one;
    }

    /** What a thread could not read is left to the caller, who may say why. */
    async #ask(request: LinesRequest): Promise<LinesReply> {
        try {
            return (await this.#pool.run(request)) as LinesReply;
        } catch {
            return { files: [], left: request.names };
        }
    }

    async close(): Promise<void> {
        await this.#pool.destroy();
    }
}
