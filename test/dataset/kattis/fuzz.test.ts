import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { readAnnotatedVerdicts, readSubmissionSettings } from '../../../src/dataset/kattis/expected.js';
import { splitFlags } from '../../../src/dataset/kattis/flags.js';
import { isPython2 } from '../../../src/dataset/kattis/languages.js';
import { readProblemYaml, readTimeLimitText } from '../../../src/dataset/kattis/problem-yaml.js';
import { parseYaml, parseYamlAsWritten } from '../../../src/dataset/kattis/yaml-file.js';
import { VERDICTS } from '../../../src/model/verdict.js';
import { UserError } from '../../../src/util/user-error.js';
import { runs } from '../../rig/long.js';
import { patience } from '../../rig/slowness.js';

/** Runs an action that may only fail with a UserError of one line. */
function attempt(action: () => unknown): void {
    try {
        action();
    } catch (error) {
        expect(error).toBeInstanceOf(UserError);
        expect((error as UserError).message).not.toContain('\n');
    }
    expect(Object.keys(Object.prototype)).toEqual([]);
}

const KEYS = [
    'limits',
    'time_limit',
    'memory',
    'time_multipliers',
    'ac_to_time_limit',
    'validation',
    'validator_flags',
    'type',
    'languages',
    'constants',
    'problem_format_version',
    '__proto__',
    'permitted',
    'required',
    'language',
    'accepted/*',
    '{a,b',
];
const VALUES = [
    '',
    '1',
    '-1',
    '.inf',
    '.nan',
    'custom',
    '[1, a]',
    '{a: 1}',
    '&x [*x]',
    '!!binary x',
    '2025-09',
    '~',
    '"',
    '[AC]',
    '2001-01-01',
];

const yamlText = fc
    .array(fc.tuple(fc.nat({ max: 2 }), fc.constantFrom(...KEYS), fc.constantFrom(...VALUES)), {
        maxLength: 12,
    })
    .map((lines) => lines.map(([depth, key, value]) => `${'  '.repeat(depth)}${key}: ${value}\n`).join(''));

describe('settings of packages', () => {
    it('fail by one clear line, whatever they are', () => {
        fc.assert(
            fc.property(fc.oneof(yamlText, fc.string()), (text) => {
                attempt(() =>
                    readProblemYaml(
                        parseYaml(text, 'p/problem.yaml'),
                        parseYamlAsWritten(text, 'p/problem.yaml'),
                    ),
                );
                attempt(() => readSubmissionSettings(parseYaml(text, 'p/submissions.yaml'), 'accepted/a.py'));
            }),
            { numRuns: runs(500) },
        );
    });

    it('do not grow by aliases of aliases', () => {
        const bomb = `a: &a [x,x,x,x,x,x,x,x,x]\n${['b', 'c', 'd', 'e', 'f', 'g', 'h', 'i']
            .map(
                (name, i) =>
                    `${name}: &${name} [${Array.from({ length: 9 }, () => `*${'abcdefgh'[i]}`).join(',')}]`,
            )
            .join('\n')}\n`;
        expect(() => parseYaml(bomb, 'p/problem.yaml')).toThrow(UserError);
    });

    it('are refused where they nest so deeply that reading them would end the process', () => {
        for (const bomb of ['['.repeat(9_000) + ']'.repeat(9_000), '{a: '.repeat(9_000), '- '.repeat(9_000)])
            expect(() => parseYaml(bomb, 'p/problem.yaml')).toThrow(
                'p/problem.yaml: maps and lists are nested in each other more than 100 times',
            );
        expect(parseYaml(`a: ${'['.repeat(80)}${']'.repeat(80)}`, 'p/problem.yaml').value).toBeTypeOf(
            'object',
        );
        expect(() => parseYaml('a: 1\nb: "\\q', 'p/problem.yaml')).toThrow(/ at line 2, column \d+$/);
    });

    it('read flags, limits and comments of any text', () => {
        fc.assert(
            fc.property(fc.string(), (text) => {
                for (const flag of splitFlags(text)) expect(typeof flag).toBe('string');
                const seconds = readTimeLimitText(text);
                expect(seconds === null || seconds > 0).toBe(true);
                for (const verdict of readAnnotatedVerdicts(`// @EXPECTED_RESULTS@: ${text}`) ?? [])
                    expect(VERDICTS).toContain(verdict);
            }),
        );
    });
});

describe('Python 2', () => {
    it.each([
        'print "hello"',
        'x = raw_input()\n',
        'for i in xrange(10): pass',
        'if x: print x, y',
        'import sys\nprint >>sys.stderr, "x"',
        '#!/usr/bin/python2\nprint(1)',
        'print -1',
    ])('is told by %j', (source) => {
        expect(isPython2(source)).toBe(true);
    });

    it.each([
        'print("hello")',
        'print ("hello")',
        '"""\nprint x\n"""\nprint(1)',
        '# print x\nprint(1)',
        'def raw_input():\n    return input()\nraw_input()',
        'xrange = range\nfor i in xrange(3): print(i)',
        '#!/usr/bin/env python3\nprint = 3',
        "s = 'print x'",
        'print = sys.stdout.write',
        'from six.moves import xrange\nfor i in xrange(3): pass',
        'try:\n    input = raw_input\nexcept NameError:\n    pass',
    ])('is not told by %j', (source) => {
        expect(isPython2(source)).toBe(false);
    });

    it.each([' ', 'x:', 'print ', 'raw_input ', '"""', "'''x", 'import '])(
        'takes no time over %j many times',
        (part) => {
            const started = performance.now();
            expect(isPython2(part.repeat(100_000))).toBe(false);
            expect(performance.now() - started).toBeLessThan(patience(1000));
        },
    );
});
