/*
 * How often a result file is rewritten while results keep coming. Every rewrite writes the whole file, so the pace depends on its
 * size: the total written stays a bounded multiple of the final size, and a small file hardly ever waits.
 */

const MEGABYTE = 1024 * 1024;
/**
 * Below this many waiting bytes only time decides, so that a burst of small results does not cause a rewrite for every few of
 * them.
 */
const MIN_WAITING_BYTES = 64 * 1024;
/** Milliseconds between two rewrites of even the smallest file. */
const MIN_PAUSE_MS = 25;

/** Waiting bytes at which a file of `size` bytes is rewritten at once. */
export function chooseWaitingBound(size: number): number {
    return Math.max(size / 16, MIN_WAITING_BYTES);
}

/** Milliseconds from one rewrite of a file of `size` bytes to the next: 250 a megabyte up to 1 s, and never more than 7 MB/s. */
export function pause(size: number): number {
    const megabytes = size / MEGABYTE;
    return Math.max(MIN_PAUSE_MS, Math.min(megabytes * 250, 1000), megabytes * 150);
}
