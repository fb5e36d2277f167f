import { writeMasterTree } from './write-tree.js';

/** The tree is written again after this many times as long as it took. */
const PACE = 10;

/** Keeps master_database.json up with the database without spending most of the time on it. */
export class TreeKeeper {
    readonly #dir: string;
    #written = -1;
    #nextAt = 0;

    /** @param dir the database's folder */
    constructor(dir: string) {
        this.#dir = dir;
    }

    /**
     * Writes the tree if it is older than the database and its time has come.
     * @param generation of the database now
     * @param isLast write it whatever its time
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
