import { expect, it } from 'vitest';
import { mapFiles } from '../../src/backend/queue/stage-manifest.js';
import { listProblemPrograms } from '../../src/model/problem-programs.js';
import type { CheckerProgram, SourceFile, StagedSample } from '../../src/model/sample.js';

const file = (name: string): SourceFile => ({
    name,
    content: { path: `/here/${name}`, digest: `d-${name}` },
});
const program = (name: string): CheckerProgram => ({
    kind: 'program',
    convention: 'kattis',
    language: null,
    files: [file(`${name}.py`), file(`${name}-more.py`)],
    flags: [],
    time: null,
    memory: null,
});

/** A staged sample with every file that it can name. */
const SAMPLE: StagedSample = {
    id: 'a',
    tests: [
        {
            name: 'secret/1',
            input: '/here/1.in',
            answer: '/here/1.ans',
            checkerFlags: null,
            files: [file('table.txt')],
        },
    ],
    checker: { ...program('validate'), also: [program('second')] },
    interactor: program('talk'),
    staticValidator: program('static'),
    scoring: {
        root: { name: 'data', items: [], rules: { kind: 'domjudge' } as never },
        objective: 'max',
        best: null,
        grader: { language: 'PYTHON3', files: [file('grade.py'), file('grade-more.py')] },
    },
};

it('replaces the path of every file that a staged sample names, for workers on other machines', async () => {
    const mapped = await mapFiles(SAMPLE, {
        test: (path) => Promise.resolve(path.replace('/here/', '/there/')),
        source: (path) => Promise.resolve(path.replace('/here/', '/there/')),
    });
    expect(JSON.stringify(mapped)).toBe(JSON.stringify(SAMPLE).replaceAll('/here/', '/there/'));
});

it('names every program that a worker must be able to run', () => {
    const names = listProblemPrograms(SAMPLE).map(({ role, program }) => `${role} ${program.files[0].name}`);
    expect(names).toEqual([
        'validator validate.py',
        'validator second.py',
        'interactor talk.py',
        'static validator static.py',
        'grader grade.py',
    ]);
});
