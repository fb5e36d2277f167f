import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { unpackChunks } from '../../src/dataset/packed/unpack.js';
import { tempDir } from '../rig/cli.js';

const BLOCK = 128 * 1024;

/** A Zstandard frame in which every 4 bytes unpack to 128 KiB of one letter. */
function packRepeated(blocks: number, letter: string): Buffer {
    const header = Buffer.from([0x28, 0xb5, 0x2f, 0xfd, 0x00, 0x38]);
    const body = Buffer.alloc(blocks * 4);
    for (let at = 0; at < blocks; at += 1) {
        const isLast = at === blocks - 1;
        // Last block, type 1 (one byte, repeated), length.
        body.writeUIntLE(Number(isLast) | (1 << 1) | (BLOCK << 3), at * 4, 3);
        body.write(letter, at * 4 + 3);
    }
    return Buffer.concat([header, body]);
}

it('holds little of a file that unpacks to 32,000 times its size', async () => {
    const file = join(tempDir(), 'rows.jsonl.zst');
    const blocks = 4000;
    await writeFile(file, packRepeated(blocks, '\n'));
    const before = process.memoryUsage().arrayBuffers;
    let most = 0;
    let bytes = 0;
    let chunks = 0;
    for await (const chunk of unpackChunks(file, 'zstd')) {
        bytes += chunk.bytes.length;
        chunks += 1;
        // Measuring memory takes longer than a chunk.
        if (chunks % 50 !== 1) continue;
        most = Math.max(most, process.memoryUsage().arrayBuffers - before);
    }
    expect(bytes).toBe(blocks * BLOCK);
    expect(most).toBeLessThan(128 * 1024 * 1024);
});
