import { join } from 'node:path';
import { symlink } from 'node:fs/promises';
import { describe, expect, it } from 'vitest';
import { digest } from '../../../src/model/fingerprint.js';
import { folderWith, indexOf, openOne } from '../rig.js';
import { BASE, load, program, programs } from './package-rig.js';

describe('its submissions', () => {
    it('know their language by extension, Python 2 by what it says', async () => {
        const sample = await load({
            'submissions/accepted/a.cc': '',
            'submissions/accepted/b.java': '',
            'submissions/accepted/c.kt': '',
            'submissions/accepted/d.py': 'n = int(raw_input())\nprint n\n',
            'submissions/accepted/e.py': '#!/usr/bin/python2\nprint(1)\n',
            'submissions/accepted/f.py': '#!/usr/bin/env python3\nprint(1)\n',
            'submissions/accepted/g.scala': '',
            'submissions/accepted/h.C': '',
            'submissions/accepted/notes.md': '# notes',
            'submissions/accepted/.hidden.py': '',
        });
        expect(
            sample.groups['solution']?.map((task) =>
                task.kind === 'program' ? [task.language, task.preferred ?? ''].join(' ').trim() : '',
            ),
        ).toEqual([
            'CPP',
            'JAVA',
            'KOTLIN',
            'PYTHON',
            'PYTHON',
            'PYTHON3 PYPY3',
            'SCALA',
            'CPP',
            'PYTHON3 PYPY3',
        ]);
    });

    it('may be folders, the main file first', async () => {
        const sample = await load({
            'submissions/accepted/java/Helper.java': 'class Helper {}',
            'submissions/accepted/java/Zum.java':
                'public class Zum { public static void main(String[] a) {} }',
            'submissions/accepted/py/helper.py': '',
            'submissions/accepted/py/main.py': 'import helper',
            'submissions/accepted/cpp/a.h': '',
            'submissions/accepted/cpp/b.cpp': 'void f() {}',
            'submissions/accepted/cpp/c.cpp': 'int main() {}',
        });
        const names = (name: string): string[] | undefined =>
            program(sample, name)?.files.map((file) => file.name);
        expect(names('accepted/java')).toEqual(['Zum.java', 'Helper.java']);
        expect(names('accepted/py')).toEqual(['main.py', 'helper.py']);
        expect(names('accepted/cpp')).toEqual(['c.cpp', 'a.h', 'b.cpp']);
        expect(program(sample, 'accepted/cpp')?.language).toBe('CPP');
    });

    it('are expected to get what their folder and comments say', async () => {
        const sample = await load({
            'submissions/run_time_error/a.py': '1/0',
            'submissions/time_limit_exceeded/b.py': '# @EXPECTED_RESULTS@: TIMELIMIT, WRONG-ANSWER\n',
            'submissions/wrong_answer/c.py': '# @EXPECTED_RESULTS@: CORRECT\n',
            'submissions/mixed/d.java': '/* @EXPECTED_RESULTS@: correct, timelimit */',
            'submissions/mixed/e.py': '# @EXPECTED_RESULTS@: CORRECT',
            'submissions/mine/f.py': '// @EXPECTED_RESULTS@: RUN-ERROR',
            'submissions/mine/g.py': 'unlabelled',
            'submissions/slow_accepted/h.py': '',
            'submissions/rejected/i.py': '',
            'submissions/rejected/said.py': '# @EXPECTED_RESULTS@: TIME_LIMIT_EXCEEDED',
        });
        const crashed = ['RuntimeError', 'MemoryLimitExceeded', 'OutputLimitExceeded'];
        const expected = Object.fromEntries(
            programs(sample).map((each) => [each.name?.slice(12), each.expected]),
        );
        expect(expected).toEqual({
            'accepted/sum.py': ['Accepted'],
            'run_time_error/a.py': crashed,
            'time_limit_exceeded/b.py': ['WrongAnswer', 'TimeLimitExceeded', 'OutputLimitExceeded'],
            'wrong_answer/c.py': ['WrongAnswer'],
            'mixed/d.java': ['Accepted', 'TimeLimitExceeded'],
            'mixed/e.py': ['Accepted'],
            'mine/f.py': ['MemoryLimitExceeded', 'OutputLimitExceeded', 'RuntimeError'],
            'slow_accepted/h.py': ['Accepted', 'TimeLimitExceeded'],
            'rejected/said.py': ['TimeLimitExceeded'],
            'rejected/i.py': expect.arrayContaining(['WrongAnswer', 'CompileError']) as unknown,
        });
        expect(sample.groups['solution']).toHaveLength(2);
    });

    it('obey submissions.yaml', async () => {
        const sample = await load({
            'problem.yaml': 'problem_format_version: 2025-09',
            'submissions/time_limit_exceeded/a.py': '',
            'submissions/own/b.txt2': '',
            'submissions/own/c.py': '',
            'submissions/accepted/dir/one.py': '',
            'submissions/accepted/dir/two.py': '',
            'submissions/submissions.yaml': [
                'time_limit_exceeded: {permitted: [AC, WA, TLE], required: [TLE]}',
                'own/*.py: {permitted: [AC, RTE], required: [RTE]}',
                'own:',
                'accepted/{dir,other}: {language: python3, entrypoint: two.py, authors: me}',
                '',
            ].join('\n'),
        });
        expect(program(sample, 'time_limit_exceeded/a.py')?.expected).toEqual(['TimeLimitExceeded']);
        expect(program(sample, 'own/c.py')?.expected).toContain('RuntimeError');
        expect(program(sample, 'own/c.py')?.expected).not.toContain('Accepted');
        expect(program(sample, 'accepted/dir')?.files[0].name).toBe('two.py');
    });

    it('may be links within the package, and are skipped where they lead out or nowhere', async () => {
        const sample = await load(
            {},
            {
                'submissions/time_limit_exceeded/same.py': '../accepted/sum.py',
                'submissions/accepted/out.py': '/etc/hostname',
                'submissions/accepted/gone.py': 'nowhere.py',
            },
        );
        expect(program(sample, 'time_limit_exceeded/same.py')?.files[0].content.digest).toBe(
            digest(BASE['submissions/accepted/sum.py']),
        );
        expect(program(sample, 'accepted/out.py')?.skip).toContain(
            'links to a file outside the package (/etc/hostname); name a folder that contains both',
        );
        expect(program(sample, 'accepted/gone.py')?.skip).toContain(
            'broken link (to nowhere.py); complete the copy of its repository',
        );
    });

    it('end where links go in a circle', async () => {
        const sample = await load({}, { 'data/secret/loop': '..', 'submissions/accepted/loop': '..' });
        expect(programs(sample).length).toBeGreaterThan(0);
    });

    it('get the files and constants of the problem', async () => {
        const sample = await load({
            'problem.yaml': 'problem_format_version: 2025-09\nconstants: {limit: 7}\nlanguages: [python3]',
            'include/python3/helper.py': 'LIMIT = {{limit}}',
            'submissions/accepted/a.cpp': 'int main() {}',
        });
        expect(
            program(sample, 'accepted/sum.py')?.files.map((file) => [file.name, file.content.text]),
        ).toEqual([
            ['sum.py', undefined],
            ['helper.py', 'LIMIT = 7'],
        ]);
        expect(program(sample, 'accepted/a.cpp')?.skip).toBe('the problem does not allow CPP');
    });

    it('are run by the driver in Python that the problem adds, and imports them', async () => {
        const driver = 'import sys\n  from sum import total\n';
        const mainOf = async (files: Readonly<Record<string, string>>) =>
            program(await load(files), 'accepted/sum.py')?.files[0].name;
        expect(await mainOf({ 'include/python3/grader.py': driver })).toBe('grader.py');
        expect(await mainOf({ 'include/python3/grader.py': 'import sumo\n# sum\n' })).toBe('sum.py');
        expect(await mainOf({ 'include/python3/grader.py': driver, 'include/python3/main.py': '' })).toBe(
            'main.py',
        );
    });

    it('get constants in each way that they are written', async () => {
        const sample = await load({
            'problem.yaml':
                'problem_format_version: 2025-09\nconstants: {limit: {value: 1.50, COMMA: "1,5"}, n: 10.0, on: true}',
            'submissions/accepted/sum.py': '{{limit}} {{limit.COMMA}} {{n}} {{on}} {{limit.value}} {{other}}',
        });
        expect(program(sample, 'accepted/sum.py')?.files[0].content.text).toBe(
            '1.50 1,5 10.0 true 1.50 {{other}}',
        );
    });
});

describe('a tree of packages', () => {
    it('names each by its path, and notices changes', async () => {
        const files = (name: string): Record<string, string> =>
            Object.fromEntries(Object.entries(BASE).map(([file, text]) => [`${name}/${file}`, text]));
        const folder = await folderWith({ ...files('2024/sum'), ...files('2023/sum'), 'README.md': '' });
        const dataset = await openOne(folder);
        const index = await indexOf(dataset);
        expect(index.map((each) => each.id)).toEqual(['2023/sum', '2024/sum']);
        const [first] = index;
        if (first === undefined) throw new Error('no package');
        expect((await dataset.load(first)).id).toBe('2023/sum');
        await symlink('1.in', join(folder, '2023/sum/data/secret/2.in'));
        await expect(dataset.load(first)).rejects.toThrow(/changed while it was in use; start again/);
    });
});
