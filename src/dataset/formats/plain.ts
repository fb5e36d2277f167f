import { CHECKER_FORMS, parseChecker } from '../../model/checker-text.js';
import type { OwnLimits } from '../../model/limits.js';
import { PROGRAM_VERDICTS, type Verdict } from '../../model/verdict.js';
import type { Field } from '../field.js';
import { readUnknownName, toLanguageTag } from '../language-tags.js';
import {
    type RowChecker,
    type RowContent,
    type RowFormat,
    type RowJudging,
    type RowProgram,
    type RowTest,
    readId,
    type Text,
} from '../row-content.js';

/**
 * The project's own format. docs/plain-form.schema.json is its schema; test/dataset/plain-schema.test.ts keeps the two in
 * agreement.
 */
export const plain: RowFormat = {
    key: 'plain',
    limitPolicy: 'own',
    comparison: { kind: 'tokens' },
    recognises(row) {
        return Array.isArray(row.get('tests').value);
    },
    read(row): RowContent {
        return {
            id: readId(row.get('id')),
            groups: [
                ['solution', readPlainPrograms(row.get('solutions'))],
                ['incorrect_solution', readPlainPrograms(row.get('incorrect_solutions'))],
            ],
            judging: {
                tests: row.get('tests').list().map(readTest),
                checker: readChecker(row.get('checker')),
                limits: readLimits(row),
            },
            skip: null,
        };
    },
};

/** `[{"language", "source" | "path", "name"?, "expected"?}, ...]`; empty if it is missing. */
export function readPlainPrograms(list: Field): RowProgram[] {
    return list.optionalList().map((program) => {
        const language = readLanguage(program.get('language'));
        return {
            kind: 'program',
            language,
            ...readUnknownName(program.get('language').value, language),
            source: readText(program, 'source', 'path'),
            name: program.get('name').optionalString() ?? program.get('path').optionalString(),
            expected: readExpected(program.get('expected')),
        };
    });
}

/** A tag of result files, or a common name. "python" is refused as ambiguous: the tag PYTHON means Python 2. */
function readLanguage(field: Field): string {
    const name = field.string();
    if (name.trim() === '') field.fail('the name of a language');
    if (name !== 'PYTHON' && name.toLowerCase() === 'python') field.fail('"python3" or "python2"');
    return name === 'PYTHON' ? name : toLanguageTag(name);
}

/** Text that is either in the row or in a file beside the dataset; exactly one of the two must be given. */
function readText(owner: Field, key: string, pathKey: string): Text {
    const path = owner.get(pathKey);
    if (!path.present) return owner.get(key).string();
    if (owner.get(key).present) throw owner.error(`expected either ${key} or ${pathKey}, got both`);
    return { file: path.string() };
}

function readTest(test: Field, i: number): RowTest {
    return {
        name: test.get('name').optionalString() ?? `test-${i + 1}`,
        input: readText(test, 'input', 'input_path'),
        output: readText(test, 'output', 'output_path'),
    };
}

function readExpected(field: Field): readonly Verdict[] | null {
    if (!field.present) return null;
    const names = typeof field.value === 'string' ? [field] : field.list();
    return names.map(
        (name) =>
            PROGRAM_VERDICTS.find((verdict) => verdict === name.value) ??
            name.fail(`one of ${PROGRAM_VERDICTS.join(', ')}`),
    );
}

function readChecker(field: Field): RowJudging['checker'] {
    if (!field.present) return null;
    if (typeof field.value !== 'string') return readCheckerProgram(field);
    const checker = parseChecker(field.value);
    if (checker === null || checker.kind === 'program') {
        return field.fail(`${CHECKER_FORMS}, or {"convention", "language", "source" or "path"}`);
    }
    return checker;
}

function readCheckerProgram(field: Field): RowChecker {
    const convention = field.get('convention').string();
    if (convention !== 'testlib' && convention !== 'kattis')
        field.get('convention').fail('"testlib" or "kattis"');
    const path = field.get('path').optionalString();
    const language = field.get('language');
    return {
        kind: 'program',
        convention: convention === 'kattis' ? 'kattis' : 'testlib',
        language: path !== null && !language.present ? null : readLanguage(language),
        fileName: path?.split('/').at(-1) ?? 'checker',
        source: readText(field, 'source', 'path'),
        flags: field.get('flags').present ? field.get('flags').strings() : [],
    };
}

const UNITS: Readonly<Record<string, number>> = {
    KiB: 2 ** 10,
    MiB: 2 ** 20,
    GiB: 2 ** 30,
    KB: 1e3,
    MB: 1e6,
    GB: 1e9,
};
/** A smaller number was surely meant as MiB: no program starts in so little memory. */
const MIN_MEMORY = 2 ** 20;

function readLimits(row: Field): OwnLimits {
    const time = row.get('time_limit');
    if (time.present && time.number() <= 0) time.fail('a number of seconds greater than 0');
    return {
        time: time.present ? time.number() : null,
        memory: readBytes(row.get('memory_limit'), MIN_MEMORY),
        output: readBytes(row.get('output_limit'), 1),
    };
}

/** A number of bytes, or text with a unit. */
function readBytes(field: Field, least: number): number | null {
    if (!field.present) return null;
    const { value } = field;
    const bytes = typeof value === 'string' ? parseBytes(value) : value;
    if (typeof bytes !== 'number' || !(bytes >= least)) {
        return field.fail(`bytes (at least ${least}), or text such as "256 MiB"`);
    }
    return Math.floor(bytes);
}

function parseBytes(text: string): number {
    const [, number = '', unit = ''] = /^([\d.]+)\s*([KMG]i?B)$/.exec(text.trim()) ?? [];
    return Number(number) * (UNITS[unit] ?? Number.NaN);
}
