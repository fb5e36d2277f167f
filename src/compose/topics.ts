import { join } from 'node:path';
import { readCheckpointFileAtOnce } from '../checkpoint/result-file/read-file.js';
import { type RoundsByTopic, ROUNDS, readTopicRows, writeTopicRows } from '../dataset/generated/topics.js';
import { listFiles } from '../host/listing.js';
import { readTextFile } from '../host/open-file.js';
import type { GeneratedDataset } from './generated-dataset.js';
import type { RunPaths } from './directory/run-paths.js';

/** Name of the file with the rows, in the checkpoints folder. */
const FILE = 'topics.jsonl';

/**
 * The dataset of `resume-run topics`. Fewer rounds than before do not retire finished answers: a topic keeps as many rounds as
 * its result file has answers.
 * @param iterations rounds of each topic, at least 1
 */
export function makeTopicsDataset(
    topics: readonly string[],
    iterations: number,
    { dir }: RunPaths,
): GeneratedDataset {
    return {
        file: FILE,
        rows: async (before) => {
            const known = before === null ? null : readTopicRows(before);
            const mayHaveMore =
                known === null || topics.some((topic) => (known.get(topic) ?? 0) > iterations);
            const finished = mayHaveMore ? await countFinishedRounds(dir) : new Map<string, number>();
            const rounds = topics.map(
                (topic) => [topic, Math.max(iterations, finished.get(topic) ?? 0)] as const,
            );
            return writeTopicRows(new Map(rounds));
        },
    };
}

/** Topics of earlier starts, with their rounds; null if there were none. */
export function readKnownTopics(checkpoints: string): Promise<RoundsByTopic | null> {
    return readTextFile(join(checkpoints, FILE)).then(readTopicRows, () => null);
}

/** Number of rounds that earlier starts began in a directory; 0 if there were none. */
export async function countBegunRounds({ dir, checkpoints }: RunPaths): Promise<number> {
    const known = await readKnownTopics(checkpoints);
    return Math.max(0, ...(known ?? (await countFinishedRounds(dir))).values());
}

/** The last finished round of each topic, according to its result file. */
async function countFinishedRounds(dir: string): Promise<RoundsByTopic> {
    const found = new Map<string, number>();
    for (const name of await listFiles(dir)) {
        if (!name.endsWith('.json') || name.startsWith('.')) continue;
        const read = await readCheckpointFileAtOnce(join(dir, name));
        if (read.kind !== 'checkpoint') continue;
        const { id, entries } = read.checkpoint;
        const rounds = (entries.get(ROUNDS) ?? []).map(({ entry }) => (entry.index ?? -1) + 1);
        found.set(id, Math.max(0, ...rounds));
    }
    return found;
}
