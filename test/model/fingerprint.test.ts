import { describe, expect, it } from 'vitest';
import { loadCatalog } from '../../src/commands/registry.js';
import { resolveConfig } from '../../src/config.js';
import { parseChecker } from '../../src/model/checker-text.js';
import { digestChecker, digest, fingerprintSample, makeTextContent } from '../../src/model/fingerprint.js';
import type { Checker, Judging, ProgramInput, Sample, TestCase } from '../../src/model/sample.js';
import { folderWith, loadAll, openOne } from '../dataset/rig.js';
import GOLDEN from '../golden/0.1/fingerprints.json' with { type: 'json' };

/*
 * The golden vectors were computed by version 0.1.0. Result files hold exactly these texts: if one of them changes, every
 * finished task of its kind runs again, in every results directory. Never change an expected value; add a new tag beside the old
 * one instead.
 */

function program(
    language: string,
    source: string | Readonly<Record<string, string>>,
    more: Partial<ProgramInput> = {},
): ProgramInput {
    const named = typeof source === 'string' ? { 'main.txt': source } : source;
    const [main, ...rest] = Object.entries(named).map(([name, text]) => ({
        name,
        content: makeTextContent(text),
    }));
    if (main === undefined) throw new Error('a program needs a file');
    return { kind: 'program', language, files: [main, ...rest], expected: null, name: null, ...more };
}

const testCase = (
    input: string,
    output: string,
    checkerFlags: TestCase['checkerFlags'] = null,
): TestCase => ({
    name: 'any',
    input: makeTextContent(input),
    output: makeTextContent(output),
    checkerFlags,
});

const ONE_TEST = [testCase('1 2\n', '3\n')];

function judged(programs: readonly ProgramInput[], judging: Partial<Judging> = {}): Sample {
    const base: Judging = {
        tests: ONE_TEST,
        checker: { kind: 'tokens' },
        limits: { time: null, memory: null, output: null },
        limitPolicy: 'own',
        isFormatChecker: false,
        computedLimit: null,
    };
    return {
        id: 'a',
        origin: 'rows.jsonl:1',
        groups: { solution: programs },
        judging: { ...base, ...judging },
        skip: null,
    };
}

const fingerprints = (sample: Sample, executor = ''): Record<string, readonly string[]> => ({
    ...fingerprintSample(sample, executor),
});

const fingerprintOf = (input: ProgramInput, judging: Partial<Judging> = {}): string | undefined =>
    fingerprints(judged([input], judging))['solution']?.[0];

const SUM = program('CPP', 'int main() {}\n');

const checkerProgram = (more: Partial<Extract<Checker, { kind: 'program' }>> = {}): Checker => ({
    kind: 'program',
    convention: 'testlib',
    language: 'CPP',
    files: [{ name: 'checker.cpp', content: makeTextContent('int main() {}\n') }],
    flags: [],
    time: null,
    memory: null,
    ...more,
});

const TWO_FILES = [
    { name: 'validate.cc', content: makeTextContent('#include "validate.h"\n') },
    { name: 'validate.h', content: makeTextContent('\n') },
] as const;

describe('digests', () => {
    it('are SHA-256 of the bytes, of text as UTF-8', () => {
        expect([digest(''), digest('é\n'), digest(new Uint8Array([0, 255]))]).toEqual(GOLDEN.digests);
    });
});

describe('checkers keep the digest of version 1', () => {
    const given: Readonly<Record<string, Checker>> = {
        tokens: { kind: 'tokens' },
        lines: { kind: 'lines' },
        exact: { kind: 'exact' },
        codecontests: { kind: 'codecontests' },
        sandboxfusion: { kind: 'sandboxfusion' },
        judge0: { kind: 'judge0' },
        'float, absolute only': { kind: 'float', absolute: 1e-6, relative: null },
        'float, small numbers in the form with an exponent': {
            kind: 'float',
            absolute: 1e-7,
            relative: 1e-9,
        },
        'float, zero': { kind: 'float', absolute: 0, relative: 0.5 },
        kattis: { kind: 'kattis', flags: [] },
        'kattis, flags': { kind: 'kattis', flags: ['case_sensitive', 'float_tolerance', '1e-4'] },
        'program, testlib': checkerProgram(),
        'program, kattis': checkerProgram({ convention: 'kattis' }),
        'program, language left open': checkerProgram({ language: null }),
        'program, flags': checkerProgram({ flags: ['--eps', '1e-4'] }),
        'program, two files': checkerProgram({ convention: 'kattis', files: TWO_FILES }),
    };

    it('by kind and settings', () => {
        const digests = Object.fromEntries(
            Object.entries(given).map(([name, checker]) => [name, digestChecker(checker)]),
        );
        expect(digests).toEqual(GOLDEN.checkers);
        expect(new Set(Object.values(digests)).size).toBe(Object.keys(given).length);
    });

    it.each([
        ['tokens', 'tokens'],
        ['lines', 'lines'],
        ['exact', 'exact'],
        ['codecontests', 'codecontests'],
        ['sandboxfusion', 'sandboxfusion'],
        ['judge0', 'judge0'],
        ['float:1e-6', 'float, absolute only'],
        ['float:0.000001', 'float, absolute only'],
        ['float:1e-7,1e-9', 'float, small numbers in the form with an exponent'],
        ['float:0,.5', 'float, zero'],
        ['kattis', 'kattis'],
        ['kattis:case_sensitive float_tolerance 1e-4', 'kattis, flags'],
    ])('--checker %s is the checker "%s"', (text, name) => {
        const parsed = parseChecker(text);
        const expected = given[name];
        if (parsed === null || expected === undefined) throw new Error(`no checker ${text}`);
        expect(digestChecker(parsed)).toBe(digestChecker(expected));
    });

    it('whatever a checker program may use and whatever its only file is called', () => {
        const other = checkerProgram({
            files: [{ name: 'other.cpp', content: makeTextContent('int main() {}\n') }],
            time: 3,
            memory: 2 ** 20,
        });
        expect(digestChecker(other)).toBe(digestChecker(checkerProgram()));
    });
});

describe('programs keep the fingerprint of version 1', () => {
    it('by language, files, tests and checker', () => {
        expect({
            'one file': fingerprintOf(SUM),
            'another language': fingerprintOf(program('PYTHON3', 'int main() {}\n')),
            'an empty source': fingerprintOf(program('CPP', '')),
            'Unicode, composed': fingerprintOf(program('CPP', '// \u00e9 \u{1f600}\n')),
            'Unicode, decomposed': fingerprintOf(program('CPP', '// e\u0301 \u{1f600}\n')),
            'line ends of Windows': fingerprintOf(program('CPP', 'int main() {}\r\n')),
            'two files': fingerprintOf(program('CPP', { 'main.cpp': 'a', 'b.h': 'b' })),
            'three files with Unicode names': fingerprintOf(
                program('CPP', { 'z.cpp': 'a', '\u{1f600}.h': 'b', '\uff5e.h': 'c' }),
            ),
            'no tests': fingerprintOf(SUM, { tests: [] }),
            'two tests': fingerprintOf(SUM, { tests: [...ONE_TEST, testCase('', '')] }),
            'flags of one test': fingerprintOf(SUM, {
                tests: [testCase('1 2\n', '3\n', ['float_tolerance', '0.1'])],
            }),
            'a checker with flags': fingerprintOf(SUM, { checker: { kind: 'kattis', flags: ['x'] } }),
            'a checker program': fingerprintOf(SUM, { checker: checkerProgram() }),
            'nothing to judge it by': fingerprints({ ...judged([SUM]), judging: null })['solution']?.[0],
        }).toEqual(GOLDEN.programs);
    });

    it('whatever else is known about them', () => {
        const renamed = program('CPP', { 'other.cpp': 'int main() {}\n' });
        const described = {
            ...renamed,
            preferred: 'CPP20',
            expected: ['WrongAnswer'],
            name: 'fast',
            skip: 'none',
        } as const;
        const relaxed = {
            limits: { time: 9, memory: 9, output: 9 },
            limitPolicy: 'flat',
            computedLimit: { group: 'solution', multiplier: 2, atLeast: 1, resolution: 1 },
            tests: ONE_TEST.map((test) => ({ ...test, name: 'another', checkerFlags: [] })),
        } as const;
        expect(fingerprintOf(described, relaxed)).toBe(fingerprintOf(SUM));
        const elsewhere = { ...judged([SUM]), id: 'b', origin: 'c', skip: 'd' };
        expect(fingerprints(elsewhere, 'identity of an executor')).toEqual(fingerprints(judged([SUM])));
    });

    it('in whatever order the files after the main one stand', () => {
        const files = { 'main.cpp': 'a', 'b.h': 'b', 'c.h': 'c', 'C.h': 'd' };
        const other = { 'main.cpp': 'a', 'C.h': 'd', 'c.h': 'c', 'b.h': 'b' };
        expect(fingerprintOf(program('CPP', files))).toBe(fingerprintOf(program('CPP', other)));
        const otherMain = { 'b.h': 'b', 'main.cpp': 'a', 'c.h': 'c', 'C.h': 'd' };
        expect(fingerprintOf(program('CPP', files))).not.toBe(fingerprintOf(program('CPP', otherMain)));
    });

    it('and equal ones share it, in every group', () => {
        const sample = { ...judged([]), groups: { solution: [SUM, SUM], incorrect_solution: [SUM] } };
        const one = fingerprintOf(SUM);
        expect(fingerprints(sample)).toEqual({ solution: [one, one], incorrect_solution: [one] });
    });

    it('as the documented encoding gives it', () => {
        const hex = (text: string): string => digest(text);
        const tests = hex(`["v1","tests",[["${hex('1 2\n')}","${hex('3\n')}","x"]]]`);
        const checker = hex('["v1","checker","kattis",["case_sensitive"]]');
        const files = `[["main.cpp","${hex('a')}"],["b.h","${hex('b')}"]]`;
        expect(
            fingerprintOf(program('CPP', { 'main.cpp': 'a', 'b.h': 'b' }), {
                tests: [testCase('1 2\n', '3\n', ['x'])],
                checker: { kind: 'kattis', flags: ['case_sensitive'] },
            }),
        ).toBe(`v1-sha256-${hex(`["v1","program","CPP",${files},"${tests}","${checker}"]`)}`);
    });

    it('and none that differ share one, wherever the difference stands', () => {
        const variants = [
            fingerprintOf(SUM),
            fingerprintOf(program('C', 'int main() {}\n')),
            fingerprintOf(SUM, { tests: [testCase('1 2\n3\n', '')] }),
            fingerprintOf(SUM, { tests: [testCase('1 2\n', '3\n', ['a b'])] }),
            fingerprintOf(SUM, { tests: [testCase('1 2\n', '3\n', ['a', 'b'])] }),
            fingerprintOf(SUM, { tests: [testCase('3\n', '1 2\n')] }),
            fingerprintOf(SUM, { checker: { kind: 'kattis', flags: ['a b'] } }),
            fingerprintOf(SUM, { checker: { kind: 'kattis', flags: ['a', 'b'] } }),
            fingerprintOf(SUM, { checker: checkerProgram() }),
            fingerprintOf(program('CPP', { 'a.cpp': 'int main() {}\n', 'b.h': '' })),
            fingerprintOf(program('CPP', { 'c.cpp': 'int main() {}\n', 'b.h': '' })),
        ];
        expect(new Set(variants).size).toBe(variants.length);
    });
});

/** Fingerprints of the tasks of one row, given by its text in a file. */
async function fingerprintsOfRow(row: string, executor: string, name = 'rows.jsonl'): Promise<unknown> {
    const folder = await folderWith({ [name]: `${row}\n` });
    const [sample] = await loadAll(await openOne(`${folder}/${name}`));
    if (sample === undefined) throw new Error('no sample');
    return fingerprints(sample, executor);
}

const dataTasks = (...tasks: readonly string[]): string =>
    `{"id":"n","groups":{"main":[${tasks.join(',')}]}}`;

async function fingerprintsOfData(tasks: readonly string[], executor = 'x'): Promise<readonly string[]> {
    const groups = (await fingerprintsOfRow(dataTasks(...tasks), executor)) as { main: readonly string[] };
    return groups.main;
}

describe('data for commands and modules keeps the fingerprint of version 1', () => {
    it('by what it holds', async () => {
        const tasks = [
            'null',
            'true',
            '""',
            '"text"',
            '"1"',
            '1',
            '[]',
            '{}',
            '[[],[null]]',
            '{"b":1,"a":{"d":[1,2],"c":null}}',
            '{"__proto__":1,"constructor":2,"":3}',
            '"\u00e9 \u{1f600} \\u2028 \\u0000"',
            '"e\u0301"',
            '"\\ud800"',
            '{"\uff5e":1,"\u{1f600}":2,"\u00e9":3,"Z":4,"a":5,"10":6,"9":7}',
        ];
        const all = await fingerprintsOfData(tasks);
        expect(Object.fromEntries(tasks.map((task, i) => [task, all[i]]))).toEqual(GOLDEN.data);
        expect(new Set(all).size).toBe(tasks.length);
    });

    it('by numbers whose text means what JavaScript prints for it', async () => {
        const tasks = [
            ['0', '-0', '0.0', '0e9'],
            ['1', '1.0', '10e-1', '1.000'],
            ['-1'],
            ['0.1', '0.10', '1e-1', '1E-1'],
            ['100', '1e2', '1E+2', '100.00'],
            ['1.5'],
            ['1e-7', '0.0000001'],
            ['1e21', '1000000000000000000000'],
            ['9007199254740991', '9007199254740991.0'],
            ['9007199254740992'],
            ['5e-324'],
            ['1.7976931348623157e308', '1.7976931348623157E+308'],
        ];
        const all = await fingerprintsOfData(tasks.map(([text = '']) => text));
        expect(Object.fromEntries(tasks.map(([text], i) => [text, all[i]]))).toEqual(GOLDEN.numbers);
        for (const [i, texts] of tasks.entries()) {
            for (const written of await fingerprintsOfData(texts)) expect(written).toBe(all[i]);
        }
        expect(new Set(all).size).toBe(tasks.length);
    });

    it('by numbers deep inside', async () => {
        expect(await fingerprintsOfData(['{"seed":42,"rates":[0.25,1e2,{"x":-1.5e-3}]}'])).toEqual(
            GOLDEN.nested,
        );
    });

    it('whatever order its keys stand in, however it is spaced and escaped', async () => {
        const [one, two, three] = await fingerprintsOfData([
            '{"a":"\u00e9","b":[1,{"c":2,"d":3}]}',
            '{ "b" : [ 1, { "d" : 3, "c" : 2 } ], "a" : "\\u00e9" }',
            '{"b":[1,{"d":3,"c":2}],"\\u0061":"\\u00E9"}',
        ]);
        expect([two, three]).toEqual([one, one]);
    });

    it('as a row of a .json file too', async () => {
        const task = '{"b":1.0,"a":"\u00e9"}';
        expect(await fingerprintsOfRow(dataTasks(task), 'x', 'rows.json')).toEqual({
            main: await fingerprintsOfData([task]),
        });
    });

    it('as the documented encoding gives it', async () => {
        const canonical = JSON.stringify('{"a":[1,{"c":"\u00e9"}],"b":0.1}');
        expect(await fingerprintsOfData(['{"b":1e-1,"a":[1.0,{"c":"\u00e9"}]}'], '["./task"]')).toEqual([
            `v1-sha256-${digest(`["v1","data","[\\"./task\\"]",${canonical}]`)}`,
        ]);
    });

    it('by the command that does it', async () => {
        const identity = async (...command: string[]): Promise<string> => {
            const config = await configOf({ executor: 'exec' }, command);
            return config.executor.kind === 'exec' ? config.executor.identity : '';
        };
        const commands = {
            plain: await identity('./task', '{input}'),
            'a text with a space': await identity('./task {input}'),
            'quotes, Unicode and variables': await identity('sh', '-c', 'echo "\u00e9" $HOME {id}'),
        };
        expect(commands).toEqual(GOLDEN.commandIdentities);
        const tasks = ['{"seed":1}'];
        const all = await Promise.all(
            Object.entries(commands).map(async ([name, id]) => [
                name,
                (await fingerprintsOfData(tasks, id))[0],
            ]),
        );
        expect(Object.fromEntries(all)).toEqual(GOLDEN.commands);
    });

    it('by the module that does it, from where the results are', async () => {
        const identity = async (module: string, dir: string): Promise<string> => {
            const config = await configOf({ executor: 'module', module, dir }, []);
            return config.executor.kind === 'module' ? config.executor.identity : '';
        };
        const modules = {
            'default export': await identity('task.mjs', 'out'),
            'named export': await identity('./task.mjs#run', 'out'),
            'below the results': await identity('lib/task.mjs', 'deep/er/out'),
        };
        expect(modules).toEqual(GOLDEN.moduleIdentities);
        const tasks = ['{"seed":1}'];
        const all = await Promise.all(
            Object.entries(modules).map(async ([name, id]) => [
                name,
                (await fingerprintsOfData(tasks, id))[0],
            ]),
        );
        expect(Object.fromEntries(all)).toEqual(GOLDEN.modules);
    });
});

async function configOf(options: Readonly<Record<string, string>>, command: readonly string[]) {
    const { config } = await resolveConfig({
        argv: { options, datasets: ['rows.jsonl'], command },
        env: {},
        cwd: await folderWith({}),
        catalog: loadCatalog,
        readRunFile: () => Promise.resolve(null),
    });
    return config;
}
