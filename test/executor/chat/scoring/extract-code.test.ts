import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
    codeBlocks,
    extractCode,
    languageByName,
} from '../../../../src/executor/chat/scoring/extract-code.js';
import { buildProgram } from '../../../../src/executor/chat/scoring/humaneval-scorer.js';

const block = (tag: string, text: string): string => `\`\`\`${tag}\n${text}\n\`\`\`\n`;

describe('finding the program in an answer', () => {
    it.each<[string, string, string | null, string | null]>([
        ['the whole answer without a block', 'print(1)', null, 'print(1)'],
        ['nothing in an empty answer', '  \n', null, null],
        ['the only block', `Here:\n${block('python', 'print(1)')}Done.`, null, 'print(1)'],
        [
            'the longest of its language, not the example after it',
            block('py', 'def f(x):\n    return x') +
                block('python', 'f(1)') +
                block('cpp', 'int main() {return 0;} // long'),
            'PYTHON3',
            'def f(x):\n    return x',
        ],
        ['a block without a language', block('text', 'in') + block('', 'int x;'), 'CPP', 'int x;'],
        ['a block that is not closed', '```python\nprint(1)\nprint(2)', 'PYTHON3', 'print(1)\nprint(2)'],
        ['a block in tildes around backticks', '~~~python\ns = "```"\n~~~', 'PYTHON3', 's = "```"'],
        ['nothing where all blocks are of another language', block('java', 'class A {}'), 'CPP', null],
    ])('takes %s', (_, answer, language, wanted) => {
        expect(extractCode(answer, language)?.text ?? null).toBe(wanted);
    });

    it('knows languages by their usual names', () => {
        for (const [name, tag] of [
            ['C++', 'CPP'],
            ['py', 'PYTHON3'],
            ['golang', 'GO'],
            ['PYTHON3', 'PYTHON3'],
            ['cobol', null],
        ] as const)
            expect(languageByName(name)).toBe(tag);
    });

    it('finds back any block that was written', () => {
        const line = fc.stringMatching(/^[a-z ()]{0,20}$/);
        fc.assert(
            fc.property(fc.array(line, { minLength: 1 }), (lines) => {
                const text = lines.join('\n');
                expect(codeBlocks(`before\n${block('python', text)}after`)).toEqual([
                    { tag: 'python', text },
                ]);
            }),
        );
    });

    it('completes the prompt of HumanEval by a body, or by a whole function beside its imports', () => {
        const row = { prompt: 'import math\ndef f(x):\n    """Doc"""\n', test: 'T', entry_point: 'f' };
        expect(buildProgram(row, '    return x\n')).toBe(`${row.prompt}    return x\n\n\nT\n\ncheck(f)\n`);
        const whole = 'def f(x):\n    return x';
        expect(buildProgram(row, `Sure.\n${block('python', whole)}`)).toBe(
            `${row.prompt}\n${whole}\n\nT\n\ncheck(f)\n`,
        );
    });
});
