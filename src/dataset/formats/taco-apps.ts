import { parsePythonDoubles } from '../../model/exact-json.js';
import { isNestedDeeper, MAX_NESTING } from '../../util/nesting.js';
import { digest } from '../../model/fingerprint.js';
import type { Json } from '../../model/json.js';
import type { OwnLimits } from '../../model/limits.js';
import { makeExpectedLines } from '../calls/canonical-value.js';
import { callInput } from '../calls/harness.js';
import type { Field } from '../field.js';
import { type RowContent, type RowFormat, type RowProgram, type RowTest, readId } from '../row-content.js';

/** TACO and APPS: tests and solutions are JSON in strings; solutions are Python 3. */
export const tacoApps: RowFormat = {
    key: 'taco-apps',
    limitPolicy: 'flat',
    comparison: { kind: 'apps' },
    recognises(row) {
        return row.get('input_output').value !== undefined && row.get('question').value !== undefined;
    },
    read(row): RowContent {
        const tests = parseEmbeddedJson(row.get('input_output'), {});
        const call = readFunctionName(tests);
        const solutions = parseEmbeddedJson(row.get('solutions'), []).list().map(readSolution);
        return {
            id: readTacoId(row),
            groups: [
                ['solution', call === null ? solutions : solutions.map(asCalled)],
                ['incorrect_solution', []],
            ],
            judging: {
                tests: call === null ? readTests(tests) : readCalls(tests, call),
                checker: call === null ? null : { kind: 'calls' },
                limits: readLimits(row),
            },
            skip: null,
        };
    },
};

/** APPS numbers its problems. TACO does not, so the id is a hash of the statement, which reordering does not change. */
function readTacoId(row: Field): string {
    for (const key of ['id', 'problem_id', 'task_id']) {
        if (row.get(key).present) return readId(row.get(key));
    }
    return `problem-${digest(row.get('question').string()).slice(0, 16)}`;
}

/** The JSON value in a string; `empty` if the string is empty or missing. Other values are returned as they are. */
export function parseEmbeddedJson(field: Field, empty: Json): Field {
    const { value } = field;
    if (value === undefined || value === null) return field.holding(empty, null);
    if (typeof value !== 'string') return field;
    if (value.trim() === '') return field.holding(empty, null);
    try {
        const held = parsePythonDoubles(value);
        if (!isNestedDeeper(held, MAX_NESTING)) return field.holding(held, value);
    } catch {
        return field.fail('JSON inside the text');
    }
    throw field.error(`the JSON inside the text is nested more than ${MAX_NESTING} levels deep`);
}

function readSolution(source: Field): RowProgram {
    return { kind: 'program', language: 'PYTHON3', source: source.string(), name: null, expected: null };
}

/** A function that a harness calls, for use with the tests that `readCalls` makes. */
export const asCalled = (program: RowProgram): RowProgram => ({ ...program, isCalled: true });

/** Name of the function that solutions define; null if they are programs. */
function readFunctionName(tests: Field): string | null {
    const name = tests.get('fn_name').optionalString();
    return name === '' ? null : name;
}

/** Inputs are lists of arguments; outputs are return values. */
function readCalls(tests: Field, name: string): RowTest[] {
    return readPairs(tests).map(([input, output], i) => {
        const json = (field: Field): string => field.exactText() ?? JSON.stringify(field.value ?? null);
        const args = Array.isArray(input.value) ? json(input) : `[${json(input)}]`;
        return {
            name: `test-${i + 1}`,
            input: callInput(name, 'apps', args),
            output: makeExpectedLines(json(output), 'apps'),
        };
    });
}

function readTests(tests: Field): RowTest[] {
    return readPairs(tests).map(([input, output], i) => ({
        name: `test-${i + 1}`,
        input: readLines(input),
        output: readLines(output),
    }));
}

function readPairs(tests: Field): [input: Field, output: Field][] {
    const [inputs, outputs] = [tests.get('inputs').optionalList(), tests.get('outputs').optionalList()];
    if (inputs.length !== outputs.length) {
        tests.fail(`as many inputs (${inputs.length}) as outputs (${outputs.length})`);
    }
    return inputs.map((input, i) => [input, outputs[i] ?? input]);
}

/** A string or number, or a list of them, one on each line. */
function readLines(field: Field): string {
    return Array.isArray(field.value) ? field.list().map(readLine).join('\n') : readLine(field);
}

const readLine = (field: Field): string => field.numberText() ?? field.string();

/** TACO writes `2.0 seconds` and `256.0 megabytes`; anything else counts as missing. */
function readLimits(row: Field): OwnLimits {
    const time = /^([\d.]+)\s*seconds?$/.exec(readText(row.get('time_limit')));
    const memory = /^([\d.]+)\s*megabytes?$/.exec(readText(row.get('memory_limit')));
    return {
        time: parsePositive(time?.[1], 1),
        memory: parsePositive(memory?.[1], 1024 * 1024),
        output: null,
    };
}

const readText = (field: Field): string => (typeof field.value === 'string' ? field.value.trim() : '');

function parsePositive(text: string | undefined, unit: number): number | null {
    const value = Number(text) * unit;
    return value > 0 && Number.isFinite(value) ? value : null;
}
