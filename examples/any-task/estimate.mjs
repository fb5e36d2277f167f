/** Estimates pi from points thrown at a square: the work that the examples in this folder do. */
export function estimatePi({ points, seed }) {
    let state = seed;
    // A small seeded generator, so that a task gives the same answer on every machine.
    const random = () => {
        state = (state + 0x6d2b79f5) | 0;
        let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
        mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
        return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
    };
    let inside = 0;
    for (let point = 0; point < points; point += 1) {
        if (random() ** 2 + random() ** 2 < 1) inside += 1;
    }
    return (4 * inside) / points;
}
