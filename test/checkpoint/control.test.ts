import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import {
    CONTROL_FILE,
    type Control,
    readControl,
    watchControl,
    writeControl,
} from '../../src/checkpoint/run-directory/control.js';

let folder: string;
beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'resume-run-control-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const control = (concurrency: number): Control => ({ concurrency, at: '2026-01-01T00:00:00.000Z' });

it('what is written is read, and nothing else is left', async () => {
    await writeControl(folder, control(8));
    await writeControl(folder, control(9));
    expect(await readControl(folder)).toEqual(control(9));
    expect(readdirSync(folder)).toEqual([CONTROL_FILE]);
});

it.each(['', '{', 'null', '{"concurrency": 0}', '{"concurrency": "8"}', '{"concurrency": 1e999}'])(
    'a file holding %j asks for nothing',
    async (text) => {
        writeFileSync(join(folder, CONTROL_FILE), text);
        expect(await readControl(folder)).toBeNull();
    },
);

it('a missing folder is an error for the writer, nothing for the reader', async () => {
    await expect(writeControl(join(folder, 'none'), control(8))).rejects.toMatchObject({ code: 'ENOENT' });
    expect(await readControl(join(folder, 'none'))).toBeNull();
});

it('a watcher passes over what an earlier run was asked, and tells of each change', async () => {
    await writeControl(folder, control(1));
    const seen: number[] = [];
    const stop = await watchControl(folder, ({ concurrency }) => seen.push(concurrency), 5);
    await new Promise((resolve) => setTimeout(resolve, 30));
    expect(seen).toEqual([]);
    await writeControl(folder, control(2));
    await vi.waitFor(() => expect(seen).toEqual([2]));
    writeFileSync(join(folder, CONTROL_FILE), '{broken');
    await writeControl(folder, control(3));
    await vi.waitFor(() => expect(seen).toEqual([2, 3]));
    stop();
    await writeControl(folder, control(4));
    await new Promise((resolve) => setTimeout(resolve, 30));
    expect(seen).toEqual([2, 3]);
});
