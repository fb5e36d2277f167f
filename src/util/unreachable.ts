/**
 * The end of every exhaustive switch: a forgotten member of a closed union is a compile error here, and a bug of ours if it still
 * occurs at run time.
 */
export function unreachable(value: never, what = 'value'): never {
    throw new Error(`bug in resume-run: unexpected ${what}: ${JSON.stringify(value)}`);
}
