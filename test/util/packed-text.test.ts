import { spawnSync } from 'node:child_process';
import { deflateSync } from 'node:zlib';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { looksPacked, unpackText } from '../../src/util/packed-text.js';
import { PYTHON } from '../rig/servers/run-program.js';

const pack = (pickle: Uint8Array): string => deflateSync(pickle).toString('base64');

/** `pickle.dumps(value, protocol)` of Python itself, packed: every expression in every protocol, in one start of Python. */
function pickled(expressions: readonly string[], protocols: readonly number[]): readonly string[] {
    const values = expressions.map((expression) => `lambda: ${expression}`).join(', ');
    const code = [
        'import pickle, zlib, base64, os',
        `for protocol in [${protocols.join(', ')}]:`,
        `    for value in [${values}]:`,
        '        print(base64.b64encode(zlib.compress(pickle.dumps(value(), protocol=protocol))).decode())',
    ].join('\n');
    const { stdout, stderr, status } = spawnSync(PYTHON, ['-c', code], { encoding: 'utf8' });
    expect(status, stderr).toBe(0);
    const packed = stdout.trim().split('\n');
    expect(packed).toHaveLength(expressions.length * protocols.length);
    return packed;
}

describe('packed texts', () => {
    it('are read as Python writes them, in every protocol', () => {
        const texts = ['', '[1, ä]', 'x'.repeat(300), 'x'.repeat(200_000)];
        const packed = pickled(['""', '"[1, \\u00e4]"', '"x" * 300', '"x" * 200000'], [2, 3, 4, 5]);
        for (const [at, one] of packed.entries()) {
            expect(looksPacked(one)).toBe(true);
            expect(unpackText(one)).toEqual({ kind: 'text', text: texts[at % texts.length] });
        }
    });

    it('of another shape are refused', () => {
        const others = [
            '["x"]',
            '{"a": "b"}',
            '1',
            'b"bytes"',
            'os.system',
            '("x", "y")',
            'None',
            '"\\ud800"',
        ];
        for (const [at, one] of pickled(others, [0, 2, 4]).entries()) {
            expect(unpackText(one), others[at % others.length]).toMatchObject({ kind: 'refused' });
        }
    });

    it('never run what a pickle says', () => {
        const attack = Buffer.from("cos\nsystem\n(S'touch /tmp/owned'\ntR.");
        expect(unpackText(pack(attack))).toEqual({
            kind: 'refused',
            why: 'as a Python pickle of another shape, which is never unpickled',
        });
    });

    it('that grow beyond the bound are refused without being held', () => {
        const bomb = pack(Buffer.alloc(50_000_000, 'x'));
        expect(unpackText(bomb, 1_000_000)).toEqual({ kind: 'refused', why: 'larger than 1000000 bytes' });
    });

    it('of any bytes are a text or refused', () => {
        fc.assert(
            fc.property(fc.uint8Array({ maxLength: 60 }), fc.boolean(), (bytes, deflated) => {
                const text = deflated ? pack(bytes) : Buffer.from(bytes).toString('base64');
                expect(['text', 'refused']).toContain(unpackText(text).kind);
            }),
        );
    });

    it('cut or prolonged anywhere are refused', () => {
        const pickle = Buffer.concat([
            Buffer.from([0x80, 4, 0x8c, 3]),
            Buffer.from('abc'),
            Buffer.from([0x94, 0x2e]),
        ]);
        expect(unpackText(pack(pickle))).toEqual({ kind: 'text', text: 'abc' });
        for (let length = 0; length < pickle.length; length += 1) {
            expect(unpackText(pack(pickle.subarray(0, length))).kind).toBe('refused');
        }
        expect(unpackText(pack(Buffer.concat([pickle, Buffer.from('.')]))).kind).toBe('refused');
    });
});
