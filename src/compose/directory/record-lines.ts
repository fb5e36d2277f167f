import { readRunFile } from '../../checkpoint/run-directory/run-file.js';
import { listFileKinds } from '../../host/listing.js';
import { noticeFirstPercent } from '../../results/collect/percent-notice.js';
import { ReadingThreads } from '../reading-threads.js';
import { CheckpointReader } from './checkpoint-reader.js';
import { type LineFields, linesOfCheckpoint } from './checkpoint-lines.js';
import { deriveEarlierRunId } from './directory.js';
import { CountedSamples, makeOtherNotice } from './directory-records.js';
import type { RunPaths } from './run-paths.js';

/** From so many names on threads read them: fewer are read before a thread is ready. */
const FILES_FOR_THREADS = 1000;

/** Records as JSON lines, each with its line break. */
export interface RecordLines {
    /** To be read once. @throws UserError (exit 2) if one of the files cannot be read */
    readonly text: AsyncIterable<string>;
    /** Ends the threads that read; nothing is read any more. */
    close(): Promise<void>;
}

/**
 * The records that `readCountedRecords` gives, as lines. Where there are many files threads read them, which start now, so that
 * whoever asks can make something else ready meanwhile.
 * @throws UserError (exit 2) if the directory cannot be listed
 */
export async function openCountedLines(
    place: RunPaths,
    fields: LineFields,
    onNotice: (message: string) => void,
): Promise<RecordLines> {
    const listing = await listFileKinds(place.dir);
    const threads = listing.names.length < FILES_FOR_THREADS ? null : ReadingThreads.start();
    const read = async function* (): AsyncGenerator<string> {
        const known = await readRunFile(place.checkpoints);
        const run = (await deriveEarlierRunId(place, known, listing.names)) ?? '';
        const readers = threads?.readersOf({ dir: place.dir, run, fields }) ?? null;
        const reader = new CheckpointReader(place, {
            convert: (checkpoint) => linesOfCheckpoint(checkpoint, run, fields),
            onOther: makeOtherNotice(onNotice),
            readers,
        });
        const onPercent = noticeFirstPercent(onNotice);
        const counted = await CountedSamples.read(place, onNotice);
        for await (const files of reader.read(listing, false)) {
            const kept = files.filter(({ id, lines }) => lines !== '' && counted.has(id));
            for (const { id, percent } of kept)
                if (percent !== null) onPercent(`${place.dir}: ${id}`, percent);
            if (kept.length > 0) yield kept.map(({ lines }) => lines).join('');
        }
        counted.tellRemoved();
    };
    return { text: read(), close: async () => await threads?.close() };
}
