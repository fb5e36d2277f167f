/**
 * Delays commits until new tasks have started in the freed slots: a result can wait for a millisecond, but hundreds of servers
 * should not be idle.
 */
export class LaterTurns {
    readonly #afterwards: () => void;
    /** Commits that begin in the next turn but one of the event loop. */
    #waiting: (() => void)[] = [];

    /** @param afterwards called when the commits of a turn have begun */
    constructor(afterwards: () => void) {
        this.#afterwards = afterwards;
    }

    add(commit: () => void): void {
        if (this.#waiting.push(commit) > 1) return;
        // Requests are sent at the end of this turn of the event loop; the second setImmediate runs after that.
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
