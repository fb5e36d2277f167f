import type { Checkpoint } from '../../model/checkpoint.js';
import { briefTasksOfCheckpoint, buildRecords } from '../../results/collect/checkpoint-records.js';
import { joinBriefRecords, joinRecords } from '../../results/record/lines.js';
import { unreachable } from '../../util/unreachable.js';
import type { ReadFile } from './checkpoint-reader.js';

/** Which fields lines of records hold: all, or those that most rates are made of. */
export type LineFields = 'all' | 'brief';

/** A result file's records. */
export interface CheckpointLines extends ReadFile {
    /** A JSON line of each, with its line break; '' where it has none. */
    readonly lines: string;
    /** The first success rate of tools that was taken as per cent. */
    readonly percent: number | null;
}

/**
 * @param run id for files that hold none
 * @throws RecordError if a value fits no record
 */
export function linesOfCheckpoint(checkpoint: Checkpoint, run: string, fields: LineFields): CheckpointLines {
    const { id, origin } = checkpoint;
    let percent: number | null = null;
    switch (fields) {
        case 'brief': {
            const records = Array.from(briefTasksOfCheckpoint(checkpoint, run), ({ record }) => record);
            return { id, origin, lines: joinBriefRecords(records), percent };
        }
        case 'all': {
            const records = Array.from(
                buildRecords(checkpoint, run, (rate) => {
                    percent ??= rate;
                }),
            );
            return { id, origin, lines: joinRecords(records), percent };
        }
        default:
            return unreachable(fields);
    }
}
