import { describe, expect, it } from 'vitest';
import { digest, fingerprintSample } from '../../../src/model/fingerprint.js';
import { load, program } from './package-rig.js';

/** Fingerprints of the one submission, by the feature that the problem adds. Never change one. */
const GOLDEN: Readonly<Record<string, string>> = {
    passes: 'v1-sha256-7b4b43a93d50818c3113b6617c6498e12b5624417ce13ef7a99ace4c8399ea6d',
    'interactive passes': 'v1-sha256-9a088e31f171e0c1eaab072d5a6106bf755db51d59d62b3eb65887b3aad27e38',
    'arguments and files': 'v1-sha256-0896e0956cf3340a2ce87920ea5f0c16d9cd937c298f9d50bda09ba71f145d21',
    source: 'v1-sha256-b751cab0554ca8e851911b1a466609e19fd51bb8a1bb3a27d995efaabbfe80a1',
    'two validators': 'v1-sha256-2aa6b5a5f83590c2b58545477c0c3e4701d954d0f45faea8765ed08228b3237f',
};

describe('a problem package', () => {
    it('gives tests, groups and limits', async () => {
        const sample = await load({
            '.timelimit': '2\n',
            'submissions/wrong_answer/zero.cpp': 'int main(){}',
        });
        expect(
            sample.judging?.tests.map((test) => [test.name, test.input.digest, test.output.digest]),
        ).toEqual([
            ['sample/1', digest('1 2\n'), digest('3\n')],
            ['secret/1', digest('5 6\n'), digest('11\n')],
        ]);
        expect(sample.judging).toMatchObject({
            checker: { kind: 'kattis', flags: [] },
            limits: { time: 2, memory: null, output: null },
            limitPolicy: 'own',
            computedLimit: null,
        });
        expect(Object.entries(sample.groups).map(([group, tasks]) => [group, tasks.length])).toEqual([
            ['solution', 1],
            ['incorrect_solution', 1],
        ]);
        expect(program(sample, 'wrong_answer/zero.cpp')).toMatchObject({
            language: 'CPP',
            expected: ['WrongAnswer'],
        });
    });

    it.each([
        ['limits: {time_multiplier: 3, memory: 512, output: 16}', null, 3, 512, 16],
        ['', null, 5, null, null],
        ["problem_format_version: '2025-09'\n", null, 2, null, null],
        [
            'problem_format_version: 2025-09\nlimits: {time_multipliers: {ac_to_time_limit: 1.5}}',
            null,
            1.5,
            null,
            null,
        ],
        ['problem_format_version: 2023-07-draft\nlimits: {time_limit: 2.5}', 2.5, 2, null, null],
    ])('reads limits: %j', async (yaml, time, multiplier, memory, output) => {
        const { judging } = await load({ 'problem.yaml': yaml });
        const mib = (value: number | null): number | null => (value === null ? null : value * 1024 * 1024);
        expect(judging?.limits).toEqual({ time, memory: mib(memory), output: mib(output) });
        expect(judging?.computedLimit).toEqual(
            time === null ? { group: 'solution', multiplier, atLeast: 1, resolution: 1 } : null,
        );
    });

    it('reads the limit of domjudge-problem.ini', async () => {
        const { judging } = await load({ 'domjudge-problem.ini': "color='#fff'\ntimelimit='7'\n" });
        expect(judging?.limits.time).toBe(7);
    });

    it('orders tests part by part and inherits flags by folder', async () => {
        const { judging } = await load({
            'problem.yaml': 'validator_flags: case_sensitive\n',
            'data/secret/testdata.yaml': 'output_validator_flags: float_tolerance 1e-6\n',
            'data/secret/b/2.in': '',
            'data/secret/b/2.ans': '',
            'data/secret/a/10.in': '',
            'data/secret/a/10.ans': '',
            'data/secret/a/testdata.yaml': 'on_reject: continue\noutput_validator_flags: ""\n',
            'data/secret/1.yaml': 'output_validator_args: [x y, "z"]\n',
            'data/bad/9.in': '',
        });
        expect(judging?.checker).toEqual({ kind: 'kattis', flags: ['case_sensitive'] });
        expect(judging?.tests.map((test) => [test.name, test.checkerFlags])).toEqual([
            ['sample/1', null],
            ['secret/1', ['x y', 'z']],
            ['secret/a/10', null],
            ['secret/b/2', ['float_tolerance', '1e-6']],
        ]);
    });

    it.each([
        ['validation: custom interactive', 'its output validator is missing'],
        ['validation: custom', 'its output validator is missing'],
    ])('skips what cannot be judged: %s', async (yaml, reason) => {
        expect((await load({ 'problem.yaml': yaml })).skip).toContain(reason);
    });

    it.each([
        [{ 'data/secret/2.in': '' }, 'secret/2 has no .ans'],
        // A copy of the package without its large files.
        [{ 'data/secret/2.in': '', 'data/secret/2.ans': '', 'data/secret/3.ans': '' }, 'secret/3 has no .in'],
        [
            { 'data/secret/test_group.yaml': 'static_validation_score: pass-fail' },
            'static validator is missing',
        ],
    ])('skips problems with tests that cannot be given: %j', async (files, reason) => {
        expect((await load({ ...files })).skip).toContain(reason);
    });

    it('knows interactive problems, and has fingerprints of their own for them', async () => {
        const validator = { 'output_validators/talk.py': 'import sys\nsys.exit(42)\n' };
        const talking = await load({ ...validator, 'problem.yaml': 'validation: custom interactive' });
        const silent = await load({ ...validator, 'problem.yaml': 'validation: custom' });
        expect([talking.skip, talking.judging?.interactive]).toEqual([null, true]);
        expect(silent.judging?.interactive).toBeUndefined();
        expect(fingerprintSample(talking, '')['solution']).toEqual([
            'v1-sha256-5962831ccef76e703a838e6bf8395e0edadd189490efc3b115668e96562ca198',
        ]);
        expect(fingerprintSample(silent, '')).not.toEqual(fingerprintSample(talking, ''));
    });

    it.each([
        [
            'passes',
            { 'problem.yaml': 'validation: custom multi-pass', 'output_validators/v.py': '' },
            { passes: 2 },
        ],
        [
            'interactive passes',
            {
                'problem.yaml':
                    'problem_format_version: 2025-09\ntype: [interactive, multi-pass]\nlimits: {validation_passes: 5}',
                'output_validator/v.py': '',
            },
            { passes: 5, interactive: true },
        ],
        [
            'arguments and files',
            {
                'data/sample/test_group.yaml': 'args: [-v]',
                'data/secret/1.yaml': 'args: ["-x", "a b"]',
                'data/secret/1.files/deep/a.in': 'text',
            },
            {
                tests: [
                    { name: 'sample/1', args: ['-v'] },
                    { name: 'secret/1', args: ['-x', 'a b'], files: [{ name: 'deep/a.in' }] },
                ],
            },
        ],
        [
            'source',
            {
                'problem.yaml': 'problem_format_version: 2025-09\n',
                'data/secret/test_group.yaml':
                    'static_validation_score: pass-fail\nstatic_validator_args: [short]',
                'static_validator/check.py': '',
            },
            {
                tests: [
                    { name: 'sample/1' },
                    { name: 'secret/(source)', staticFlags: ['short'] },
                    { name: 'secret/1' },
                ],
                staticValidator: { language: 'PYTHON3' },
            },
        ],
    ])(
        'knows tests by their %s, and has fingerprints of their own for them',
        async (what, files, judging) => {
            const sample = await load(files);
            expect(sample).toMatchObject({ skip: null, judging });
            expect(fingerprintSample(sample, '')['solution']).toEqual([GOLDEN[what]]);
        },
    );

    it('takes answers for submissions where the problem asks for them', async () => {
        const sample = await load({
            'problem.yaml': 'problem_format_version: 2025-09\ntype: submit-answer',
            'submissions/accepted/all/1.out': '11\n',
            'submissions/wrong_answer/none/1.out': '',
        });
        expect(program(sample, 'accepted/all')).toMatchObject({
            language: 'ANSWERS',
            expected: ['Accepted'],
        });
        expect(program(sample, 'wrong_answer/none')).toMatchObject({ language: 'ANSWERS' });
        expect(program(sample, 'accepted/sum.py')).toMatchObject({ language: 'PYTHON3' });
    });

    it('says which key of problem.yaml is wrong, and which file is not YAML', async () => {
        await expect(load({ 'problem.yaml': 'limits: {memory: lots}' })).rejects.toThrow(
            /problem\.yaml: limits\.memory: expected a number, got the text "lots"/,
        );
        await expect(load({ 'problem.yaml': 'a: [1' })).rejects.toThrow(/problem\.yaml: not valid YAML/);
        await expect(load({ 'problem.yaml': '- 1' })).rejects.toThrow(/expected an object/);
    });
});

describe('its validator', () => {
    const python = '#!/usr/bin/env python3\nimport sys\nsys.exit(42)\n';

    it.each([
        [{ 'output_validators/validate.py': python }, 'PYTHON3', ['validate.py']],
        [
            {
                'output_validators/check/validate.cc': 'int main(){}',
                'output_validators/check/validate.h': '',
            },
            'CPP',
            ['validate.cc', 'validate.h'],
        ],
        [{ 'output_validators/v.cpp': 'int main(){}', 'output_validators/v.h': '' }, 'CPP', ['v.cpp', 'v.h']],
    ])('is a program: %j', async (files, language, names) => {
        const { judging, skip } = await load({
            ...files,
            'problem.yaml':
                'validation: custom\nvalidator_flags: a "b c"\nlimits: {validation_time: 9, validation_output: 20}',
        });
        expect(skip).toBeNull();
        expect(judging?.checker).toMatchObject({
            kind: 'program',
            convention: 'kattis',
            language,
            flags: ['a', 'b c'],
            time: 9,
            output: 20 * 1024 * 1024,
        });
        const checker = judging?.checker;
        expect(checker?.kind === 'program' ? checker.files.map((file) => file.name) : []).toEqual(names);
    });

    it('needs no word in problem.yaml in 2025-09, and is left out in a legacy package that asks for the default', async () => {
        const files = { 'output_validator/validate.py': python };
        const modern = await load({ ...files, 'problem.yaml': 'problem_format_version: 2025-09' });
        expect(modern.judging?.checker.kind).toBe('program');
        const legacy = await load({ 'output_validators/validate.py': python });
        expect(legacy.judging?.checker.kind).toBe('kattis');
    });

    it.each([
        [{ build: 'make' }, 'SCRIPTED', 'build'],
        [{ build: '', run: '#!/bin/sh\nexec ./check.py "$1" "$2"\n' }, 'SCRIPTED', 'build'],
        [{ run: '#!/bin/sh\nexec ./check.py "$1" "$2"\n' }, 'SCRIPTED', 'run'],
        // What a compiler left there says nothing.
        [{ run: '\u007fELF' }, 'PYTHON3', 'check.py'],
    ])(
        'is built and started by its scripts, whatever sources lie beside them: %j',
        async (scripts, language, main) => {
            const files = Object.entries({ ...scripts, 'check.py': python }).map(([name, text]) => [
                `output_validators/x/${name}`,
                text,
            ]);
            const { skip, judging } = await load({
                ...(Object.fromEntries(files) as Record<string, string>),
                'problem.yaml': 'validation: custom',
            });
            expect(skip).toBeNull();
            expect(judging?.checker).toMatchObject({ language, files: expect.anything() });
            const checker = judging?.checker;
            expect(checker?.kind === 'program' ? checker.files[0].name : null).toBe(main);
        },
    );

    it('may be built by a script of its own, and be several', async () => {
        const custom = { 'problem.yaml': 'validation: custom' };
        const scripted = await load({
            ...custom,
            'output_validators/x/build': 'make',
            'output_validators/x/Makefile': '',
        });
        expect(scripted).toMatchObject({
            skip: null,
            judging: { checker: { language: 'SCRIPTED', files: [{ name: 'build' }, { name: 'Makefile' }] } },
        });
        const several = await load({
            ...custom,
            'output_validators/x/a.py': python,
            'output_validators/y/b.py': `${python}\n`,
        });
        expect(several).toMatchObject({
            skip: null,
            judging: { checker: { files: [{ name: 'a.py' }], also: [{ files: [{ name: 'b.py' }] }] } },
        });
        expect(fingerprintSample(several, '')['solution']).toEqual([GOLDEN['two validators']]);
    });
});
