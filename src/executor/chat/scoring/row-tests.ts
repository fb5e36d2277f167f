import { z } from 'zod';
import { parseChecker } from '../../../model/checker-text.js';
import { isJsonObject, type Json } from '../../../model/json.js';
import type { Checker } from '../../../model/sample.js';
import type { ProgramTest } from './program-judge.js';

/** What a row says of the tests that a program has to pass. */
export interface RowTests {
    readonly tests: readonly ProgramTest[];
    readonly checker: Checker;
    /** Seconds; null: the row names none. */
    readonly time: number | null;
    /** Bytes; null: the row names none. */
    readonly memory: number | null;
    /** As the row calls it; null: it names none. */
    readonly language: string | null;
}

/** Of the plain form, and of LiveCodeBench, which calls them by where they stand. */
const listed = z
    .array(z.object({ name: z.string().optional(), input: z.string(), output: z.string() }))
    .min(1);

/** Of APPS and TACO. */
const paired = z.object({
    fn_name: z.string().nullish(),
    inputs: z.array(z.string()).min(1),
    outputs: z.array(z.string()).min(1),
});

const FORMS =
    '"tests": [{"input", "output"}, ...], "public_test_cases" of the same form, or "input_output": {"inputs", "outputs"}';

/** Reads the tests of a row. @returns the tests, or what is wrong with the row */
export function readRowTests(row: Json): RowTests | { readonly problem: string } {
    if (!isJsonObject(row)) return { problem: `--scorer code needs rows with ${FORMS}` };
    const tests = testsIn(row);
    if ('problem' in tests) return tests;
    const { checker: named, time_limit: time, memory_limit: memory, language } = row;
    const checker = typeof named === 'string' ? parseChecker(named) : { kind: 'tokens' as const };
    if (checker === null || checker.kind === 'program')
        return { problem: `"checker": expected one that is built in, got ${JSON.stringify(named)}` };
    return {
        tests: tests.list,
        checker,
        time: typeof time === 'number' && time > 0 ? time : null,
        memory: typeof memory === 'number' && memory > 0 ? memory : null,
        language: typeof language === 'string' ? language : null,
    };
}

function testsIn(
    row: Readonly<Record<string, Json>>,
): { readonly list: readonly ProgramTest[] } | { readonly problem: string } {
    for (const key of ['tests', 'public_test_cases']) {
        const parsed = listed.safeParse(parsedIfText(row[key]));
        if (!parsed.success) continue;
        return {
            list: parsed.data.map(({ name, input, output }, index) => ({
                name: name ?? `test-${index + 1}`,
                input,
                output,
            })),
        };
    }
    const parsed = paired.safeParse(parsedIfText(row['input_output']));
    if (!parsed.success) return { problem: `the row has no tests: expected ${FORMS}` };
    const { fn_name: functionName, inputs, outputs } = parsed.data;
    if (functionName !== undefined && functionName !== null)
        return {
            problem: `its tests call the function ${functionName}: only programs that read stdin are run`,
        };
    if (inputs.length !== outputs.length)
        return { problem: `"input_output" has ${inputs.length} inputs and ${outputs.length} outputs` };
    return {
        list: inputs.map((input, index) => ({
            name: `test-${index + 1}`,
            input,
            output: outputs[index] ?? '',
        })),
    };
}

/** Some datasets hold JSON as text. */
function parsedIfText(value: Json | undefined): unknown {
    if (typeof value !== 'string') return value;
    try {
        return JSON.parse(value);
    } catch {
        return value;
    }
}
