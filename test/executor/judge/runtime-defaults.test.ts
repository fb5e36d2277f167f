import * as fc from 'fast-check';
import { afterAll, describe, expect, it } from 'vitest';
import { findLanguages } from '../../../src/executor/judge/available.js';
import { encodeSource } from '../../../src/executor/judge/source-encoding.js';
import { probeSandbox } from '../../../src/executor/sandbox/probe.js';
import { LONG, runs } from '../../rig/long.js';
import { inWords, JudgeRig, printed } from './judging.js';

const { kind } = await probeSandbox('auto');
const { available } = await findLanguages({ overrides: {}, python2As3: false }, kind);
const rig = new JudgeRig(kind);
afterAll(() => rig.close());

const MANY_DIGITS = '7'.repeat(6000);

/** Programs that judges once accepted and that today's defaults end differently. */
const CASES: readonly (readonly [what: string, language: string, source: string, output: string])[] = [
    ['integers of many digits', 'PYTHON3', `print(int("${MANY_DIGITS}"))`, MANY_DIGITS],
    ['hashes of text', 'PYTHON3', 'import sys\nprint(sys.flags.hash_randomization)', '0'],
    [
        'bytes that are not UTF-8, read and printed',
        'PYTHON3',
        'import sys\nsys.stdout.write(sys.stdin.errors + sys.stdin.encoding)',
        'surrogateescapeutf-8',
    ],
    [
        'a promise that is rejected and never looked at',
        'JAVASCRIPT',
        'Promise.reject(new Error("no"));\nconsole.log("right");\n',
        'right',
    ],
    [
        'letters that are not ASCII',
        'JAVA',
        'public class Main { public static void main(String[] a) { System.out.println("\u00e9"); } }',
        '\u00e9',
    ],
    // Building Go's library takes half a minute of CPU time; the short form only checks that Go's setting reaches a program.
    LONG
        ? [
              'random numbers that nobody seeded',
              'GO',
              'package main\nimport ("fmt"; "math/rand")\nfunc main() { fmt.Println(rand.Intn(1000)) }\n',
              '81',
          ]
        : [
              'random numbers of Go that nobody seeded: how they are asked for',
              'PYTHON3',
              'import os\nprint(os.environ["GODEBUG"])',
              'randautoseed=0,randseednop=0',
          ],
];

describe('defaults of runtimes that judges did not have', () => {
    for (const [what, language, source, output] of CASES) {
        it.skipIf(!available.has(language))(
            `${what}, ${language} (skipped where its toolchain is missing)`,
            async () => {
                const limits = { time: 20, memory: 1024 ** 3 };
                const outcome = await rig.run({ language, source, tests: [['', output]], limits });
                expect(inWords(outcome) === 'Accepted' ? '' : printed(outcome)).toBe('');
                expect(inWords(outcome)).toBe('Accepted');
            },
        );
    }
});

describe('encodings that sources declare', () => {
    it.skipIf(!available.has('PYTHON3'))('are those of their files (skipped without python3)', async () => {
        const cyrillic = '# -*- coding: cp1251 -*-\n# \u0418\u043c\u044f\nprint(input())\n';
        const latin = "#!/usr/bin/python\n# vim: set fileencoding=latin-1 :\nprint(len('caf\u00e9'))\n";
        expect(
            inWords(await rig.run({ language: 'PYTHON3', source: cyrillic, tests: [['5\n', '5\n']] })),
        ).toBe('Accepted');
        expect(inWords(await rig.run({ language: 'PYTHON3', source: latin, tests: [['', '4\n']] }))).toBe(
            'Accepted',
        );
    });

    it.each([
        ['# coding: cp1251\n\u0418', 'PYTHON3', '23 20 63 6f 64 69 6e 67 3a 20 63 70 31 32 35 31 0a c8'],
        ['# coding=koi8-r\n\u0418', 'PYTHON', '23 20 63 6f 64 69 6e 67 3d 6b 6f 69 38 2d 72 0a e9'],
    ])('%j in %s', async (text, tag, bytes) => {
        expect((await encodeSource(text, tag)).toString('hex')).toBe(bytes.replaceAll(' ', ''));
    });

    it.each([
        ['text that the encoding cannot hold', '# coding: latin-1\n\u0418', 'PYTHON3'],
        ['an unknown encoding', '# coding: klingon\n\u00e9', 'PYTHON3'],
        ['a declaration in the third line', '#\n#\n# coding: latin-1\n\u00e9', 'PYTHON3'],
        ['a declaration after code', 'x = 1\n# coding: latin-1\n\u00e9', 'PYTHON3'],
        ['a byte order mark', '\ufeff# coding: latin-1\n\u00e9', 'PYTHON3'],
        ['a language that declares nothing', '// coding: latin-1\n\u00e9', 'CPP'],
        ['UTF-8', '# coding: utf-8\n\u00e9', 'PYTHON3'],
    ])('stay UTF-8: %s', async (_, text, tag) => {
        expect((await encodeSource(text, tag)).equals(Buffer.from(text))).toBe(true);
    });

    it('never lose a character', async () => {
        const encodings = ['latin-1', 'cp1251', 'gbk', 'shift_jis', 'euc-kr', 'cp866', 'iso-8859-15'];
        await fc.assert(
            fc.asyncProperty(
                fc.constantFrom(...encodings),
                fc.string({ unit: 'grapheme' }),
                async (name, rest) => {
                    const text = `# coding: ${name}\n${rest}`;
                    const bytes = await encodeSource(text, 'PYTHON3');
                    const { default: iconv } = await import('iconv-lite');
                    expect([iconv.decode(bytes, name), bytes.toString('utf8')]).toContain(text);
                },
            ),
            { numRuns: runs(200) },
        );
    });
});
