import { isJsonObject } from '../../model/json.js';
import type { Field } from '../field.js';
import { NO_LIMITS, type RowContent, type RowFormat, type RowTest, readId } from '../row-content.js';
import { readPlainPrograms } from './plain.js';
import { embeddedJson } from './taco-apps.js';

/**
 * LiveCodeBench. It publishes no solutions: rows may carry `solutions` and `incorrect_solutions` as in the plain form.
 * Private tests that are packed as a Python pickle are not opened: unpickling runs whatever the file says.
 */
export const liveCodeBench: RowFormat = {
    key: 'live-code-bench',
    limitPolicy: 'flat',
    comparison: { kind: 'livecodebench' },
    recognises(row) {
        return row.get('question_id').present && row.get('public_test_cases').value !== undefined;
    },
    read(row): RowContent {
        const skip = skipReason(row);
        return {
            id: readId(row.get('question_id')),
            groups: [
                ['solution', readPlainPrograms(row.get('solutions'))],
                ['incorrect_solution', readPlainPrograms(row.get('incorrect_solutions'))],
            ],
            judging: {
                tests: skip === null ? readAllTests(row) : [],
                checker: null,
                limits: NO_LIMITS,
            },
            skip,
        };
    },
};

function skipReason(row: Field): string | null {
    if (isPickle(row.get('private_test_cases'))) {
        return 'its private_test_cases are a Python pickle, which can run code when opened; export them as JSON';
    }
    const metadata = embeddedJson(row.get('metadata'), {});
    const called = isJsonObject(metadata.value) && metadata.get('func_name').present;
    const functional = [row.get('public_test_cases'), row.get('private_test_cases')]
        .flatMap((tests) => embeddedJson(tests, []).list())
        .some((test) => test.get('testtype').value === 'functional');
    return called || functional
        ? 'its solutions are functions to be called, not programs that read stdin'
        : null;
}

/** Base64 of a zlib stream instead of a JSON list. */
function isPickle(tests: Field): boolean {
    return typeof tests.value === 'string' && /^\s*eJ[A-Za-z0-9+/]/.test(tests.value);
}

function readAllTests(row: Field): RowTest[] {
    return (['public', 'private'] as const).flatMap((group) =>
        embeddedJson(row.get(`${group}_test_cases`), [])
            .list()
            .map((test, i) => ({
                name: `${group}-${i + 1}`,
                input: test.get('input').string(),
                output: test.get('output').string(),
            })),
    );
}
