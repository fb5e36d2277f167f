import { join } from 'node:path';
import { ArchiveList } from '../../checkpoint/upkeep/archive-list.js';
import { readCheckpointFile } from '../../checkpoint/result-file/read-file.js';
import { readRunFile } from '../../checkpoint/run-directory/run-file.js';
import { listFiles } from '../../host/listing.js';
import type { Checkpoint } from '../../model/checkpoint.js';
import { recordsOfCheckpoint } from '../../results/collect/checkpoint-records.js';
import type { RecordChange, ResultRecord } from '../../results/record/record.js';
import { earlierRunId } from './directory.js';
import type { RunPaths } from './run-paths.js';
import { Retirements } from '../collect/retirements.js';

/** Files read at once: more only wait for the same disk. */
const FILES_AT_ONCE = 8;

export interface DirectoryRecordsOptions {
    /** Told of each file that is left out, and of values that were converted. */
    readonly onNotice: (message: string) => void;
    /** Told of each result file that was read. */
    readonly onFile?: () => void;
    /** Files of the directory to read; all of them if absent. */
    readonly names?: readonly string[];
    /**
     * Reads a file that is not a result file, or says what it is instead.
     * @param why why it is not a result file
     */
    readonly readOther?: (path: string, why: string) => Promise<readonly RecordChange[]>;
}

/**
 * The records of a results directory, and a retirement for each record that it had before and has no more. Needs no lock:
 * result files are replaced as a whole, and what a run writes meanwhile comes with the next collection.
 * @throws UserError (exit 2) if the directory or one of its files cannot be read
 */
export async function* readDirectoryRecords(
    place: RunPaths,
    options: DirectoryRecordsOptions,
): AsyncGenerator<RecordChange> {
    const listing = await listFiles(place.dir);
    const run = (await earlierRunId(place, await readRunFile(place.checkpoints), listing)) ?? '';
    const isPart = options.names !== undefined;
    const retired = await Retirements.load(place.checkpoints, run);
    const reader = new DirectoryReader(place, run, options);
    const names = options.names ?? listing;
    for await (const record of reader.records(names, isPart)) {
        retired.drop(record);
        yield { kind: 'record', record };
    }
    yield* reader.others;
    await retired.addUpgraded(place.checkpoints, run, reader.current);
    for (const retirement of retired.all())
        if (!isPart || reader.current.has(retirement.sample)) yield { kind: 'retirement', retirement };
}

class DirectoryReader {
    readonly #place: RunPaths;
    readonly #run: string;
    readonly #options: DirectoryRecordsOptions;
    /** Samples in our own format. */
    readonly current = new Set<string>();
    /** What was in files that are not result files. */
    readonly others: RecordChange[] = [];

    constructor(place: RunPaths, run: string, options: DirectoryRecordsOptions) {
        this.#place = place;
        this.#run = run;
        this.#options = options;
    }

    async *records(names: readonly string[], isPart: boolean): AsyncGenerator<ResultRecord> {
        const earlier: string[] = [];
        for await (const [name, checkpoint] of this.#checkpoints(names)) {
            // Read last: a start that was killed while it upgraded a sample leaves both its files.
            if (checkpoint.origin === 'earlier') earlier.push(name);
            else if (this.#isNew(checkpoint.id)) yield* this.#recordsOf(checkpoint);
        }
        if (!isPart) yield* this.#archived();
        for await (const [, checkpoint] of this.#checkpoints(earlier))
            if (!this.current.has(checkpoint.id)) yield* this.#recordsOf(checkpoint);
    }

    #recordsOf(checkpoint: Checkpoint): Generator<ResultRecord> {
        this.#options.onFile?.();
        return recordsOfCheckpoint(checkpoint, this.#run, (rate) =>
            this.#options.onNotice(
                `${this.#place.dir}: ${checkpoint.id} has a tool success rate of ${rate}, which is taken as per cent`,
            ),
        );
    }

    /** Of two files of one sample only one counts. */
    #isNew(id: string): boolean {
        if (this.current.has(id)) return false;
        this.current.add(id);
        return true;
    }

    async *#archived(): AsyncGenerator<ResultRecord> {
        const archives = await ArchiveList.load(this.#place.checkpoints);
        for (const id of archives.ids()) {
            if (!this.#isNew(id)) continue;
            const checkpoint = await archives.read(id);
            if (checkpoint !== null) yield* this.#recordsOf(checkpoint);
        }
    }

    async *#checkpoints(names: readonly string[]): AsyncGenerator<readonly [string, Checkpoint]> {
        const files = names.filter((name) => name.endsWith('.json') && !name.startsWith('.'));
        for (let at = 0; at < files.length; at += FILES_AT_ONCE) {
            const some = files.slice(at, at + FILES_AT_ONCE);
            const read = await Promise.all(
                some.map((name) => readCheckpointFile(join(this.#place.dir, name), null)),
            );
            for (const [position, result] of read.entries()) {
                const name = some[position] ?? '';
                if (result.kind === 'checkpoint') yield [name, result.checkpoint];
                else if (result.kind === 'corrupt') await this.#readOther(name, result.why);
            }
        }
    }

    async #readOther(name: string, why: string): Promise<void> {
        const path = join(this.#place.dir, name);
        const { readOther, onNotice } = this.#options;
        if (readOther === undefined) onNotice(`${path} is left out: ${why}; resume-run check says more`);
        else for (const change of await readOther(path, why)) this.others.push(change);
    }
}
