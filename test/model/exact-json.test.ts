import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
    canonicalizeExactJson,
    toExactDecimal,
    hasNumberTexts,
    losesNumbers,
    parseExactJson,
    printExactJson,
} from '../../src/model/exact-json.js';
import { patience } from '../rig/slowness.js';

const digits = fc.stringMatching(/^[0-9]{1,25}$/);
const numberText = fc
    .tuple(
        fc.constantFrom('', '-'),
        digits.map((text) => text.replace(/^0+(?=\d)/, '')),
        fc.option(digits, { nil: null }),
        fc.option(fc.tuple(fc.constantFrom('e', 'E'), fc.constantFrom('', '+', '-'), fc.nat(400)), {
            nil: null,
        }),
    )
    .map(
        ([sign, whole, fraction, exponent]) =>
            sign + whole + (fraction === null ? '' : `.${fraction}`) + (exponent?.join('') ?? ''),
    );

/** JSON text without spaces, with numbers as people write them, and strings that look like numbers. */
const jsonText = fc.letrec<{ value: string }>((tie) => ({
    value: fc.oneof(
        { depthSize: 'small' },
        numberText,
        fc.constantFrom('null', 'true', 'false'),
        fc.string().map((text) => JSON.stringify(text)),
        fc.constantFrom('"1.0"', '"\\\\"', '"\\"1.0"', '"9007199254740993"'),
        fc.array(tie('value'), { maxLength: 4 }).map((items) => `[${items.join(',')}]`),
        fc
            .uniqueArray(fc.tuple(fc.string(), tie('value')), { selector: ([key]) => key, maxLength: 4 })
            .map((pairs) => `{${pairs.map(([key, value]) => `${JSON.stringify(key)}:${value}`).join(',')}}`),
    ),
})).value;

/** Keys that look like integers come first in JavaScript objects, regardless of the order in which they were written. */
const inObjectOrder = (text: string): boolean => !/"\d+":/.test(text);

describe('exact JSON', () => {
    it('prints every number as it was written', () => {
        fc.assert(
            fc.property(jsonText.filter(inObjectOrder), (text) => {
                expect(printExactJson(parseExactJson(text))).toBe(text);
            }),
        );
    });

    it('is what JSON.parse gives, but for those numbers', () => {
        fc.assert(
            fc.property(jsonText, (text) => {
                expect(JSON.parse(printExactJson(parseExactJson(text)))).toEqual(JSON.parse(text));
                if (!hasNumberTexts(parseExactJson(text)))
                    expect(parseExactJson(text)).toEqual(JSON.parse(text));
            }),
        );
    });

    it('refuses what JSON.parse refuses', () => {
        fc.assert(
            fc.property(fc.string(), (text) => {
                const accepts = (parse: (text: string) => unknown): boolean => {
                    try {
                        parse(text);
                        return true;
                    } catch (error) {
                        expect(error).toBeInstanceOf(SyntaxError);
                        return false;
                    }
                };
                expect(accepts(parseExactJson)).toBe(accepts(JSON.parse));
            }),
        );
    });

    it('keeps keys such as __proto__ as data, and takes the last of equal keys', () => {
        const text = '{"__proto__":1.0,"a":{"constructor":2.50},"b":1e400,"b":3.0}';
        expect(printExactJson(parseExactJson(text))).toBe(
            '{"__proto__":1.0,"a":{"constructor":2.50},"b":3.0}',
        );
    });

    it.each([
        ['0', false],
        ['-0', false],
        ['1.0', false],
        ['1e2', false],
        ['0.1', false],
        ['1E+21', false],
        ['1e-7', false],
        ['9007199254740992', false],
        ['9007199254740993', true],
        ['-9223372036854775807', true],
        ['1e400', true],
        ['1e-400', true],
        ['0.10000000000000000001', true],
    ])('%s is lost in a double: %s', (text, isLost) => {
        expect(losesNumbers(parseExactJson(`[{"x":[${text}]}]`))).toBe(isLost);
    });

    it('says the same canonical decimal for equal values, however they are written', () => {
        expect(['100', '1e2', '1.00E+2', '0.1e3', '1000e-1'].map(toExactDecimal)).toEqual(
            Array.from({ length: 5 }, () => '1e2'),
        );
        expect(['0', '-0', '0.00', '0e9'].map(toExactDecimal)).toEqual(['0', '0', '0', '0']);
        expect(toExactDecimal('-12.50e3')).toBe('-125e2');
        fc.assert(
            fc.property(numberText, fc.nat(20), (text, zeros) => {
                const decimal = toExactDecimal(text);
                expect(toExactDecimal(decimal)).toBe(decimal);
                // The same value with leading zeros, and with its decimal point moved.
                const [mantissa = '', exponent = '0'] = text.toLowerCase().split('e');
                const [whole = '', fraction = ''] = mantissa.split('.');
                const longer = `${whole}.${fraction}${'0'.repeat(zeros + 1)}e${exponent}`;
                expect(toExactDecimal(longer)).toBe(decimal);
                expect(toExactDecimal(`${whole}${fraction}e${Number(exponent) - fraction.length}`)).toBe(
                    decimal,
                );
            }),
        );
    });

    it('sorts the keys of canonical text', () => {
        expect(canonicalizeExactJson(parseExactJson('{"b":1.0,"a":[true,null,"1.0",1e400]}'))).toBe(
            '{"a":[true,null,"1.0",1e400],"b":1e0}',
        );
    });

    it('reads rows with many escaped texts in time that grows with their length', () => {
        const text = `[1.0,"${'\\\\\\"'.repeat(200_000)}","${'x'.repeat(2_000_000)}"]`;
        const start = performance.now();
        expect(printExactJson(parseExactJson(text))).toHaveLength(text.length);
        expect(performance.now() - start).toBeLessThan(patience(1500));
    });
});
