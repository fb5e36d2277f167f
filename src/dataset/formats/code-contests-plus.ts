import type { Field } from '../field.js';
import { readUnknownName, toLanguageTag } from '../language-tags.js';
import { type RowContent, type RowFormat, type RowJudging, type RowProgram, readId } from '../row-content.js';

/** ByteDance's CodeContests+. Time limits are read as milliseconds and memory limits as MiB; `checker` is C++ for testlib. */
export const codeContestsPlus: RowFormat = {
    key: 'code-contests-plus',
    limitPolicy: 'flat',
    comparison: { kind: 'tokens' },
    recognises(row) {
        return (
            Array.isArray(row.get('correct_submissions').value) && row.get('test_cases').value !== undefined
        );
    },
    read(row): RowContent {
        return {
            id: readId(row.get('id').present ? row.get('id') : row.get('title')),
            groups: [
                ['solution', readSubmissions(row.get('correct_submissions'))],
                ['incorrect_solution', readSubmissions(row.get('incorrect_submissions'))],
            ],
            judging: {
                tests: row
                    .get('test_cases')
                    .optionalList()
                    .map((test, i) => ({
                        name: `test-${i + 1}`,
                        input: test.get('input').string(),
                        output: test.get('output').string(),
                    })),
                checker: readChecker(row.get('checker')),
                limits: {
                    time: readPositive(row.get('time_limit'), 1 / 1000),
                    memory: readPositive(row.get('memory_limit'), 1024 * 1024),
                    output: null,
                },
            },
            skip: null,
        };
    },
};

function readSubmissions(list: Field): RowProgram[] {
    return list.optionalList().map((submission) => {
        const spelling = submission.get('language').string();
        const language = toLanguageTag(spelling);
        return {
            kind: 'program',
            language,
            ...readUnknownName(spelling, language),
            source: submission.get('code').string(),
            name: null,
            expected: null,
        };
    });
}

function readChecker(checker: Field): RowJudging['checker'] {
    const source = checker.optionalString() ?? '';
    if (source.trim() === '') return null;
    return {
        kind: 'program',
        convention: 'testlib',
        language: 'CPP',
        fileName: 'checker.cpp',
        source,
        flags: [],
    };
}

/** A positive number times `unit`; null if it is missing or 0. */
function readPositive(field: Field, unit: number): number | null {
    if (!field.present) return null;
    const value = field.number();
    return value > 0 ? value * unit : null;
}
