import { join } from 'node:path';
import { DurableWriter, makeDirectory } from '../../host/durable-write.js';
import { digestKey, parseRetirement, type Retirement } from '../record/record.js';
import { readLineBatches } from './json-codec.js';
import { getMessage } from '../../util/message.js';
import { type FileInfo, type Manifest, makeFileName } from './manifest.js';
import { PartError } from './part-codec.js';

/** Removed keys are remembered: a late batch must not bring them back. */
export const RETIREMENTS = 'retirements';

/** Number of lines that are encoded together. */
const LINES_AT_ONCE = 4096;

export interface RetiredKey {
    readonly digest: Buffer;
    readonly revision: number;
}

/** @throws WriteError */
export async function writeRetirements(
    dir: string,
    holder: string,
    retirements: readonly Retirement[],
): Promise<readonly { readonly info: FileInfo; readonly keys: readonly RetiredKey[] }[]> {
    if (retirements.length === 0) return [];
    const folder = join(dir, RETIREMENTS);
    await makeDirectory(folder);
    const name = makeFileName('.jsonl');
    // Encode in pieces: for a large collection the text may exceed the longest possible string.
    const pieces: Buffer[] = [];
    for (let at = 0; at < retirements.length; at += LINES_AT_ONCE) {
        const lines = retirements.slice(at, at + LINES_AT_ONCE).map((one) => `${JSON.stringify(one)}\n`);
        pieces.push(Buffer.from(lines.join('')));
    }
    await new DurableWriter(folder, holder).write(name, pieces);
    const bytes = pieces.reduce((sum, piece) => sum + piece.length, 0);
    const info = { path: `${RETIREMENTS}/${name}`, records: retirements.length, bytes };
    return [{ info, keys: retirements.map((one) => ({ digest: digestKey(one), revision: one.revision })) }];
}

/** @throws PartError if a file is damaged */
export async function* readRetirements(dir: string, manifest: Manifest): AsyncGenerator<RetiredKey> {
    for (const { path } of manifest.retirements) {
        for await (const lines of readLineBatches(join(dir, path))) {
            for (const line of lines) {
                const retirement = parseLine(join(dir, path), line);
                yield { digest: digestKey(retirement), revision: retirement.revision };
            }
        }
    }
}

function parseLine(path: string, line: string): Retirement {
    try {
        return parseRetirement(JSON.parse(line));
    } catch (error) {
        throw new PartError(path, getMessage(error), { cause: error });
    }
}
