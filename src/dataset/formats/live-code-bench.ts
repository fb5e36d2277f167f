import { isJsonObject } from '../../model/json.js';
import type { Field } from '../field.js';
import { NO_LIMITS, type RowContent, type RowFormat, type RowTest, readId } from '../row-content.js';
import { looksPacked, unpackText } from '../packed-text.js';
import { readPlainPrograms } from './plain.js';
import { embeddedJson } from './taco-apps.js';

/**
 * LiveCodeBench. It publishes no solutions: rows may carry `solutions` and `incorrect_solutions` as in the plain form.
 * Its private tests are packed; see packed-text.ts.
 */
export const liveCodeBench: RowFormat = {
    key: 'live-code-bench',
    limitPolicy: 'flat',
    comparison: { kind: 'livecodebench' },
    recognises(row) {
        return row.get('question_id').present && row.get('public_test_cases').value !== undefined;
    },
    read(row): RowContent {
        const tests = readTests(row);
        return {
            id: readId(row.get('question_id')),
            groups: [
                ['solution', readPlainPrograms(row.get('solutions'))],
                ['incorrect_solution', readPlainPrograms(row.get('incorrect_solutions'))],
            ],
            judging: {
                tests: typeof tests === 'string' ? [] : tests,
                checker: null,
                limits: NO_LIMITS,
            },
            skip: typeof tests === 'string' ? tests : null,
        };
    },
};

/** The rows' tests, or why none of its tasks can run. */
function readTests(row: Field): readonly RowTest[] | string {
    const groups = (['public', 'private'] as const).map((name) => {
        const tests = openTests(row.get(`${name}_test_cases`));
        return { name, tests: typeof tests === 'string' ? tests : tests.list() };
    });
    const metadata = embeddedJson(row.get('metadata'), {});
    const functionName = isJsonObject(metadata.value) ? metadata.get('func_name') : null;
    if (functionName?.present === true && functionName.value !== '') return FUNCTIONAL;
    const found: RowTest[] = [];
    for (const { name, tests } of groups) {
        if (typeof tests === 'string') return tests;
        for (const [i, test] of tests.entries()) {
            if (test.get('testtype').value === 'functional') return FUNCTIONAL;
            const [input, output] = [test.get('input').string(), test.get('output').string()];
            found.push({ name: `${name}-${i + 1}`, input, output });
        }
    }
    return found;
}

const FUNCTIONAL = 'its solutions are functions to be called, not programs that read stdin';

/** A list of tests: as it stands, as JSON in a text, or packed; a text says why it cannot be read. */
function openTests(field: Field): Field | string {
    if (typeof field.value !== 'string' || !looksPacked(field.value)) return embeddedJson(field, []);
    const text = unpackText(field.value);
    if (text.kind === 'refused') return `its ${field.path} are packed, ${text.why}; export them as JSON`;
    return embeddedJson(field.holding(text.text, null), []);
}
