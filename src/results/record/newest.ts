import { KeyIndex } from '../store/key-index.js';
import { DIGEST_WORDS } from './record-keys.js';
import { digestKey, type RecordVersion } from './record.js';

/** Stored in place of a part number: records not yet yielded, and records already yielded. */
const WAITING = 0;
const GIVEN = 1;

/**
 * Yields each key once, at its highest revision, from sources that may hold copies of one another. Reads them twice, and keeps
 * about 50 bytes per record.
 */
export async function* keepNewest<T extends RecordVersion>(
    read: () => AsyncIterable<readonly T[]>,
): AsyncGenerator<readonly T[]> {
    const newest = new KeyIndex();
    const words = new Uint32Array(DIGEST_WORDS);
    const digest = new Uint8Array(words.buffer);
    for await (const records of read()) {
        for (const record of records) {
            digest.set(digestKey(record));
            const known = newest.get(words)?.revision ?? 0;
            if (record.revision > known) newest.set(words, 0, record.revision, WAITING, 0);
        }
    }
    for await (const records of read()) {
        yield records.filter((record) => {
            digest.set(digestKey(record));
            const known = newest.get(words);
            if (known?.revision !== record.revision || known.part === GIVEN) return false;
            newest.set(words, 0, record.revision, GIVEN, 0);
            return true;
        });
    }
}
