import { renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { readRegularFile } from '../../util/regular-file.js';

/** A text that is read and replaced as a whole. Losing it costs no result, so neither call throws. */
export interface MinuteFile {
    /** Null if there is none. */
    read(): string | null;
    write(text: string): void;
}

/**
 * `minute.json` in a checkpoints folder, with a separate name for each shard: what was sent to services in the last minute, for a
 * start that follows within that minute. Synchronous, since a request waits for it, and not synced: a power cut takes longer than
 * a minute.
 */
export function openMinuteFile(checkpoints: string, shard: number | null): MinuteFile {
    const path = join(checkpoints, shard === null ? 'minute.json' : `minute.${shard}.json`);
    return {
        read: () => {
            try {
                return readRegularFile(path).toString('utf8');
            } catch {
                return null;
            }
        },
        write: (text) => {
            try {
                // Never write through a link or into a FIFO that someone put there.
                rmSync(`${path}.tmp`, { force: true });
                writeFileSync(`${path}.tmp`, text, { flag: 'wx' });
                renameSync(`${path}.tmp`, path);
            } catch {
                // A full disk stops the run where results would be lost, not here.
            }
        },
    };
}
