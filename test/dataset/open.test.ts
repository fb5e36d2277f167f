import { join } from 'node:path';
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { UserError } from '../../src/util/user-error.js';
import { runs } from '../rig/long.js';
import { folderWith, indexOf, jsonLines, openAll, openOne } from './rig.js';

const row = { id: 'x', tests: [] };

describe('opening datasets', () => {
    it.each([
        ['nothing.jsonl', 'no such dataset'],
        ['*.jsonl', 'no dataset matches'],
        ['empty', 'no dataset in this folder'],
        [
            'stray',
            /neither problem packages .* nor rows of problems: .*package\.json:1: not a row of a known/,
        ],
        ['stray/package.json', /^[^:]*package\.json:1: not a row of a known format/],
        ['notes.txt', 'is a list'],
        ['rows.parquet', 'cannot be read as Parquet'],
        ['bad.jsonl', 'not valid JSON'],
        ['latin1.jsonl', 'invalid UTF-8 at byte 8 of the row'],
    ])('says why %s is none', async (name, message) => {
        const folder = await folderWith({
            'empty/x.md': '',
            'stray/package.json': '{"name": "tools"}',
            'stray/sub/README.md': 'hello',
            'notes.txt': 'hello',
            'rows.parquet': 'PAR1....',
            'bad.jsonl': '{"id"',
            'latin1.jsonl': Buffer.from('{"id": "\xfc"}', 'latin1'),
        });
        const path = join(folder, name === '*.jsonl' ? 'none/*.jsonl' : name);
        await expect(openOne(path)).rejects.toThrow(message);
        await expect(openOne(path)).rejects.toBeInstanceOf(UserError);
    });

    it('takes JSON with any file name, JSONL with the name of JSON, and an empty file', async () => {
        const folder = await folderWith({
            data: jsonLines([row]),
            'lines.json': jsonLines([row, { ...row, id: 'y' }]),
            'no.jsonl': '',
        });
        expect(await indexOf(await openOne(join(folder, 'data')))).toHaveLength(1);
        expect(await indexOf(await openOne(join(folder, 'lines.json')))).toHaveLength(2);
        expect(await indexOf(await openOne(join(folder, 'no.jsonl')))).toEqual([]);
    });

    it('makes a dataset for each format in a folder, and leaves the inside of packages alone', async () => {
        const folder = await folderWith({
            'a.jsonl': jsonLines([row]),
            'b.jsonl': jsonLines([{ id: 'g', groups: {} }]),
            'sub/c.jsonl': jsonLines([{ ...row, id: 'y' }]),
            'p/[odd]/problem.yaml': '',
            'p/[odd]/attachments/data.json': '{}',
            'p/other/problem.yaml': '',
            'node_modules/x.json': '{}',
        });
        const datasets = await openAll([folder]);
        expect(datasets.map((each) => each.format)).toEqual(['plain', 'general', 'kattis']);
        const ids = await Promise.all(
            datasets.map(async (each) => (await indexOf(each)).map((indexed) => indexed.id)),
        );
        expect(ids).toEqual([['x', 'y'], ['g'], ['p/[odd]', 'p/other']]);
    });

    it('lists templates above packages and tasks of CMS, and takes the packages', async () => {
        const folder = await folderWith({
            'problem.yaml': 'name: template\n',
            'a/problem.yaml': 'name: A\n',
            'a/submissions/accepted/a.py': '',
            'a/skeleton/problem.yaml': 'name: inside of a package\n',
            'cms/b/task.yaml': 'name: b\ntime_limit: 1\n',
            'cms/c/task.yaml': 'title: C\n',
            'other/task.yaml': 'steps: []\n',
        });
        const leftOut: string[] = [];
        const datasets = await openAll([folder], { onLeftOut: (line) => leftOut.push(line) });
        expect((await Promise.all(datasets.map(indexOf))).flat().map(({ id }) => id)).toEqual(['a']);
        expect(leftOut).toEqual([
            expect.stringMatching(
                /: left out: it has a manifest but no data or submissions; using the packages below/,
            ),
            expect.stringMatching(/cms\/b\/task\.yaml and 1 more are CMS tasks, which are not supported$/),
        ]);
        await expect(openOne(join(folder, 'cms'))).rejects.toThrow(/no dataset .* are CMS tasks/);
        // With no packages below it, such a manifest still makes its folder a package.
        expect(await indexOf(await openOne(join(folder, 'a/skeleton')))).toMatchObject([{ id: 'skeleton' }]);
    });

    it('takes packages by a pattern, by their folder, and by their problem.yaml', async () => {
        const folder = await folderWith({
            'p/a/problem.yaml': '',
            'p/b/problem.yaml': '',
            'p/c/readme.md': '',
        });
        const ids = async (name: string): Promise<string[]> =>
            (await indexOf(await openOne(join(folder, name)))).map((each) => each.id);
        expect(await ids('p/*')).toEqual(['a', 'b']);
        expect(await ids('p/b')).toEqual(['b']);
        expect(await ids('p/b/problem.yaml')).toEqual(['b']);
        expect(await ids('**/problem.yaml')).toEqual(['p/a', 'p/b']);
    });

    it('obeys --format, and says what it can be', async () => {
        const folder = await folderWith({ 'a.jsonl': jsonLines([{ id: 'x' }]), 'p/problem.yaml': '' });
        await expect(openOne(join(folder, 'a.jsonl'), { format: 'plain' }).then(indexOf)).rejects.toThrow(
            /tests: expected a list, got nothing/,
        );
        await expect(openOne(folder, { format: 'nope' })).rejects.toThrow(
            /--format nope: expected one of code-contests/,
        );
        await expect(openOne(join(folder, 'p'), { format: 'plain' })).rejects.toThrow(
            /contains problem packages/,
        );
        await expect(openOne(join(folder, 'a.jsonl'), { format: 'kattis' })).rejects.toThrow(
            /no problem\.yaml/,
        );
    });
});

describe('any rows at all', () => {
    const keys = [
        'id',
        'tests',
        'solutions',
        'incorrect_solutions',
        'groups',
        'public_tests',
        'test',
        'input_output',
        'question',
        'question_id',
        'public_test_cases',
        'test_cases',
        'correct_submissions',
        'checker',
        'language',
        'solution',
        'source',
        'input',
        'output',
        'stdin',
        'stdout',
        'time_limit',
        'memory_limit',
        '__proto__',
        'constructor',
        'path',
        'expected',
    ];
    const value = fc.letrec<{ value: unknown }>((tie) => ({
        value: fc.oneof(
            { depthSize: 'small' },
            fc.constantFrom(null, 0, 1, -1, 1e300, true, '', 'a', '[', '{}', '../x', 'PYTHON3'),
            fc.array(tie('value'), { maxLength: 3 }),
            fc
                .array(fc.tuple(fc.constantFrom(...keys), tie('value')), { maxLength: 6 })
                .map((entries) => Object.fromEntries(entries)),
        ),
    })).value;

    it('give samples or a UserError, and change no prototype', async () => {
        const formats = [
            'plain',
            'general',
            'code-contests',
            'code-contests-plus',
            'common-oj',
            'taco-apps',
            'live-code-bench',
        ];
        await fc.assert(
            fc.asyncProperty(
                fc.array(value, { maxLength: 3 }),
                fc.constantFrom(...formats, undefined),
                async (rows, format) => {
                    const folder = await folderWith({ 'a.jsonl': jsonLines(rows) });
                    try {
                        const dataset = await openOne(
                            join(folder, 'a.jsonl'),
                            format === undefined ? {} : { format },
                        );
                        for (const indexed of await indexOf(dataset)) await dataset.load(indexed);
                    } catch (error) {
                        expect(error).toBeInstanceOf(UserError);
                        expect((error as UserError).message).not.toContain('\n');
                    }
                    expect(Object.keys(Object.prototype)).toEqual([]);
                },
            ),
            { numRuns: runs(300) },
        );
    });
});
