/** The candidate closest to a mistyped word, if it is near enough to be meant; else null. */
export function findNearest(word: string, candidates: Iterable<string>): string | null {
    let best: string | null = null;
    let bestDistance = Math.floor(Math.max(word.length, 3) / 3) + 1;
    for (const candidate of candidates) {
        const distance = editDistance(word.toLowerCase(), candidate.toLowerCase(), bestDistance);
        if (distance < bestDistance) {
            best = candidate;
            bestDistance = distance;
        }
    }
    return best;
}

/** Insertions, deletions, replacements and swaps of neighbours; returns `bound` if there are at least that many. */
function editDistance(a: string, b: string, bound: number): number {
    if (Math.abs(a.length - b.length) >= bound) return bound;
    let beforeLast: number[] = [];
    let last = Array.from({ length: b.length + 1 }, (_, column) => column);
    for (let row = 1; row <= a.length; row++) {
        const line = [row];
        for (let column = 1; column <= b.length; column++) {
            const same = a[row - 1] === b[column - 1];
            let cost = Math.min(
                getAt(last, column) + 1,
                getAt(line, column - 1) + 1,
                getAt(last, column - 1) + (same ? 0 : 1),
            );
            if (row > 1 && column > 1 && a[row - 1] === b[column - 2] && a[row - 2] === b[column - 1]) {
                cost = Math.min(cost, getAt(beforeLast, column - 2) + 1);
            }
            line.push(cost);
        }
        beforeLast = last;
        last = line;
    }
    return Math.min(getAt(last, b.length), bound);
}

const getAt = (line: readonly number[], column: number): number => line[column] ?? 0;
