import { parsePythonDoubles } from '../../model/exact-json.js';
import { isJsonObject } from '../../model/json.js';
import { isNestedDeeper, MAX_NESTING } from '../../util/nesting.js';
import { looksPacked, unpackText } from '../../util/packed-text.js';
import { makeExpectedLines } from '../calls/canonical-value.js';
import { callInput } from '../calls/harness.js';
import type { Field } from '../field.js';
import {
    NO_LIMITS,
    type RowContent,
    type RowFormat,
    type RowProgram,
    type RowTest,
    readId,
} from '../row-content.js';
import { readPlainPrograms } from './plain.js';
import { asCalled, parseEmbeddedJson } from './taco-apps.js';

/**
 * LiveCodeBench. It publishes no solutions; rows may carry `solutions` and `incorrect_solutions` as in the plain format. Its
 * private tests are packed; see packed-text.ts.
 */
export const liveCodeBench: RowFormat = {
    key: 'live-code-bench',
    limitPolicy: 'flat',
    comparison: { kind: 'livecodebench' },
    recognises(row) {
        return row.get('question_id').present && row.get('public_test_cases').value !== undefined;
    },
    read(row): RowContent {
        const { tests, call } = readTests(row);
        const programs = (key: string): RowProgram[] =>
            readPlainPrograms(row.get(key)).map((program) => (call === null ? program : asCalled(program)));
        return {
            id: readId(row.get('question_id')),
            groups: [
                ['solution', programs('solutions')],
                ['incorrect_solution', programs('incorrect_solutions')],
            ],
            judging: {
                tests: typeof tests === 'string' ? [] : tests,
                checker: call === null ? null : { kind: 'calls' },
                limits: NO_LIMITS,
            },
            skip: typeof tests === 'string' ? tests : null,
        };
    },
};

interface ReadTests {
    /** If a string: the reason why none of its tasks can run. */
    readonly tests: readonly RowTest[] | string;
    /** Name of the function that solutions define; null if they are programs. */
    readonly call: string | null;
}

function readTests(row: Field): ReadTests {
    const groups = (['public', 'private'] as const).map((name) => {
        const tests = openTests(row.get(`${name}_test_cases`));
        return { name, tests: typeof tests === 'string' ? tests : tests.list() };
    });
    const metadata = parseEmbeddedJson(row.get('metadata'), {});
    const named = isJsonObject(metadata.value) ? metadata.get('func_name').optionalString() : null;
    const call = named === '' ? null : named;
    const found: RowTest[] = [];
    for (const { name, tests } of groups) {
        if (typeof tests === 'string') return { tests, call };
        for (const [i, test] of tests.entries()) {
            if (call === null && test.get('testtype').value === 'functional')
                return { tests: NAMELESS, call };
            const named = { name: `${name}-${i + 1}` };
            found.push({ ...named, ...(call === null ? readStreams(test) : readCall(test, call)) });
        }
    }
    return { tests: found, call };
}

const NAMELESS = 'its solutions are functions to be called, and metadata.func_name does not say which';

const readStreams = (test: Field): Pick<RowTest, 'input' | 'output'> => ({
    input: test.get('input').string(),
    output: test.get('output').string(),
});

/** The input has one line of JSON for each argument; the output is the function's return value as JSON. */
function readCall(test: Field, name: string): Pick<RowTest, 'input' | 'output'> {
    const [input, output] = [test.get('input'), test.get('output')];
    const lines = input
        .string()
        .split('\n')
        .filter((line) => line.trim() !== '');
    if (!lines.every(isJsonText)) input.fail('a line of JSON for each argument');
    const expected = output.string();
    if (!isJsonText(expected)) output.fail('JSON inside the text');
    return {
        input: callInput(name, 'livecodebench', `[${lines.join(', ')}]`),
        output: makeExpectedLines(expected, 'livecodebench'),
    };
}

function isJsonText(text: string): boolean {
    try {
        return !isNestedDeeper(parsePythonDoubles(text), MAX_NESTING);
    } catch {
        return false;
    }
}

/** A list of tests: as a list, as JSON in a string, or packed. Returns a string with the reason if it cannot be read. */
function openTests(field: Field): Field | string {
    if (typeof field.value !== 'string' || !looksPacked(field.value)) return parseEmbeddedJson(field, []);
    const text = unpackText(field.value);
    if (text.kind === 'refused') return `its ${field.path} are packed, ${text.why}; export them as JSON`;
    return parseEmbeddedJson(field.holding(text.text, null), []);
}
