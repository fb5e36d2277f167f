import { Worker } from 'node:worker_threads';
import { shortenPath } from '../../util/shown-path.js';
import { makeDatasetError } from '../dataset-error.js';
import { getMessage } from '../../util/message.js';
import { unreachable } from '../../util/unreachable.js';
import type { ParquetRequest, ParquetResponse } from './parquet-messages.js';

/** Heap limit of the decoding thread, in MiB: enough for the largest row group that is decoded, as JavaScript strings. */
const HEAP_MIB = 6 * 1024;

interface Waiting {
    readonly resolve: (response: ParquetResponse) => void;
    readonly reject: (error: Error) => void;
}

type WithoutId<Request> = Request extends ParquetRequest ? Omit<Request, 'id'> : never;

/** Most unpacked bytes of a row group. */
const MAX_GROUP_BYTES = 2 * 1024 ** 3;

/**
 * Sends requests to the thread that decodes Parquet. The thread starts with the first request, and again after it has run out of
 * memory.
 */
export class ParquetDecoder {
    #worker: Worker | null = null;
    #nextId = 0;
    readonly #waiting = new Map<number, Waiting>();

    /**
     * @param entry the thread's program
     * @param maxGroupBytes most unpacked bytes of a row group
     */
    constructor(
        private readonly entry: URL,
        private readonly maxGroupBytes: number = MAX_GROUP_BYTES,
    ) {}

    /**
     * Number of rows in each of the file's row groups. @throws UserError (exit 2) if the file is incomplete, not Parquet, or has
     * a group that is too large
     */
    async describe(file: string): Promise<readonly number[]> {
        const response = await this.#ask({ kind: 'describe', file, maxGroupBytes: this.maxGroupBytes });
        if (response.kind === 'described') return response.rowsByGroup;
        throw refusal(file, 'cannot be read as Parquet', response);
    }

    /**
     * Writes the rows of a row group (null: of all groups) to `to`. @throws UserError (exit 2), or the system's error about `to`
     */
    async decode(file: string, group: number | null, to: string): Promise<void> {
        const response = await this.#ask({ kind: 'decode', file, group, to });
        if (response.kind === 'decoded') return;
        throw refusal(file, `row group ${group ?? 0} cannot be decoded`, response);
    }

    async close(): Promise<void> {
        await this.#worker?.terminate();
    }

    #ask(request: WithoutId<ParquetRequest>): Promise<ParquetResponse> {
        this.#worker ??= this.#start();
        const worker = this.#worker;
        const id = this.#nextId++;
        return new Promise((resolve, reject) => {
            this.#waiting.set(id, { resolve, reject });
            // The thread keeps the process alive only while a request is open.
            worker.ref();
            worker.postMessage({ ...request, id });
        });
    }

    #start(): Worker {
        const worker = new Worker(this.entry, { resourceLimits: { maxOldGenerationSizeMb: HEAP_MIB } });
        let reason = 'the decoder stopped unexpectedly';
        worker.on('message', (response: ParquetResponse) => {
            this.#waiting.get(response.id)?.resolve(response);
            this.#waiting.delete(response.id);
            if (this.#waiting.size === 0) worker.unref();
        });
        worker.on('error', (error) => {
            reason = getMessage(error);
        });
        worker.on('exit', () => {
            this.#worker = null;
            for (const [id, { resolve }] of this.#waiting)
                resolve({ kind: 'failed', id, why: reason, code: null });
            this.#waiting.clear();
        });
        return worker;
    }
}

function refusal(file: string, what: string, response: ParquetResponse): Error {
    switch (response.kind) {
        case 'failed':
            if (response.code !== null)
                return Object.assign(new Error(response.why), { code: response.code });
            return makeDatasetError(`${shortenPath(file)}: ${what} (${response.why}); is the file complete?`);
        case 'refused':
            return makeDatasetError(`${shortenPath(file)}: ${response.why}`);
        case 'described':
        case 'decoded':
            return new Error(`bug in resume-run: the decoder of Parquet answered ${response.kind}`);
        default:
            return unreachable(response);
    }
}
