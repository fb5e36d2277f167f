/**
 * Puts commits off until what the ended tasks made room for has started: a result can wait for a millisecond, hundreds of servers
 * that are idle should not.
 */
export class LaterTurns {
    readonly #afterwards: () => void;
    /** Those that begin in the next turn but one of the event loop. */
    #waiting: (() => void)[] = [];

    /** @param afterwards called when those of a turn have begun */
    constructor(afterwards: () => void) {
        this.#afterwards = afterwards;
    }

    add(commit: () => void): void {
        if (this.#waiting.push(commit) > 1) return;
        // Requests are sent at the end of this turn of the event loop; the second one is after that.
        setImmediate(() => {
            const commits = this.#waiting;
            this.#waiting = [];
            setImmediate(() => {
                for (const begin of commits) begin();
                this.#afterwards();
            });
        });
    }
}
