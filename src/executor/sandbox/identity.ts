import { readFileSync } from 'node:fs';

/*
 * As root, programs run as separate users, a different one for each box: a process limit then counts only one box, programs own
 * nobody's files, and one signal reaches all remaining processes of a box.
 */

/** Far from the numbers that distributions and container tools assign. */
const BASE = 1_900_000_000;
const BOXES_EACH = 32;
const PIDS = 4_194_304;
/** Between the ranges of systemd's dynamic users and of systemd-homed. */
const SMALL_BASE = 60_600;
const SMALL_RANGE = 500;

let largest: number | null = null;

/** Largest user number that exists in our user namespace. */
function largestUid(): number {
    if (largest !== null) return largest;
    try {
        const lines = readFileSync('/proc/self/uid_map', 'utf8').trim().split('\n');
        largest = Math.max(
            ...lines.map((line) => {
                const [inside = 0, , count = 0] = line.trim().split(/\s+/).map(Number);
                return inside + count - 1;
            }),
        );
    } catch {
        largest = 65_534;
    }
    return largest;
}

/** The user for the n-th box of a helper; 0 (our own user) unless we are root. */
export function chooseBoxUser(helperPid: number, n: number): number {
    if (process.getuid?.() !== 0) return 0;
    const wide = BASE + (helperPid % PIDS) * BOXES_EACH + (n % BOXES_EACH);
    if (wide <= largestUid()) return wide;
    const narrow = SMALL_BASE + ((helperPid * 7 + n) % SMALL_RANGE);
    return narrow <= largestUid() ? narrow : 65_534;
}
