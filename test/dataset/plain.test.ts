import { symlink } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { digest, makeTextContent } from '../../src/model/fingerprint.js';
import { folderWith, jsonLines, loadAll, openOne, samplesOf } from './rig.js';

const row = {
    id: 'sum',
    time_limit: 1.5,
    memory_limit: '256 MiB',
    checker: 'float:1e-6,1e-6',
    tests: [{ input: '1 2\n', output: '3\n' }],
    solutions: [{ language: 'python3', source: 'print(3)' }],
    incorrect_solutions: [
        { language: 'CPP', source: 'int main(){}', name: 'empty', expected: ['WrongAnswer'] },
    ],
};

describe('the plain form', () => {
    it('gives a sample with everything it says', async () => {
        const [sample] = await samplesOf([row]);
        expect(sample?.judging).toEqual({
            tests: [
                {
                    name: 'test-1',
                    input: makeTextContent('1 2\n'),
                    output: makeTextContent('3\n'),
                    checkerFlags: null,
                },
            ],
            checker: { kind: 'float', absolute: 1e-6, relative: 1e-6 },
            limits: { time: 1.5, memory: 256 * 1024 * 1024, output: null },
            isFormatChecker: false,
            limitPolicy: 'own',
            computedLimit: null,
        });
        expect(sample?.groups).toEqual({
            solution: [
                {
                    kind: 'program',
                    language: 'PYTHON3',
                    files: [{ name: '', content: makeTextContent('print(3)') }],
                    expected: null,
                    name: null,
                },
            ],
            incorrect_solution: [
                {
                    kind: 'program',
                    language: 'CPP',
                    files: [{ name: '', content: makeTextContent('int main(){}') }],
                    expected: ['WrongAnswer'],
                    name: 'empty',
                },
            ],
        });
    });

    it.each([
        [{ ...row, id: 7.5 }, 'id: expected text, got the number 7.5'],
        [{ ...row, id: '' }, 'id: expected a non-empty id'],
        [{ ...row, tests: [{ input: 1, output: '' }] }, 'tests[0].input: expected text, got the number 1'],
        [{ ...row, time_limit: 0 }, 'time_limit: expected a number of seconds greater than 0'],
        [
            { ...row, memory_limit: 256 },
            'memory_limit: expected bytes (at least 1048576), or text such as "256 MiB"',
        ],
        [{ ...row, checker: 'fuzzy' }, 'checker: expected tokens, lines, exact'],
        [
            { ...row, checker: { convention: 'x', language: 'CPP', source: '' } },
            'checker.convention: expected "testlib"',
        ],
        [
            { ...row, solutions: [{ language: 'python', source: '' }] },
            'solutions[0].language: expected "python3" or "python2"',
        ],
        [{ ...row, solutions: [{ language: 'CPP' }] }, 'solutions[0].source: expected text, got nothing'],
        [
            { ...row, solutions: [{ language: 'CPP', source: '', path: 'a' }] },
            'expected either source or path, got both',
        ],
        [{ ...row, solutions: [{ language: 'CPP', path: '../a.cpp' }] }, 'inside it'],
        [{ ...row, solutions: [{ language: 'CPP', path: '/etc/passwd' }] }, 'inside it'],
        [{ ...row, solutions: [{ language: 'CPP', path: 'no.cpp' }] }, 'which is not in'],
        [
            { ...row, solutions: [{ language: 'CPP', source: '', expected: 'WA' }] },
            'expected: expected one of Accepted',
        ],
    ])('names the field: %#', async (bad, message) => {
        await expect(samplesOf([row, { ...bad }])).rejects.toThrow(message);
        await expect(samplesOf([row, { ...bad }])).rejects.toThrow(/rows\.jsonl:2/);
    });

    it('reads sources, tests and a checker from files beside it', async () => {
        const folder = await folderWith({
            'a.jsonl': jsonLines([
                {
                    id: 'x',
                    tests: [{ input_path: 'tests/1.in', output_path: 'tests/1.ans' }],
                    checker: { convention: 'kattis', path: 'check.py', flags: ['a'] },
                    solutions: [{ language: 'CPP', path: 'programs/a.cpp' }],
                },
            ]),
            'tests/1.in': 'in',
            'tests/1.ans': 'out',
            'check.py': 'import sys',
            'programs/a.cpp': 'int main(){}',
        });
        const [sample] = await loadAll(await openOne(join(folder, 'a.jsonl')));
        const file = (name: string, text: string): unknown => ({
            path: join(folder, name),
            digest: digest(text),
        });
        expect(sample?.judging?.tests[0]).toMatchObject({
            input: file('tests/1.in', 'in'),
            output: file('tests/1.ans', 'out'),
        });
        expect(sample?.judging?.checker).toMatchObject({
            convention: 'kattis',
            language: null,
            flags: ['a'],
            files: [{ name: 'check.py', content: file('check.py', 'import sys') }],
        });
        expect(sample?.groups['solution']?.[0]).toMatchObject({
            name: 'programs/a.cpp',
            files: [{ name: 'a.cpp', content: file('programs/a.cpp', 'int main(){}') }],
        });
    });

    it('follows no link that leads out of its folder', async () => {
        const outside = await folderWith({ 'secret.cpp': 'int main(){}' });
        const folder = await folderWith({
            'a.jsonl': jsonLines([
                { id: 'x', tests: [], solutions: [{ language: 'CPP', path: 'link.cpp' }] },
            ]),
        });
        await symlink(join(outside, 'secret.cpp'), join(folder, 'link.cpp'));
        await expect(openOne(folder).then(loadAll)).rejects.toThrow('inside it');
    });
});
