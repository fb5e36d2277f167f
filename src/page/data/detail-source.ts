import type { EntryDetail } from '../../model/page-data.js';
import { fromBase64, gunzip } from './gzip.js';
import type { RunData } from './run-data.js';

/** The result of asking for the long parts of an entry. */
export type DetailAnswer =
    | { readonly kind: 'detail'; readonly detail: EntryDetail }
    | { readonly kind: 'left-out' | 'none' }
    | { readonly kind: 'problem'; readonly message: string };

/** Where the page reads runs and the long parts of entries from. */
export interface PageSource {
    /** Whether the page is a single file. */
    readonly isFile: boolean;
    /** Directories that can be compared, including the one shown. */
    readonly runs: readonly string[];
    /** Position of the run shown. */
    readonly run: number;
    /** @param run its position; absent: the run shown */
    readPage(run?: number): Promise<Uint8Array>;
    detail(data: RunData, entry: number): Promise<DetailAnswer>;
}

const CHUNKS_KEPT = 8;

/** Element with the data of the run that the file compares with. */
const COMPARED = 'compared-data';

/** Reads the chunks inside this file. Keeps the most recently used ones open. */
export class FileSource implements PageSource {
    readonly isFile = true;
    readonly run = 0;
    readonly runs: readonly string[];
    readonly #open = new Map<number, readonly EntryDetail[]>();

    constructor() {
        // The compare view takes both names from the headers of their data.
        this.runs = document.getElementById(COMPARED) === null ? [''] : ['', ''];
    }

    async readPage(run = this.run): Promise<Uint8Array> {
        const text = document.getElementById(run === 0 ? 'page-data' : COMPARED)?.textContent ?? '';
        return gunzip(fromBase64(text));
    }

    async detail(data: RunData, entry: number): Promise<DetailAnswer> {
        if (data.getOutcome(entry) === 'skipped') return { kind: 'none' };
        const number = data.value('chunk', entry);
        if (number === 0) return { kind: 'left-out' };
        const chunk = this.#open.get(number) ?? (await this.#read(number));
        this.#open.delete(number);
        this.#open.set(number, chunk);
        for (const oldest of this.#open.keys()) {
            if (this.#open.size <= CHUNKS_KEPT) break;
            this.#open.delete(oldest);
        }
        const detail = chunk[data.value('slot', entry)];
        return detail === undefined ? { kind: 'left-out' } : { kind: 'detail', detail };
    }

    async #read(number: number): Promise<readonly EntryDetail[]> {
        if (document.readyState === 'loading')
            await new Promise((resolve) =>
                document.addEventListener('DOMContentLoaded', resolve, { once: true }),
            );
        const text = document.getElementById(`chunk-${number}`)?.textContent ?? '';
        if (text === '') return [];
        return JSON.parse(new TextDecoder().decode(await gunzip(fromBase64(text)))) as EntryDetail[];
    }
}
