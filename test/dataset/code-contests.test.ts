import { describe, expect, it } from 'vitest';
import { fingerprintSample } from '../../src/model/fingerprint.js';
import { samplesOf } from './rig.js';

const row = {
    name: '1575_A. Another Sorting Problem',
    description: 'sort',
    public_tests: { input: ['1\n'], output: ['one\n'] },
    private_tests: { input: [], output: [] },
    generated_tests: { input: ['2\n', '3\n'], output: ['two\n', 'three\n'] },
    source: 2,
    difficulty: 7,
    solutions: { language: [3, 0], solution: ['print(1)', '???'] },
    incorrect_solutions: { language: [1, 2, 4], solution: ['print 1', 'int main(){}', 'class A{}'] },
    cf_contest_id: 1575,
    cf_index: 'A',
    time_limit: { seconds: 2, nanos: 500_000_000 },
    memory_limit_bytes: 256_000_000,
    input_file: '',
    output_file: '',
};

describe('code_contests rows', () => {
    it('give tests in the order of their groups, languages by number, and limits', async () => {
        const [sample] = await samplesOf([row]);
        expect(sample?.id).toBe('Codeforces/1575/A');
        expect(sample?.judging?.tests.map((test) => [test.name, test.input.text, test.output.text])).toEqual([
            ['public-1', '1\n', 'one\n'],
            ['generated-1', '2\n', 'two\n'],
            ['generated-2', '3\n', 'three\n'],
        ]);
        expect(sample?.judging?.limits).toEqual({ time: 2.5, memory: 256_000_000, output: null });
        expect(sample?.judging?.limitPolicy).toBe('flat');
        const languages = Object.values(sample?.groups ?? {}).map((tasks) =>
            tasks.map((task) => (task.kind === 'program' ? task.language : '')),
        );
        expect(languages).toEqual([
            ['PYTHON3', 'UNKNOWN'],
            ['PYTHON', 'CPP', 'JAVA'],
        ]);
    });

    it('keep a program of unknown language at its index, skipped with a reason', async () => {
        const [sample] = await samplesOf([row]);
        const skips = sample?.groups['solution']?.map((task) =>
            task.kind === 'program' ? task.skip : undefined,
        );
        expect(skips).toEqual([undefined, 'its language is UNKNOWN in the dataset']);
    });

    it('take `id` and `test` where they are there', async () => {
        const [sample] = await samplesOf([
            { ...row, id: 'Codeforces/1/B', test: [{ input: { stdin: 'a' }, output: { stdout: 'b' } }] },
        ]);
        expect(sample?.id).toBe('Codeforces/1/B');
        expect(sample?.judging?.tests.map((test) => [test.name, test.input.text])).toEqual([['test-1', 'a']]);
    });

    it.each([
        [{ ...row, source: 1 }, '1575_A. Another Sorting Problem'],
        [{ ...row, source: 'CODEFORCES' }, 'Codeforces/1575/A'],
        [{ ...row, cf_index: '' }, '1575_A. Another Sorting Problem'],
        [{ ...row, cf_contest_id: 0 }, '1575_A. Another Sorting Problem'],
    ])('have an id without `id`: %#', async (given, id) => {
        expect((await samplesOf([given])).map((sample) => sample.id)).toEqual([id]);
    });

    it.each([
        [null, 0, { time: null, memory: null, output: null }],
        [3, '64000000', { time: 3, memory: 64_000_000, output: null }],
        [{ seconds: '1', nanos: 0 }, null, { time: 1, memory: null, output: null }],
        [{ seconds: 0, nanos: 0 }, 1, { time: null, memory: 1, output: null }],
    ])('read limits as exports write them: %j, %j', async (time_limit, memory_limit_bytes, limits) => {
        const [sample] = await samplesOf([{ ...row, time_limit, memory_limit_bytes }]);
        expect(sample?.judging?.limits).toEqual(limits);
    });

    it('name the files that programs use, and are skipped where those are elsewhere', async () => {
        const samples = await samplesOf([
            { ...row, id: 1, input_file: 'input.txt' },
            { ...row, id: 2, output_file: 'out' },
            { ...row, id: 3, input_file: 'stdin', output_file: 'stdout' },
            { ...row, id: 4, input_file: '../tests' },
        ]);
        expect(samples.map(({ judging, skip }) => skip ?? judging?.namedFiles)).toEqual([
            { input: 'input.txt', output: null },
            { input: null, output: 'out' },
            undefined,
            'its programs use the file "../tests", which is not a plain name',
        ]);
        const [named, , usual] = samples.map((sample) => fingerprintSample(sample, '')['solution']?.[0]);
        expect(named).toBe('v1-sha256-dba2d7783aae5f4ff5d7788552d9b941c2713dceadaede8de8200fa16f47a6f5');
        expect(usual).not.toBe(named);
    });

    it.each([
        [
            { solutions: { language: [3], solution: [] } },
            'solutions: expected as many languages (1) as solutions (0)',
        ],
        [
            { solutions: { language: [9], solution: [''] } },
            'solutions.language[0]: expected a language from 0 to 4',
        ],
        [
            { public_tests: { input: ['1'], output: [] } },
            'public_tests.output: has 0 items, but public_tests.input has 1',
        ],
        [
            { generated_tests: { input: [1], output: [2] } },
            'generated_tests.input[0]: expected text, got the number 1',
        ],
        [{ time_limit: 'soon' }, 'time_limit: expected a number, got the text "soon"'],
        [{ name: null, source: 1 }, 'name: expected text, got null'],
    ])('name the field that is wrong: %#', async (change, message) => {
        await expect(samplesOf([{ ...row, ...change }])).rejects.toThrow(message);
    });
});
