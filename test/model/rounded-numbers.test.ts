import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { hasNumberTexts, parseExactJson } from '../../src/model/exact-json.js';
import { fingerprintSample, fingerprintRounded } from '../../src/model/fingerprint.js';
import type { Json } from '../../src/model/json.js';
import type { DataInput } from '../../src/model/sample.js';

const inputOf = (text: string): DataInput => ({
    kind: 'data',
    data: JSON.parse(text) as Json,
    ...(hasNumberTexts(parseExactJson(text)) ? { text } : {}),
});

const fingerprintOf = (input: DataInput): string => {
    const sample = { id: 's', origin: 's', groups: { it: [input] }, judging: null, skip: null };
    return fingerprintSample(sample, 'command')['it']?.[0] ?? '';
};

const asBefore = (text: string): string => fingerprintOf({ kind: 'data', data: JSON.parse(text) as Json });

describe('fingerprints of tasks with numbers that a double changes', () => {
    it.each(['{"x":1.0}', '{"x":1e2,"y":[0.10,-0]}', '{"x":1E+21}', '[]', '9007199254740992'])(
        'stay those of 0.1 where the value is the same: %s',
        (text) => {
            expect(fingerprintOf(inputOf(text))).toBe(asBefore(text));
            expect(fingerprintRounded(inputOf(text), 'command')).toBeNull();
        },
    );

    it.each(['{"seed":9007199254740993}', '[1e400]', '[1e-400]'])(
        'are new ones where it is not, and know the old one: %s',
        (text) => {
            expect(fingerprintOf(inputOf(text))).not.toBe(asBefore(text));
            expect(fingerprintRounded(inputOf(text), 'command')).toBe(asBefore(text));
        },
    );

    it('are golden', () => {
        expect(fingerprintOf(inputOf('{"seed":9007199254740993,"f":1.0}'))).toMatchInlineSnapshot(
            `"v1-sha256-4c366d936282b92d7b535a1236aa4f14ab76dd27014d16808f898722498671a0"`,
        );
        expect(fingerprintOf(inputOf('[1e400]'))).toMatchInlineSnapshot(
            `"v1-sha256-27b67588967c5eadd854a7219a9a4b352bfaa7be1330dd52bd9faddb96687133"`,
        );
    });

    it('take the value, not how it is written', () => {
        expect(fingerprintOf(inputOf('[1e400, 2]'))).toBe(fingerprintOf(inputOf('[10.0e399,2.0]')));
    });

    it('tell any two integers apart', () => {
        const integer = fc.bigInt({ min: -(2n ** 70n), max: 2n ** 70n });
        fc.assert(
            fc.property(integer, fc.constantFrom(-1n, 1n), (one, step) => {
                const texts = [`{"seed":${one}}`, `{"seed":${one + step}}`];
                const [first, second] = texts.map((text) => fingerprintOf(inputOf(text)));
                expect(first).not.toBe(second);
            }),
        );
    });
});
