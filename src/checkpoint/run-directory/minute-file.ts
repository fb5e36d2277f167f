import { readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** A text that is read and replaced as a whole. Losing it costs no result, so neither call throws. */
export interface MinuteFile {
    /** Null: there is none. */
    read(): string | null;
    write(text: string): void;
}

/**
 * `minute.json` in a checkpoints folder, with a name of its own for each shard: what was sent to services in the last minute, for a
 * start that comes within it. Synchronous, since a request waits for it, and not synced: after a power cut more than a minute passes.
 */
export function openMinuteFile(checkpoints: string, shard: number | null): MinuteFile {
    const path = join(checkpoints, shard === null ? 'minute.json' : `minute.${shard}.json`);
    return {
        read: () => {
            try {
                return readFileSync(path, 'utf8');
            } catch {
                return null;
            }
        },
        write: (text) => {
            try {
                writeFileSync(`${path}.tmp`, text);
                renameSync(`${path}.tmp`, path);
            } catch {
                // A disk that is full stops the run where results are lost, not here.
            }
        },
    };
}
