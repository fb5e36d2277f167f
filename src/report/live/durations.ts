/** Buckets for each doubling of the duration. */
const BUCKETS_A_DOUBLING = 2;

/** The shortest bucket begins here, seconds. */
const SHORTEST = 0.001;

interface Bucket {
    count: number;
    /** Seconds. */
    sum: number;
}

/** How long tasks took, in buckets that grow with the duration: some dozens of numbers, however many tasks there are. */
export class Durations {
    readonly #buckets: Bucket[] = [];

    /** @param seconds that a task took */
    add(seconds: number): void {
        const at = chooseBucket(seconds);
        while (this.#buckets.length <= at) this.#buckets.push({ count: 0, sum: 0 });
        const bucket = this.#buckets[at];
        if (bucket === undefined) return;
        bucket.count += 1;
        bucket.sum += seconds;
    }

    /**
     * Seconds that a task still takes which has run for so long: as tasks did on average that took longer. Where none did, as
     * long again: of durations that spread widely, the past of one is the best guess at its future.
     * @param elapsed seconds
     */
    expectRest(elapsed: number): number {
        let count = 0;
        let sum = 0;
        for (const bucket of this.#buckets.slice(chooseBucket(elapsed) + 1)) {
            count += bucket.count;
            sum += bucket.sum;
        }
        return count === 0 ? elapsed : sum / count - elapsed;
    }
}

function chooseBucket(seconds: number): number {
    return seconds <= SHORTEST ? 0 : Math.floor(Math.log2(seconds / SHORTEST) * BUCKETS_A_DOUBLING) + 1;
}
