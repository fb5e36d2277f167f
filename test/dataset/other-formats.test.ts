import { deflateSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { fingerprintSample } from '../../src/model/fingerprint.js';
import type { Sample } from '../../src/model/sample.js';
import { samplesOf } from './rig.js';

async function sampleOf(row: unknown): Promise<Sample> {
    const [sample] = await samplesOf([row]);
    if (sample === undefined) throw new Error('no sample');
    return sample;
}

const testsOf = (sample: Sample): unknown =>
    sample.judging?.tests.map((test) => [test.name, test.input.text, test.output.text]);
const languagesOf = (sample: Sample): unknown =>
    Object.entries(sample.groups).map(([group, tasks]) => [
        group,
        ...tasks.map((task) => (task.kind === 'program' ? task.language : 'data')),
    ]);

describe('CodeContests+', () => {
    const row = {
        source: 'Codeforces',
        id: '1575_A',
        title: 'Sorting',
        time_limit: 2000,
        memory_limit: 256,
        checker: '#include "testlib.h"',
        correct_submissions: [{ code: 'a', language: 'py3' }],
        incorrect_submissions: [
            { code: 'b', language: 'cpp' },
            { code: 'c', language: 'py2' },
            { code: 'd', language: 'java' },
        ],
        test_cases: [{ input: '1', output: '2' }],
        true_positive_rate: 1,
    };

    it('gives milliseconds, MiB and a testlib checker', async () => {
        const sample = await sampleOf(row);
        expect(sample.judging?.limits).toEqual({ time: 2, memory: 256 * 1024 * 1024, output: null });
        expect(sample.judging?.checker).toMatchObject({
            kind: 'program',
            convention: 'testlib',
            language: 'CPP',
        });
        expect(testsOf(sample)).toEqual([['test-1', '1', '2']]);
        expect(languagesOf(sample)).toEqual([
            ['solution', 'PYTHON3'],
            ['incorrect_solution', 'CPP', 'PYTHON', 'JAVA'],
        ]);
    });

    it('compares tokens where it has no checker', async () => {
        expect((await sampleOf({ ...row, checker: '' })).judging?.checker).toEqual({ kind: 'tokens' });
    });
});

describe('CommonOJ', () => {
    it('gives its streams and a canonical solution a language', async () => {
        const sample = await sampleOf({
            id: 7,
            content: '',
            labels: {},
            test: [{ input: { stdin: '1' }, output: { stdout: '2' } }],
            canonical_solution: { python: 'print(2)', cpp: 'int main(){}' },
        });
        expect(sample.id).toBe('7');
        expect(testsOf(sample)).toEqual([['test-1', '1', '2']]);
        expect(languagesOf(sample)).toEqual([['solution', 'PYTHON3', 'CPP'], ['incorrect_solution']]);
    });
});

describe('TACO and APPS', () => {
    const row = {
        problem_id: 3,
        question: 'Double it.',
        solutions: JSON.stringify(['print(1)', 'print(2)']),
        input_output: JSON.stringify({ inputs: ['1\n', ['2', '3']], outputs: ['2\n', ['4', '6']] }),
        difficulty: 'easy',
        time_limit: '2.5 seconds',
        memory_limit: '256.0 megabytes',
    };

    it('open the JSON inside their strings', async () => {
        const sample = await sampleOf(row);
        expect(testsOf(sample)).toEqual([
            ['test-1', '1\n', '2\n'],
            ['test-2', '2\n3', '4\n6'],
        ]);
        expect(languagesOf(sample)).toEqual([['solution', 'PYTHON3', 'PYTHON3'], ['incorrect_solution']]);
        expect(sample.judging?.limits).toEqual({ time: 2.5, memory: 256 * 1024 * 1024, output: null });
    });

    it('make programs of functions to be called, and take empty strings for nothing', async () => {
        const call = '{"fn_name": "twice", "inputs": [[9007199254740993, 1.0]], "outputs": [[2]]}';
        const called = await sampleOf({ ...row, input_output: call });
        expect([called.skip, called.judging?.checker]).toEqual([null, { kind: 'calls' }]);
        expect(testsOf(called)).toEqual([
            [
                'test-1',
                '{"call": "twice", "rule": "apps", "args": [9007199254740993,1.0]}\n',
                'r:l[2]\nr:2\nc:2\n',
            ],
        ]);
        // Never change it.
        expect(fingerprintSample(called, '')['solution']?.[0]).toBe(
            'v1-sha256-9bd021b263bc53f2b2a8d4e6d24a7aac8f1b82b721623674ad36d789e3113b74',
        );
        const empty = await sampleOf({ ...row, solutions: '', input_output: '' });
        expect(languagesOf(empty)).toEqual([['solution'], ['incorrect_solution']]);
    });

    it('take infinity as Python writes it', async () => {
        const input_output =
            '{"fn_name": "f", "inputs": [["Infinity\\"", -Infinity]], "outputs": [[Infinity]]}';
        const infinite = 'f7ff0000000000000';
        expect(testsOf(await sampleOf({ ...row, input_output }))).toEqual([
            [
                'test-1',
                '{"call": "f", "rule": "apps", "args": ["Infinity\\"",-1e999]}\n',
                `r:l[${infinite}]\nr:${infinite}\nc:${infinite}\n`,
            ],
        ]);
    });

    it('take NaN as Python writes it, in arguments and in what is expected', async () => {
        const input_output =
            '{"fn_name": "f", "inputs": [["NaN", NaN], [{"a": [NaN]}]], "outputs": [[NaN], [[NaN, 1.0]]]}';
        expect(testsOf(await sampleOf({ ...row, input_output }))).toEqual([
            [
                'test-1',
                '{"call": "f", "rule": "apps", "args": ["NaN",NaN]}\n',
                'r:l[fnan]\nr:nothing\nc:nothing\n',
            ],
            [
                'test-2',
                '{"call": "f", "rule": "apps", "args": [{"a":[NaN]}]}\n',
                'r:l[l[fnan,1]]\nr:l[fnan,1]\nc:l[fnan,1]\n',
            ],
        ]);
        for (const broken of ['[-NaN]', '[1NaN]', '[NaN1]', '[Nan]', '[N]', '[01, NaN]', '[- Infinity]'])
            await expect(sampleOf({ ...row, solutions: broken }), broken).rejects.toThrow(
                'solutions: expected JSON inside the text',
            );
    });

    it('take numbers as they are written, and an empty fn_name for none', async () => {
        const input_output =
            '{"fn_name": "", "inputs": [9007199254740993, [1.0, "x"]], "outputs": [1e400, "2"]}';
        expect(testsOf(await sampleOf({ ...row, input_output }))).toEqual([
            ['test-1', '9007199254740993', '1e400'],
            ['test-2', '1.0\nx', '2'],
        ]);
    });

    it('have an id that no reordering changes where they name none', async () => {
        const { problem_id: _, ...nameless } = row;
        const other = { ...nameless, question: 'Halve it.' };
        const [first, second] = await samplesOf([nameless, other]);
        const [third, fourth] = await samplesOf([other, nameless]);
        expect([first?.id, second?.id]).toEqual([fourth?.id, third?.id]);
        expect(first?.id).not.toBe(second?.id);
    });

    it('say where their JSON is broken', async () => {
        await expect(sampleOf({ ...row, solutions: '[' })).rejects.toThrow(
            'solutions: expected JSON inside the text',
        );
    });
});

describe('LiveCodeBench', () => {
    const row = {
        question_id: 'abc300_a',
        platform: 'atcoder',
        starter_code: '',
        public_test_cases: JSON.stringify([{ input: '1', output: '2', testtype: 'stdin' }]),
        private_test_cases: JSON.stringify([{ input: '3', output: '4', testtype: 'stdin' }]),
        metadata: '{}',
        solutions: [{ language: 'python3', source: 'print(2)' }],
    };

    it('gives public and private tests', async () => {
        const sample = await sampleOf(row);
        expect(testsOf(sample)).toEqual([
            ['public-1', '1', '2'],
            ['private-1', '3', '4'],
        ]);
        expect(languagesOf(sample)).toEqual([['solution', 'PYTHON3'], ['incorrect_solution']]);
    });

    it('reads private tests as they are published: packed, one string', async () => {
        const text = Buffer.from(JSON.stringify([{ input: '5', output: '6', testtype: 'stdin' }]));
        const pickle = Buffer.concat([
            Buffer.from([0x80, 4, 0x8c, text.length]),
            text,
            Buffer.from([0x94, 0x2e]),
        ]);
        const sample = await sampleOf({ ...row, private_test_cases: deflateSync(pickle).toString('base64') });
        expect(sample.skip).toBeNull();
        expect(testsOf(sample)).toEqual([
            ['public-1', '1', '2'],
            ['private-1', '5', '6'],
        ]);
    });

    it('takes an empty func_name for none', async () => {
        expect((await sampleOf({ ...row, metadata: '{"func_name": ""}' })).skip).toBeNull();
    });

    it('never unpickles, and calls functions by the name that it is given', async () => {
        const pickle = deflateSync(Buffer.from([0x80, 4, 0x2e])).toString('base64');
        expect((await sampleOf({ ...row, private_test_cases: pickle })).skip).toContain('Python pickle');
        const lines = JSON.stringify([{ input: '[1, 2]\n"x"', output: 'true', testtype: 'functional' }]);
        const named = await sampleOf({
            ...row,
            metadata: '{"func_name": "f"}',
            public_test_cases: lines,
            private_test_cases: '',
        });
        expect(named.skip).toBeNull();
        expect(testsOf(named)).toEqual([
            ['public-1', '{"call": "f", "rule": "livecodebench", "args": [[1, 2], "x"]}\n', 'r:1\n'],
        ]);
        const nan = JSON.stringify([{ input: '[NaN]\n-Infinity', output: 'NaN', testtype: 'functional' }]);
        const withNan = await sampleOf({
            ...row,
            metadata: '{"func_name": "f"}',
            public_test_cases: nan,
            private_test_cases: '',
        });
        expect(testsOf(withNan)).toEqual([
            [
                'public-1',
                '{"call": "f", "rule": "livecodebench", "args": [[NaN], -Infinity]}\n',
                'r:nothing\n',
            ],
        ]);
        const functional = JSON.stringify([{ input: '1', output: '2', testtype: 'functional' }]);
        expect((await sampleOf({ ...row, public_test_cases: functional })).skip).toContain('functions');
    });
});

describe('the general form', () => {
    it('hands any JSON on as it stands', async () => {
        const data = [1, 'two', { three: [null] }];
        const sample = await sampleOf({ id: 'topic', groups: { iteration: data, instance: [] } });
        expect(sample.judging).toBeNull();
        expect(sample.groups).toEqual({
            iteration: data.map((each) => ({ kind: 'data', data: each })),
            instance: [],
        });
    });

    it.each(['__proto__', 'constructor', 'a b', '', '1', 'toString', 'a/b'])(
        'refuses the group name %j',
        async (name) => {
            const row = `{"id": "x", "groups": {${JSON.stringify(name)}: []}}`;
            await expect(sampleOf(JSON.parse(row))).rejects.toThrow(/expected a group name/);
        },
    );
});

describe('what is not a format of these', () => {
    it('is refused with the names of those that are', async () => {
        await expect(sampleOf({ id: 'x', stuff: 1 })).rejects.toThrow(
            /not a row of a known format \(its keys: id, stuff\); expected one of code-contests, .*--format/,
        );
    });

    it('is told what to do with CodeContests-O', async () => {
        await expect(sampleOf({ name: 'x', corner_cases: [{}], commands: [], results: [] })).rejects.toThrow(
            /CodeContests-O.*join them with code_contests/,
        );
    });
});
