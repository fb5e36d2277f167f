import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
    parseScorer,
    type Scorer,
    scoreAnswer,
    formatScorer,
    type TextScorer,
} from '../../src/model/scorer.js';
import { patience } from '../rig/slowness.js';

const isTextScorer = (scorer: Scorer): scorer is TextScorer =>
    ['exact', 'contains', 'regex', 'numeric'].includes(scorer.kind);

const score = (scorer: string, answer: string, expected: string): number => {
    const parsed = parseScorer(scorer);
    if (parsed === null || !isTextScorer(parsed)) throw new Error(`no scorer of texts: ${scorer}`);
    return scoreAnswer(parsed, answer, expected);
};

describe('scoring an answer', () => {
    it.each([
        ['exact', ' Paris\n', 'paris', 1],
        ['exact', 'Paris.', 'Paris', 0],
        ['contains', 'It is PARIS, France', 'paris', 1],
        ['contains', 'Rome', 'paris', 0],
        ['regex', 'The answer is 42.', '\\b42\\b', 1],
        ['regex', '420', '\\b42\\b', 0],
        ['numeric', 'first 3, then 1,234.5', '1234.5', 1],
        ['numeric', '12,34', '34', 1],
        ['numeric:0.01', 'about 3.14', '3.1415926', 1],
        ['numeric', '3.14', '3.1415926', 0],
        ['numeric', 'no number', '1', 0],
        ['numeric', '-2e3', '-2000', 1],
        ['numeric', 'it is .5', '0.5', 1],
        ['numeric', 'about -.5', '-0.5', 1],
        ['numeric', 'version 1.2.3', '3', 1],
        ['numeric', 'that is \u22125', '-5', 1],
        ['numeric', 'NaN', '1', 0],
        // A hyphen inside a word or number is not a sign.
        ['numeric', '10-5', '5', 1],
        ['numeric', '10-5', '-5', 0],
        ['numeric', '10\u22125', '5', 1],
        ['numeric', 'between 3-5', '5', 1],
        ['numeric', '3\u20135', '5', 1],
        ['numeric', '2023-05-01', '1', 1],
        ['numeric', 'GPT-4', '4', 1],
        ['numeric', 'f(x)-5', '5', 1],
        ['numeric', '5%-7%', '7', 1],
        ['numeric', '10-.5', '0.5', 1],
        // It is a sign after white space, an operator, an opening bracket or Markdown markup.
        ['numeric', '10 = -5', '-5', 1],
        ['numeric', 'x=-5', '-5', 1],
        ['numeric', '10 -5', '-5', 1],
        ['numeric', '10*-5', '-5', 1],
        ['numeric', '10--5', '-5', 1],
        ['numeric', '**-5**', '-5', 1],
        ['numeric', '\\boxed{-5}', '-5', 1],
        ['numeric', '$-5$', '-5', 1],
        ['numeric', '-$5.00', '-5', 1],
        ['numeric', '(-5', '-5', 1],
        ['numeric', '- 5', '5', 1],
        ['numeric', '2e-3', '0.002', 1],
        ['numeric:1e9', '1e400', '1', 0],
    ])('%s of %j beside %j is %d', (scorer, answer, expected, wanted) => {
        expect(score(scorer, answer, expected)).toBe(wanted);
    });

    it('ends a pattern that backtracks for ever', () => {
        const started = performance.now();
        expect(() => score('regex', `${'a'.repeat(40)}b`, '^(a+)+$')).toThrow('cannot be used');
        expect(performance.now() - started).toBeLessThan(patience(10_000));
    });

    it('refuses what cannot be compared with', () => {
        expect(() => score('regex', 'x', '(')).toThrow('regular expression');
        expect(() => score('numeric', '1', 'one')).toThrow('is not a number');
        // Nothing is close to infinity.
        expect(() => score('numeric', '1e400', '1e400')).toThrow('is not a number');
    });

    it('reads what it writes, and nothing else', () => {
        const forms = ['exact', 'contains', 'regex', 'numeric:0.5', 'json-schema', 'json-schema:/s.json'];
        forms.push(
            'module:/m.mjs',
            'module:/m.mjs#grade',
            'model:glm-4.6',
            'model:a/b:c',
            'code',
            'code:CPP',
        );
        for (const text of [...forms, 'humaneval']) {
            const parsed = parseScorer(text);
            expect(parsed === null ? null : formatScorer(parsed)).toBe(text);
        }
        for (const text of [
            '',
            'exactly',
            'exact:1',
            'numeric:-1',
            'numeric:x',
            'numeric:',
            'module',
            'module:m#',
            'model',
            'humaneval:1',
        ]) {
            expect(parseScorer(text), text).toBeNull();
        }
    });

    it('never throws, and gives 0 or 1, for any answer', () => {
        fc.assert(
            fc.property(fc.constantFrom('exact', 'contains', 'numeric'), fc.string(), (scorer, answer) => {
                expect([0, 1]).toContain(score(scorer, answer, '7'));
            }),
        );
    });
});
