import { rm } from 'node:fs/promises';
import { basename, join } from 'node:path';
import type { DurableWriter } from '../../host/durable-write.js';
import { readBytes } from '../../host/open-file.js';
import { digestKey } from '../record/record.js';
import { KEY_ENTRY_BYTES, RecordKeys } from '../record/record-keys.js';
import type { PartInfo } from './manifest.js';
import { loadCodec, PartError } from './part-codec.js';

/*
 * keys/<part>.keys2 holds the keys of a part in row order, so that a start need not read the parts. It is a cache: a file that is
 * missing or has the wrong length is rebuilt from the part.
 */

export const KEYS = 'keys';

/** Suffix of the file with a part's sums, which tree/part-cells.ts keeps in the same folder. */
export const CELLS_SUFFIX = '.cells.json';

/** Must change with the way digests are computed: otherwise the old ones would be taken for those of other records. */
const SUFFIX = '.keys2';
const EARLIER_SUFFIX = '.keys';

const keyFile = (part: PartInfo, suffix = SUFFIX): string => `${basename(part.path)}${suffix}`;

/** @param writer for the `keys` folder. @throws WriteError */
export async function writeKeys(writer: DurableWriter, part: PartInfo, keys: RecordKeys): Promise<void> {
    await writer.write(keyFile(part), [keys.bytes]);
}

/** @throws PartError if the part had to be read and is damaged */
export async function readKeys(dir: string, part: PartInfo): Promise<RecordKeys> {
    const bytes = await readBytes(join(dir, KEYS, keyFile(part))).catch(() => null);
    return bytes?.length === part.records * KEY_ENTRY_BYTES
        ? new RecordKeys(bytes)
        : await readKeysOfPart(dir, part);
}

/** Reads the keys from the part itself. @throws PartError if it is damaged */
export async function readKeysOfPart(dir: string, part: PartInfo): Promise<RecordKeys> {
    const keys = new RecordKeys();
    const codec = await loadCodec(part.codec);
    for await (const records of codec.readRecords(join(dir, part.path)))
        for (const record of records) keys.push(digestKey(record), record.revision);
    if (keys.count !== part.records)
        throw new PartError(part.path, `expected ${part.records} records, found ${keys.count}`);
    return keys;
}

/** Removes everything that is cached about a part. */
export async function removeKeys(dir: string, part: PartInfo): Promise<void> {
    for (const name of [SUFFIX, EARLIER_SUFFIX, CELLS_SUFFIX].map((suffix) => keyFile(part, suffix)))
        await rm(join(dir, KEYS, name), { force: true }).catch(() => undefined);
}
