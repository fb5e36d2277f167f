import { rm } from 'node:fs/promises';
import { basename, join } from 'node:path';
import type { DurableWriter } from '../../host/durable-write.js';
import { readBytes } from '../../host/open-file.js';
import { digestKey } from '../record/record.js';
import { KEY_ENTRY_BYTES, RecordKeys } from '../record/record-keys.js';
import type { PartInfo } from './manifest.js';
import { loadCodec, PartError } from './part-codec.js';

/*
 * keys/<part>.keys2 holds the keys of a part in the order of its rows, so that a start need not read the parts. It is a
 * cache: a missing one, or one of another length, is made again from the part.
 */

export const KEYS = 'keys';

/** Ends the name of a part's sums, which tree/part-cells.ts keeps there too. */
export const CELLS_SUFFIX = '.cells.json';

/** Another one for every way of making digests: those of another way would be taken for other records. */
const SUFFIX = '.keys2';
const EARLIER_SUFFIX = '.keys';

const keyFile = (part: PartInfo, suffix = SUFFIX): string => `${basename(part.path)}${suffix}`;

/** @param writer for the folder `keys`. @throws WriteError */
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

/** From the part itself. @throws PartError if it is damaged */
export async function readKeysOfPart(dir: string, part: PartInfo): Promise<RecordKeys> {
    const keys = new RecordKeys();
    const codec = await loadCodec(part.codec);
    for await (const records of codec.readRecords(join(dir, part.path)))
        for (const record of records) keys.push(digestKey(record), record.revision);
    if (keys.count !== part.records)
        throw new PartError(part.path, `expected ${part.records} records, found ${keys.count}`);
    return keys;
}

/** Removes what is cached about a part. */
export async function removeKeys(dir: string, part: PartInfo): Promise<void> {
    for (const name of [SUFFIX, EARLIER_SUFFIX, CELLS_SUFFIX].map((suffix) => keyFile(part, suffix)))
        await rm(join(dir, KEYS, name), { force: true }).catch(() => undefined);
}
