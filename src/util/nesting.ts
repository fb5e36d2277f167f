/** Whether a JSON value has more than `most` levels. By a loop: the value may be as deep as a hostile file likes. */
export function isNestedDeeper(value: unknown, most: number): boolean {
    let level: unknown[] = [value];
    for (let depth = 0; level.length > 0; depth += 1) {
        const containers = level.filter((item) => typeof item === 'object' && item !== null);
        if (containers.length > 0 && depth >= most) return true;
        level = containers.flatMap((item) => Object.values(item as Readonly<Record<string, unknown>>));
    }
    return false;
}
