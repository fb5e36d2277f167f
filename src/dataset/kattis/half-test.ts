/**
 * The first secret test of which a package holds only the input or only the answer, as happens in copies without large files;
 * null: none. The remaining tests are not the package's full set.
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

/** Samples without an answer, by their names in the package's `data`. Scripts and generators make these answers, too. */
export const findUnansweredSamples = (names: ReadonlySet<string>): string[] =>
    [...names].flatMap((name) => {
        const [, test] = /^data\/(sample\/.*)\.in$/.exec(name) ?? [];
        const isTest = test !== undefined && !test.includes('.files/');
        return isTest && !names.has(`data/${test}.ans`) ? [test] : [];
    });
