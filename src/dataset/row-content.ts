import type { GroupSizes } from '../model/directory-sample.js';
import type { JsonObject } from '../model/json.js';
import type { LimitPolicy, OwnLimits } from '../model/limits.js';
import type { NamedFiles } from '../model/named-files.js';
import type { BuiltInChecker } from '../model/sample.js';
import type { Verdict } from '../model/verdict.js';
import type { Field } from './field.js';

/*
 * The content of a row in any format, checked but not yet hashed, and without reading other files. Indexing a dataset needs only
 * ids and counts; hashing every test for that would take longer than reading it. row-sample.ts makes the sample.
 */

/** A format whose samples are JSON rows. */
export interface RowFormat {
    /** Key of the registry. */
    readonly key: string;
    readonly limitPolicy: LimitPolicy;
    /** How outputs are compared if a row names no checker: the rule of the format's own grader. */
    readonly comparison: BuiltInChecker;
    /** See `Dataset`. */
    readonly skipsNothing?: boolean;
    /**
     * The index entry of an ordinary row that names no files, made without a `Field` for each of its values, which halves the
     * time for datasets of a million small rows. Null for any other row, which is left to `recognises` and `read`.
     */
    outline?(row: JsonObject): RowOutline | null;
    /** True for rows that look like this format. Only the presence and type of a few keys are checked. */
    recognises(row: Field): boolean;
    /** @throws UserError naming the invalid field */
    read(row: Field): RowContent;
}

export interface RowOutline {
    readonly id: string;
    readonly groups: GroupSizes;
}

export interface RowContent {
    readonly id: string;
    /** Groups in order. */
    readonly groups: readonly (readonly [name: string, tasks: readonly RowTask[]])[];
    readonly judging: RowJudging | null;
    /** Why none of its tasks can run. */
    readonly skip: string | null;
}

export type RowTask = RowProgram | { readonly kind: 'data'; readonly input: Field };

export interface RowProgram {
    readonly kind: 'program';
    readonly language: string;
    /** The row's spelling of a language that is in no table. */
    readonly unknownName?: string;
    readonly source: Text;
    readonly name: string | null;
    readonly expected: readonly Verdict[] | null;
    readonly skip?: string;
    /** Set for a function that a harness calls, as opposed to a program. */
    readonly isCalled?: true;
}

/** Text in the row itself, or a file beside the dataset, relative to the dataset file's folder. */
export type Text = string | { readonly file: string };

export interface RowJudging {
    readonly tests: readonly RowTest[];
    /** Null if the row names none. */
    readonly checker: BuiltInChecker | RowChecker | null;
    /** Absent: programs use stdin and stdout. */
    readonly namedFiles?: NamedFiles;
    readonly limits: OwnLimits;
}

export interface RowTest {
    readonly name: string;
    readonly input: Text;
    readonly output: Text;
}

/** A checker program in a single file. */
export interface RowChecker {
    readonly kind: 'program';
    readonly convention: 'testlib' | 'kattis';
    readonly language: string | null;
    readonly fileName: string;
    readonly source: Text;
    readonly flags: readonly string[];
}

export const NO_LIMITS: OwnLimits = { time: null, memory: null, output: null };

/** Tests from two columns, as `public-1`, `public-2`, ... */
export function pairTests(name: string, inputs: Field, outputs: Field): RowTest[] {
    const [input, output] = [inputs.strings(), outputs.strings()];
    if (input.length !== output.length) {
        throw outputs.error(`has ${output.length} items, but ${inputs.path} has ${input.length}`);
    }
    return input.map((text, i) => ({ name: `${name}-${i + 1}`, input: text, output: output[i] ?? '' }));
}

/** Tests in SandboxFusion's format: `[{input: {stdin}, output: {stdout}}]`. */
export function streamTests(tests: Field): RowTest[] {
    return tests.list().map((test, i) => ({
        name: `test-${i + 1}`,
        input: test.get('input').get('stdin').string(),
        output: test.get('output').get('stdout').string(),
    }));
}

/** Whether `readId` returns a string unchanged. */
export const isOrdinaryId = (id: unknown): id is string =>
    typeof id === 'string' && id !== '' && id.length <= MAX_ID_LENGTH && !/\p{Surrogate}/u.test(id);

/** An id: a string or number that is not empty and can be written to a file as text. */
export function readId(field: Field): string {
    const id = integerText(field) ?? field.string();
    if (id === '') field.fail('a non-empty id');
    if (id.length > MAX_ID_LENGTH) field.fail(`an id of at most ${MAX_ID_LENGTH} characters`);
    if (/\p{Surrogate}/u.test(id)) field.fail('an id without lone surrogates');
    return id;
}

/** An integer as text, with all its digits; null for anything else. */
function integerText(field: Field): string | null {
    const { value } = field;
    if (typeof value === 'number' && Number.isSafeInteger(value)) return String(value);
    const text = field.numberText();
    return text !== null && /^-?\d+$/.test(text) ? text : null;
}

const MAX_ID_LENGTH = 1000;
