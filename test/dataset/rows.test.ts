import { join } from 'node:path';
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { readJsonLines } from '../../src/dataset/rows/json-lines.js';
import { readJsonValues } from '../../src/dataset/rows/json-values.js';
import type { RawRow } from '../../src/dataset/rows/row.js';
import { UserError } from '../../src/util/user-error.js';
import { runs } from '../rig/long.js';
import { folderWith } from './rig.js';

async function collect(rows: AsyncIterable<RawRow>): Promise<RawRow[]> {
    const all: RawRow[] = [];
    for await (const row of rows) all.push(row);
    return all;
}

async function lines(content: string | Uint8Array, max?: number): Promise<RawRow[]> {
    const folder = await folderWith({ 'a.jsonl': content });
    return collect(readJsonLines(join(folder, 'a.jsonl'), max));
}

async function values(content: string | Uint8Array, max?: number): Promise<RawRow[]> {
    const folder = await folderWith({ 'a.json': content });
    return collect(readJsonValues(join(folder, 'a.json'), max));
}

const texts = (rows: readonly RawRow[]): (string | undefined)[] => rows.map((row) => row.bytes?.toString());

describe('lines of a JSONL file', () => {
    it('passes over a byte order mark, CRLF and empty lines, and tells lines and offsets', async () => {
        const rows = await lines('\uFEFF{"a":1}\r\n\r\n  \n{"b":"ü"}');
        expect(texts(rows)).toEqual(['{"a":1}\r', '{"b":"ü"}']);
        expect(rows.map(({ line, offset, length }) => ({ line, offset, length }))).toEqual([
            { line: 1, offset: 3, length: 8 },
            { line: 4, offset: 17, length: 10 },
        ]);
    });

    it('holds no row that is too long, and goes on after it', async () => {
        const rows = await lines(`${'x'.repeat(3_000_000)}\n{"b":2}\n`, 1_000_000);
        expect(rows.map((row) => [row.line, row.length, row.bytes === null])).toEqual([
            [1, 3_000_000, true],
            [2, 7, false],
        ]);
    });

    it('tells each line with its bytes and its place, whatever its neighbours hold', async () => {
        const line = fc.oneof(
            fc.string({ unit: 'binary-ascii' }),
            fc.string(),
            fc.constantFrom('', ' \t\r', 'x'.repeat(4096), 'y'.repeat(4097), 'ü'.repeat(3000)),
        );
        await fc.assert(
            fc.asyncProperty(
                fc.array(
                    line.map((text) => text.replaceAll(/\n|\uFEFF/g, '')),
                    { maxLength: 20 },
                ),
                async (all) => {
                    // Larger than one chunk, so that a line crosses the chunk's end.
                    const content = [...all, 'z'.repeat(1_100_000), ...all].map((text) =>
                        Buffer.from(`${text}\n`),
                    );
                    let offset = 0;
                    const expected: unknown[] = [];
                    for (const [position, bytes] of content.entries()) {
                        const row = bytes.subarray(0, -1);
                        const { length } = row;
                        if (!/^[ \t\r]*$/.test(row.toString())) {
                            expected.push({ line: position + 1, offset, length, hex: row.toString('hex') });
                        }
                        offset += bytes.length;
                    }
                    const rows = await lines(Buffer.concat(content));
                    const found = rows.map((row) => {
                        if (row.text !== undefined) expect(Buffer.from(row.text)).toEqual(row.bytes);
                        const { line: number, length } = row;
                        return { line: number, offset: row.offset, length, hex: row.bytes?.toString('hex') };
                    });
                    expect(found).toEqual(expected);
                },
            ),
            { numRuns: runs(10) },
        );
    });

    it('refuses UTF-16 by name', async () => {
        await expect(lines(Buffer.from('\uFEFF{}', 'utf16le'))).rejects.toThrow(/UTF-16/);
    });
});

describe('values of a JSON file', () => {
    it('finds the elements of an array wherever they begin and end', async () => {
        const rows = await values(' [\n  {"a": "]}\\"{"},\n  {"b": [1, {"c": "\\\\"}]}\n]\n');
        expect(texts(rows)).toEqual(['{"a": "]}\\"{"}', '{"b": [1, {"c": "\\\\"}]}']);
        expect(rows.map((row) => row.line)).toEqual([2, 3]);
    });

    it('takes one object, several objects, an empty array and an empty file', async () => {
        expect(texts(await values('{"a": {}}'))).toEqual(['{"a": {}}']);
        expect(texts(await values('{"a":1}\n{"b":2}\n'))).toEqual(['{"a":1}', '{"b":2}']);
        expect(await values('[]')).toEqual([]);
        expect(await values('')).toEqual([]);
    });

    it.each([
        ['[{"a":1} {"b":2}]', 'a comma'],
        ['[{"a":1},]', 'an object'],
        ['[1]', 'an object'],
        ['7', 'an array of objects'],
        ['[{}] x', 'nothing after'],
        ['[{"a":1}', 'ends inside its array'],
        ['{"a":[1}', 'ends inside the row'],
        [']', 'an array of objects'],
    ])('says what is wrong with %s', async (content, expected) => {
        await expect(values(content)).rejects.toThrow(expected);
        await expect(values(content)).rejects.toBeInstanceOf(UserError);
    });

    it('finds each row that JSON.stringify wrote, in arrays and lines, over chunk borders', async () => {
        const padding = 'p'.repeat(1024 * 1024 - 20);
        await fc.assert(
            fc.asyncProperty(
                fc.array(fc.dictionary(fc.string(), fc.jsonValue()), { maxLength: 4 }),
                async (objects) => {
                    const rows = [{ padding }, ...objects];
                    const written = rows.map((row) => JSON.stringify(row));
                    expect(texts(await values(`[${written.join(' ,\n')}]`))).toEqual(written);
                    expect(texts(await values(written.join('\n')))).toEqual(written);
                    expect(texts(await lines(written.join('\n')))).toEqual(written);
                },
            ),
            { numRuns: runs(20) },
        );
    });

    it('never fails on any bytes but by a UserError', async () => {
        await fc.assert(
            fc.asyncProperty(
                fc.array(fc.constantFrom('[', ']', '{', '}', ',', ':', '"', '\\', '1', ' ', '\n'), {
                    maxLength: 40,
                }),
                async (signs) => {
                    try {
                        await values(signs.join(''));
                    } catch (error) {
                        expect(error).toBeInstanceOf(UserError);
                    }
                },
            ),
            { numRuns: runs(200) },
        );
    });
});
