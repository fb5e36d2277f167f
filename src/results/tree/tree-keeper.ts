import { writeMasterTree } from './write-tree.js';

/** The tree is rewritten at the earliest after this many times the duration of the last write. */
const PACE = 10;

/** Keeps master_database.json up to date without spending most of the time on it. */
export class TreeKeeper {
    readonly #dir: string;
    #written = -1;
    #nextAt = 0;

    /** @param dir the database's folder */
    constructor(dir: string) {
        this.#dir = dir;
    }

    /**
     * Writes the tree if it is older than the database and a write is due.
     * @param generation current generation of the database
     * @param isLast write even if none is due yet
     * @throws WriteError, UserError
     */
    async keepUp(generation: number, isLast: boolean): Promise<void> {
        if (generation === this.#written || (!isLast && performance.now() < this.#nextAt)) return;
        const started = performance.now();
        await writeMasterTree(this.#dir);
        this.#written = generation;
        this.#nextAt = performance.now() + PACE * (performance.now() - started);
    }
}
