/** Buckets per doubling of the duration. */
const BUCKETS_A_DOUBLING = 2;

/** Start of the shortest bucket, in seconds. */
const MIN_DURATION = 0.001;

interface Bucket {
    count: number;
    /** Seconds. */
    sum: number;
}

/** Durations of tasks, in buckets that grow with the duration: a few dozen numbers, however many tasks there are. */
export class Durations {
    readonly #buckets: Bucket[] = [];

    /** @param seconds duration of a task */
    add(seconds: number): void {
        const at = chooseBucket(seconds);
        while (this.#buckets.length <= at) this.#buckets.push({ count: 0, sum: 0 });
        const bucket = this.#buckets[at];
        if (bucket === undefined) return;
        bucket.count += 1;
        bucket.sum += seconds;
    }

    /**
     * Expected remaining seconds of a task that has been running for `elapsed`: the mean over the tasks that took longer. If none
     * did, as long again: for widely spread durations, the past of a task is the best estimate of its future.
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
    return seconds <= MIN_DURATION
        ? 0
        : Math.floor(Math.log2(seconds / MIN_DURATION) * BUCKETS_A_DOUBLING) + 1;
}
