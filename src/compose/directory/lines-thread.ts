import { join } from 'node:path';
import { readListedCheckpointFile } from '../../checkpoint/result-file/read-file.js';
import type { NamedFile } from './checkpoint-reader.js';
import { type CheckpointLines, type LineFields, linesOfCheckpoint } from './checkpoint-lines.js';

/*
 * What a reading thread runs: some small result files, as lines of records.
 */

export interface LinesRequest {
    readonly dir: string;
    readonly names: readonly string[];
    /** Id for files that hold none. */
    readonly run: string;
    readonly fields: LineFields;
}

export interface LinesReply {
    readonly files: readonly NamedFile<CheckpointLines>[];
    /** Names that the asker has to read: what is wrong with them, or how to read them, is told there. */
    readonly left: readonly string[];
}

export default function readLines({ dir, names, run, fields }: LinesRequest): LinesReply {
    const files: NamedFile<CheckpointLines>[] = [];
    const left: string[] = [];
    for (const name of names) {
        const file = readFile(join(dir, name), run, fields);
        if (file === null) left.push(name);
        else files.push({ name, file });
    }
    return { files, left };
}

function readFile(path: string, run: string, fields: LineFields): CheckpointLines | null {
    const read = readListedCheckpointFile(path);
    if (read?.kind !== 'checkpoint') return null;
    try {
        return linesOfCheckpoint(read.checkpoint, run, fields);
    } catch {
        // Whoever reads it again throws the same.
        return null;
    }
}
