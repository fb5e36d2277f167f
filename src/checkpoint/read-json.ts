import { constants } from 'node:fs';
import { open } from 'node:fs/promises';
import type { Json } from '../model/json.js';
import { readReason, withDescriptors } from '../util/io-error.js';
import { parseBytes } from './read-file.js';

/** Reads a small JSON file that somebody else wrote. Never waits for a pipe, never throws. */
export async function readJson(
    path: string,
): Promise<{ readonly value: Json } | { readonly problem: string }> {
    try {
        const handle = await withDescriptors(() => open(path, constants.O_RDONLY | constants.O_NONBLOCK));
        try {
            if (!(await handle.stat()).isFile()) return { problem: 'not a file' };
            return parseBytes(await handle.readFile());
        } finally {
            await handle.close();
        }
    } catch (error) {
        return { problem: readReason(error) };
    }
}
