import type { Field } from '../field.js';
import { toLanguageTag } from '../language-tags.js';
import {
    NO_LIMITS,
    type RowContent,
    type RowFormat,
    type RowProgram,
    readId,
    streamTests,
} from '../row-content.js';

/** SandboxFusion's CommonOJ: tests as streams, and one canonical solution for each language. */
export const commonOj: RowFormat = {
    key: 'common-oj',
    limitPolicy: 'flat',
    comparison: { kind: 'codecontests' },
    recognises(row) {
        const tests = row.get('test');
        if (!Array.isArray(tests.value)) return false;
        return (
            row.get('canonical_solution').present ||
            tests.list().some((test) => test.get('input').get('stdin').present)
        );
    },
    read(row): RowContent {
        return {
            id: readId(row.get('id')),
            groups: [
                ['solution', readCanonical(row.get('canonical_solution'))],
                ['incorrect_solution', []],
            ],
            judging: { tests: streamTests(row.get('test')), checker: null, limits: NO_LIMITS },
            skip: null,
        };
    },
};

function readCanonical(solutions: Field): RowProgram[] {
    if (!solutions.present) return [];
    return solutions.entries().map(([language, source]) => ({
        kind: 'program',
        // SandboxFusion's "python" is Python 3.
        language: language === 'python' ? 'PYTHON3' : toLanguageTag(language),
        source: source.string(),
        name: `canonical_solution.${language}`,
        expected: null,
    }));
}
