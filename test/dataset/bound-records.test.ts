import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { boundRecords } from '../../src/dataset/lists/bound-records.js';
import { UserError } from '../../src/util/user-error.js';
import { runs } from '../rig/long.js';

const MIB = 1024 * 1024;

async function* piecesOf(text: string, size: number): AsyncIterable<Buffer> {
    const bytes = Buffer.from(text);
    for (let from = 0; from < bytes.length; from += size) yield bytes.subarray(from, from + size);
}

async function pass(text: string, size: number, maxBytes: number): Promise<string> {
    const passed: Buffer[] = [];
    for await (const piece of boundRecords(piecesOf(text, size), 'a.csv', maxBytes)) passed.push(piece);
    return Buffer.concat(passed).toString();
}

const cell = fc.oneof(
    fc.string({ unit: fc.constantFrom('a', ' ', 'ü'), maxLength: 6 }),
    fc
        .string({ unit: fc.constantFrom('a', '"', '\n', '\r', ','), maxLength: 6 })
        .map((text) => `"${text.replaceAll('"', '""')}"`),
);
const record = fc.array(cell, { minLength: 1, maxLength: 4 }).map((cells) => cells.join(','));

describe('the bound on rows of delimited files', () => {
    it('passes on what every row keeps, however the bytes come, and names the first row that does not', async () => {
        const records = fc.array(record, { minLength: 1, maxLength: 8 });
        await fc.assert(
            fc.asyncProperty(
                records,
                fc.integer({ min: 1, max: 9 }),
                fc.constantFrom('\n', '\r\n'),
                async (rows, size, end) => {
                    const text = rows.map((row) => row + end).join('');
                    const longest = Math.max(...rows.map((row) => Buffer.byteLength(row + end)));
                    expect(await pass(text, size, longest)).toBe(text);
                    const at = 1 + rows.join('\n').split('\n').length;
                    // In pieces of one byte, the row is found too long before its end.
                    const long = `${text}"${'x\n'.repeat(longest)}`;
                    const refused = await pass(long, 1, longest).catch((error: unknown) => error);
                    expect(refused).toBeInstanceOf(UserError);
                    expect(String(refused)).toContain(`a.csv:${at}: the row is longer than`);
                },
            ),
            { numRuns: runs(40) },
        );
    });

    it('does not hand a row that goes on without end to the parser', async () => {
        const passed: number[] = [];
        const endless = async () => {
            const source = piecesOf(`a,b\n1,"${'x'.repeat(4 * MIB)}`, 65_536);
            for await (const piece of boundRecords(source, 'a.csv', 3 * MIB)) passed.push(piece.length);
        };
        await expect(endless()).rejects.toThrow('a.csv:2: the row is longer than 3 MiB, the limit');
        expect(passed.reduce((sum, length) => sum + length, 0)).toBeLessThan(1.2 * MIB);
    });
});
