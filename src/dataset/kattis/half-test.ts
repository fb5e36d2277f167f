/**
 * The first secret test of which a package holds the input alone, or the answer alone, as copies without large files do; null: none.
 * The tests that are left are not those of the package.
 * @param names of all its files
 */
export function findHalfTest(names: ReadonlySet<string>): string | null {
    for (const name of names) {
        const [, test, end] = /^data\/(secret\/.*)\.(in|ans)$/.exec(name) ?? [];
        if (test === undefined || end === undefined || test.includes('.files/')) continue;
        const other = end === 'in' ? 'ans' : 'in';
        if (!names.has(`data/${test}.${other}`)) return `the test ${test} has no .${other} file`;
    }
    return null;
}

/** Samples without an answer, by their names in the package's `data`: scripts and generators make those, too. */
export const findUnansweredSamples = (names: ReadonlySet<string>): string[] =>
    [...names].flatMap((name) => {
        const [, test] = /^data\/(sample\/.*)\.in$/.exec(name) ?? [];
        const isTest = test !== undefined && !test.includes('.files/');
        return isTest && !names.has(`data/${test}.ans`) ? [test] : [];
    });
