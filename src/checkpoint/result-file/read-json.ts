import { openFile } from '../../host/open-file.js';
import type { Json } from '../../model/json.js';
import { readReason } from '../../util/io-error.js';
import { parseBytes } from './read-file.js';

/** Reads a small JSON file that another program wrote. Never waits for a pipe, never throws. */
export async function readJson(
    path: string,
): Promise<{ readonly value: Json } | { readonly problem: string }> {
    try {
        const handle = await openFile(path);
        try {
            return parseBytes(await handle.readFile());
        } finally {
            await handle.close();
        }
    } catch (error) {
        return { problem: readReason(error) };
    }
}
