import { mkdtempSync, readdirSync, readlinkSync, rmSync, writeFileSync } from 'node:fs';
import { open } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { RowReader } from '../../src/dataset/rows/row-reader.js';
import { runs } from '../rig/long.js';

let folder: string;
let file: string;
const SIZE = 300_000;
const bytes = Buffer.from(Array.from({ length: SIZE }, (_, at) => (at * 31 + (at >> 8)) % 256));

beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'resume-run-row-reader-'));
    file = join(folder, 'rows');
    writeFileSync(file, bytes);
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** How many descriptors of the file this process has. */
const descriptors = (): number =>
    readdirSync('/proc/self/fd').filter((fd) => {
        try {
            return readlinkSync(`/proc/self/fd/${fd}`) === file;
        } catch {
            return false; // Closed meanwhile.
        }
    }).length;

describe('a reader of rows', () => {
    it('gives the bytes of every place, side by side and in any order, fewer at the end of the file', async () => {
        const span = fc.tuple(fc.nat(SIZE), fc.oneof(fc.nat(200), fc.nat(100_000)));
        await fc.assert(
            fc.asyncProperty(fc.array(span, { maxLength: 20 }), async (spans) => {
                const reader = new RowReader(() => open(file));
                const found = await Promise.all(spans.map(([at, length]) => reader.read(at, length)));
                for (const [i, [at, length]] of spans.entries())
                    expect(found[i]?.equals(bytes.subarray(at, at + length))).toBe(true);
                reader.close();
            }),
            { numRuns: runs(40) },
        );
    });

    it('opens its file once for many rows, and closes it', async () => {
        let opened = 0;
        const reader = new RowReader(() => {
            opened += 1;
            return open(file);
        });
        for (let at = 0; at < 1000; at += 1) await reader.read(at * 100, 90);
        expect(opened).toBe(1);
        if (process.platform === 'linux') expect(descriptors()).toBe(1);
        reader.close();
        if (process.platform === 'linux') await expect.poll(descriptors).toBe(0);
        expect((await reader.read(5, 3)).equals(bytes.subarray(5, 8))).toBe(true);
        expect(opened).toBe(2);
        reader.close();
    });

    it('opens the file again after an error', async () => {
        let isBroken = true;
        const reader = new RowReader(() => (isBroken ? Promise.reject(new Error('not there')) : open(file)));
        await expect(reader.read(0, 10)).rejects.toThrow('not there');
        isBroken = false;
        expect((await reader.read(0, 10)).equals(bytes.subarray(0, 10))).toBe(true);
        reader.close();
    });
});
