import { spawnSync } from 'node:child_process';
import { deflateSync } from 'node:zlib';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { looksPacked, unpackText } from '../../src/dataset/packed-text.js';

const pack = (pickle: Uint8Array): string => deflateSync(pickle).toString('base64');

/** `pickle.dumps(value, protocol)` of Python itself, packed. */
function pickled(expression: string, protocol: number): string {
    const code = `import pickle,zlib,base64,sys,os;sys.stdout.write(base64.b64encode(zlib.compress(pickle.dumps(${expression},protocol=${protocol}))).decode())`;
    const { stdout, status } = spawnSync('python3', ['-c', code], { encoding: 'utf8' });
    expect(status).toBe(0);
    return stdout;
}

describe('packed texts', () => {
    it.each([2, 3, 4, 5])('are read as Python writes them, protocol %i', (protocol) => {
        for (const [expression, text] of [
            ['""', ''],
            ['"[1, \\u00e4]"', '[1, ä]'],
            ['"x" * 300', 'x'.repeat(300)],
            ['"x" * 200000', 'x'.repeat(200_000)],
        ] as const) {
            const packed = pickled(expression, protocol);
            expect(looksPacked(packed)).toBe(true);
            expect(unpackText(packed)).toEqual({ kind: 'text', text });
        }
    });

    it.each(['["x"]', '{"a": "b"}', '1', 'b"bytes"', 'os.system', '("x", "y")', 'None', '"\\ud800"'])(
        'of another shape are refused: %s',
        (expression) => {
            for (const protocol of [0, 2, 4]) {
                const result = unpackText(pickled(expression, protocol));
                expect(result).toMatchObject({ kind: 'refused' });
            }
        },
    );

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
