import { z } from 'zod';
import { parseChecker } from '../../../model/checker-text.js';
import { isExactObject, NumberText, parseExactJson } from '../../../model/exact-json.js';
import { isJsonObject, type Json, type JsonObject } from '../../../model/json.js';
import type { Checker } from '../../../model/sample.js';
import type { Task } from '../../../model/task.js';
import { looksPacked, unpackText } from '../../../util/packed-text.js';
import { getInput, getInputText } from '../../task-input.js';
import type { ProgramTest } from './program-judge.js';

/** The tests that a program has to pass, read from a row. */
export interface RowTests {
    readonly tests: readonly ProgramTest[];
    readonly checker: Checker;
    /** Seconds; null: the row names none. */
    readonly time: number | null;
    /** Bytes; null: the row names none. */
    readonly memory: number | null;
    /** As named by the row; null: the row names none. */
    readonly language: string | null;
}

interface Problem {
    readonly problem: string;
}

/** Tests of a row, and the comparison that the grader of its format uses. */
interface FoundTests {
    readonly list: readonly ProgramTest[];
    readonly checker: Checker;
}

/** Format of plain lists and of LiveCodeBench. */
const listed = z.array(
    z.object({
        name: z.string().optional(),
        input: z.string(),
        output: z.string(),
        testtype: z.string().nullish(),
    }),
);
const namedList = listed.min(1);

/** A text or number as it is, or several, one per line. */
const line = z.union([z.string(), z.number().transform(String), z.instanceof(NumberText)]);
const lines = z.union([line, z.array(line)]).transform((value) => [value].flat().map(formatLine).join('\n'));
const formatLine = (value: string | NumberText): string => (typeof value === 'string' ? value : value.text);

/** Format of APPS and TACO. */
const paired = z.object({
    fn_name: z.string().nullish(),
    inputs: z.array(lines).min(1),
    outputs: z.array(lines).min(1),
});

/** Format of code_contests. */
const columns = z.object({ input: z.array(z.string()), output: z.array(z.string()) });
const COLUMN_GROUPS = ['public', 'private', 'generated'] as const;

const FORMS =
    '"tests": [{"input", "output"}, ...], "public_test_cases" and "private_test_cases" of the same form, ' +
    '"input_output": {"inputs", "outputs"}, or "public_tests": {"input", "output"}';

/** Reads the tests of a task's row. @returns the tests, or what is wrong with the row */
export function readRowTests(task: Task): RowTests | Problem {
    const row = getInput(task);
    if (!isJsonObject(row)) return { problem: `--scorer code needs rows with ${FORMS}` };
    const found = findTests(row, task);
    if ('problem' in found) return found;
    const { checker: named, language } = row;
    const checker = typeof named === 'string' ? parseChecker(named) : found.checker;
    if (checker === null || checker.kind === 'program')
        return { problem: `"checker": expected one that is built in, got ${JSON.stringify(named)}` };
    return {
        tests: found.list,
        checker,
        time: readAmount(row['time_limit'], /^([\d.]+)\s*seconds?$/, 1),
        memory: readAmount(row['memory_limit'], /^([\d.]+)\s*megabytes?$/, 1024 * 1024),
        language: typeof language === 'string' ? language : null,
    };
}

function findTests(row: JsonObject, task: Task): FoundTests | Problem {
    const plain = namedList.safeParse(parseIfText(row['tests']));
    if (plain.success) return { list: nameTests('test', plain.data), checker: { kind: 'tokens' } };
    if (row['public_test_cases'] !== undefined) return findLiveCodeBenchTests(row);
    if (row['input_output'] !== undefined) return findPairedTests(task);
    const list = COLUMN_GROUPS.flatMap((group) => {
        const parsed = columns.safeParse(row[`${group}_tests`]);
        return parsed.success ? nameTests(group, pair(parsed.data.input, parsed.data.output)) : [];
    });
    return list.length === 0
        ? { problem: `the row has no tests: expected ${FORMS}` }
        : { list, checker: { kind: 'codecontests' } };
}

/** Includes the private tests: an answer that passes only the public ones is wrong. */
function findLiveCodeBenchTests(row: JsonObject): FoundTests | Problem {
    const list: ProgramTest[] = [];
    const metadata = parseIfText(row['metadata']);
    let isCalled =
        isJsonObject(metadata) && typeof metadata['func_name'] === 'string' && metadata['func_name'] !== '';
    for (const group of ['public', 'private'] as const) {
        const key = `${group}_test_cases`;
        const value = row[key] ?? [];
        const packed = typeof value === 'string' && looksPacked(value) ? unpackText(value) : null;
        if (packed?.kind === 'refused') return { problem: `its ${key} are packed, ${packed.why}` };
        const parsed = listed.safeParse(parseIfText(packed?.text ?? value));
        if (!parsed.success) return { problem: `"${key}": expected a list of {"input", "output"}` };
        isCalled ||= parsed.data.some(({ testtype }) => testtype === 'functional');
        list.push(...nameTests(group, parsed.data));
    }
    if (isCalled) return { problem: CALLED };
    return list.length === 0
        ? { problem: `the row has no tests: expected ${FORMS}` }
        : { list, checker: { kind: 'livecodebench' } };
}

const CALLED = 'its tests call a function: only programs that read stdin are run';

function findPairedTests(task: Task): FoundTests | Problem {
    const row = parseExactJson(getInputText(task));
    const held = isExactObject(row) ? row['input_output'] : undefined;
    const parsed = paired.safeParse(typeof held === 'string' ? parseIfJson(held, parseExactJson) : held);
    if (!parsed.success) return { problem: `"input_output": expected {"inputs", "outputs"}, lists of texts` };
    const { fn_name: functionName, inputs, outputs } = parsed.data;
    if (functionName !== undefined && functionName !== null && functionName !== '')
        return { problem: CALLED };
    if (inputs.length !== outputs.length)
        return { problem: `"input_output" has ${inputs.length} inputs and ${outputs.length} outputs` };
    return { list: nameTests('test', pair(inputs, outputs)), checker: { kind: 'apps' } };
}

const pair = (inputs: readonly string[], outputs: readonly string[]) =>
    inputs.map((input, index) => ({ input, output: outputs[index] ?? '' }));

const nameTests = (
    group: string,
    tests: readonly { readonly name?: string | undefined; readonly input: string; readonly output: string }[],
): ProgramTest[] =>
    tests.map(({ name, input, output }, index) => ({ name: name ?? `${group}-${index + 1}`, input, output }));

/** A number, or a text in the format of TACO: `2.0 seconds`, `256.0 megabytes`. Null: neither. */
function readAmount(value: Json | undefined, pattern: RegExp, unit: number): number | null {
    if (typeof value === 'number') return value > 0 ? value : null;
    const amount = typeof value === 'string' ? Number(pattern.exec(value.trim())?.[1]) * unit : 0;
    return amount > 0 && Number.isFinite(amount) ? amount : null;
}

/** Some datasets store JSON as text. */
const parseIfText = (value: Json | undefined): Json | undefined =>
    typeof value === 'string' ? parseIfJson(value, (text) => JSON.parse(text) as Json) : value;

function parseIfJson<Value>(text: string, parse: (text: string) => Value): Value | string {
    try {
        return parse(text);
    } catch {
        return text;
    }
}
