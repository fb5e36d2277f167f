import { describe, expect, it } from 'vitest';
import { fingerprintSample } from '../../src/model/fingerprint.js';
import type { Sample } from '../../src/model/sample.js';
import GOLDEN from '../golden/0.1/fingerprints-of-datasets.json' with { type: 'json' };
import { folderWith, jsonLines, loadAll, openOne } from './rig.js';

/*
 * What each reader makes of a row or a package, down to the fingerprint, must be the same as in version 0.1.0. A reader that
 * passes on different bytes, another language or another order of tests makes every finished task of its format run again. See
 * test/model/fingerprint.test.ts.
 */

const tests = [
    { input: '1 2\n', output: '3\n' },
    { input: '\u00e9\n', output: '' },
];
const programs = [
    { language: 'py3', source: 'print(1)\n' },
    { language: 'C++', source: '// \u{1f600}\r\n' },
    { language: 'Brainfuck', source: '' },
];

/** One row of each format of judged problems. */
const ROWS: Readonly<Record<string, unknown>> = {
    plain: { id: 'a', tests, solutions: programs, incorrect_solutions: [programs[0], programs[0]] },
    'code-contests': {
        name: 'a',
        public_tests: { input: ['1 2\n'], output: ['3\n'] },
        private_tests: { input: ['\u00e9\n'], output: [''] },
        generated_tests: { input: ['5 6\n'], output: ['11\n'] },
        solutions: { language: [1, 2, 3, 4], solution: ['a', 'b', 'c', 'd'] },
        incorrect_solutions: { language: ['PYTHON', 'python3', 0], solution: ['a', 'b', 'c'] },
    },
    'code-contests, rows of the earlier tools': {
        id: 'Codeforces/1575/A',
        test: tests.map(({ input, output }) => ({ input: { stdin: input }, output: { stdout: output } })),
        solutions: { language: [2], solution: ['int main(){}'] },
        incorrect_solutions: { language: [3], solution: ['int main(){}'] },
    },
    'code-contests-plus': {
        title: 'a',
        test_cases: tests,
        correct_submissions: [{ code: 'a', language: 'cpp' }],
        incorrect_submissions: [
            { code: 'a', language: 'java' },
            { code: 'b', language: 'py3' },
        ],
    },
    'common-oj': {
        id: 1,
        test: tests.map(({ input, output }) => ({ input: { stdin: input }, output: { stdout: output } })),
        canonical_solution: { python: 'a', cpp: 'b' },
    },
    'taco-apps': {
        question: 'Add.',
        input_output: JSON.stringify({ inputs: ['1 2\n', ['a', 'b']], outputs: ['3\n', ['c']] }),
        solutions: JSON.stringify(['print(3)', 'print(1 + 2)']),
    },
    'live-code-bench': {
        question_id: 'a',
        public_test_cases: JSON.stringify([tests[0]]),
        private_test_cases: JSON.stringify([tests[1]]),
        solutions: programs,
        incorrect_solutions: [programs[0]],
    },
};

/** The checkers that a row in the plain format can name. */
const CHECKERS: Readonly<Record<string, unknown>> = {
    none: undefined,
    lines: 'lines',
    float: 'float:1e-6,1e-9',
    kattis: 'kattis:case_sensitive',
    'testlib program': { convention: 'testlib', language: 'cpp', source: 'int main(){}' },
    'kattis program with flags': {
        convention: 'kattis',
        language: 'py3',
        source: 'pass',
        flags: ['--eps', '1e-4'],
    },
    'program in a file': { convention: 'testlib', path: 'check/own.cpp' },
};

const fingerprints = (sample: Sample): unknown => ({ ...fingerprintSample(sample, '') });

async function loadRow(row: unknown, files: Readonly<Record<string, string>> = {}): Promise<Sample> {
    const folder = await folderWith({ 'rows.jsonl': jsonLines([row]), ...files });
    const [sample] = await loadAll(await openOne(`${folder}/rows.jsonl`));
    if (sample === undefined) throw new Error('no sample');
    return sample;
}

/** The checker that a format implies is not pinned here: a later version may choose a better one for new directories. */
function judgedByTokens(sample: Sample): Sample {
    if (sample.judging === null) throw new Error('not judged');
    return { ...sample, judging: { ...sample.judging, checker: { kind: 'tokens' } } };
}

const SUM = 'print(sum(map(int, input().split())))\n';

const PACKAGES: Readonly<Record<string, Readonly<Record<string, string>>>> = {
    'with the default validator': {
        'problem.yaml': 'name: Sum\nvalidator_flags: float_tolerance 1e-6\n',
        'data/sample/1.in': '1 2\n',
        'data/sample/1.ans': '3\n',
        'data/secret/10.in': '5 6\n',
        'data/secret/10.ans': '11\n',
        'data/secret/2-group/testdata.yaml': 'output_validator_flags: case_sensitive\n',
        'data/secret/2-group/1.in': '7 8\n',
        'data/secret/2-group/1.ans': '15\n',
        'submissions/accepted/sum.py': SUM,
        'submissions/accepted/two/main.cpp': '#include "sum.h"\nint main() {}\n',
        'submissions/accepted/two/sum.h': '// sum\n',
        'submissions/accepted/two/a.cpp': '// a\n',
        'submissions/wrong_answer/zero.py': 'print(0)\n',
        'submissions/time_limit_exceeded/Slow.java':
            'class Slow { public static void main(String[] a) {} }\n',
    },
    'with a validator of its own': {
        'problem.yaml': 'name: Any\nvalidation: custom\nvalidator_flags: "--first second"\n',
        'output_validators/validate/validate.cc': '#include "validate.h"\nint main() {}\n',
        'output_validators/validate/validate.h': '// validate\n',
        'data/secret/1.in': '1\n',
        'data/secret/1.ans': '1\n',
        'submissions/accepted/any.py': SUM,
    },
    'of 2025-09, with constants and files for submissions': {
        'problem.yaml':
            'problem_format_version: 2025-09\nname: Sum\nlimits: {time_limit: 2}\nconstants: {max: 100}\n',
        'include/python3/helper.py': 'LIMIT = {{max}}\n',
        'data/secret/1.in': '1 2\n',
        'data/secret/1.ans': '3\n',
        'submissions/accepted/sum.py': `# {{max}}\n${SUM}`,
    },
};

describe('fingerprints of version 0.1.0', () => {
    it('are kept by rows of every format', async () => {
        const all = await Promise.all(
            Object.entries(ROWS).map(async ([format, row]) => [
                format,
                fingerprints(judgedByTokens(await loadRow(row))),
            ]),
        );
        expect(Object.fromEntries(all)).toEqual(GOLDEN.rows);
    });

    it('are kept by rows with every form of checker', async () => {
        const all = await Promise.all(
            Object.entries(CHECKERS).map(async ([name, checker]) => [
                name,
                fingerprints(
                    await loadRow(
                        { id: 'a', tests, solutions: programs.slice(0, 1), checker },
                        {
                            'check/own.cpp': 'int main(){}',
                        },
                    ),
                ),
            ]),
        );
        expect(Object.fromEntries(all)).toEqual(GOLDEN.checkers);
    });

    it('are kept by rows whose texts stand in files of their own', async () => {
        const row = {
            id: 'a',
            tests: [{ input_path: 'in/1', output_path: 'out/1' }],
            solutions: [{ language: 'py3', path: 'src/sum.py' }],
        };
        const inFiles = await loadRow(row, { 'in/1': '1 2\n', 'out/1': '3\n', 'src/sum.py': SUM });
        const inRow = await loadRow({
            id: 'b',
            tests: tests.slice(0, 1),
            solutions: [{ language: 'py3', source: SUM }],
        });
        expect(fingerprints(inFiles)).toEqual(GOLDEN.files);
        expect(fingerprints(inRow)).toEqual(GOLDEN.files);
    });

    it('are kept by groups of any data', async () => {
        const sample = await loadRow({
            id: 'a',
            groups: { iteration: [{ seed: 1 }, { seed: 1 }], main: ['\u00e9', 0.5, null] },
        });
        expect(fingerprints(sample)).toEqual(GOLDEN.data);
    });

    it('are kept by problem packages', async () => {
        const all = await Promise.all(
            Object.entries(PACKAGES).map(async ([name, files]) => {
                const [sample] = await loadAll(await openOne(await folderWith(files)));
                if (sample === undefined) throw new Error('no sample');
                expect(sample.skip).toBeNull();
                return [name, fingerprints(sample)];
            }),
        );
        expect(Object.fromEntries(all)).toEqual(GOLDEN.packages);
    });
});
