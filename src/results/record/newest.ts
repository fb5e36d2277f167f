import { digestKey, type RecordVersion } from './record.js';

/**
 * Each key once, at its highest revision, where sources may hold copies of one another. Reads them twice, and holds a key's
 * digest for each record.
 */
export async function* keepNewest<T extends RecordVersion>(
    read: () => AsyncIterable<readonly T[]>,
): AsyncGenerator<readonly T[]> {
    const newest = new Map<string, number>();
    for await (const records of read()) {
        for (const record of records) {
            const key = digestKey(record).toString('latin1');
            newest.set(key, Math.max(newest.get(key) ?? 0, record.revision));
        }
    }
    for await (const records of read()) {
        yield records.filter((record) => {
            const key = digestKey(record).toString('latin1');
            return newest.get(key) === record.revision && newest.delete(key);
        });
    }
}
