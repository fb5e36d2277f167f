import { isJsonObject, type JsonObject } from '../../model/json.js';

/** The group of a topic's tasks, one task for each round. Its result files hold `iteration_result` and `completed_iterations`. */
export const ROUNDS = 'iteration';

/** Number of rounds by topic. */
export type RoundsByTopic = ReadonlyMap<string, number>;

/**
 * Rows of a dataset of topics (format `general`), as JSON lines. Each topic is a sample, and each of its rounds a task whose data
 * is `{"topic", "iteration"}`, with rounds counted from 1.
 */
export function writeTopicRows(rounds: RoundsByTopic): string {
    const rows = [...rounds].map(([topic, count]) => ({
        id: topic,
        groups: { [ROUNDS]: Array.from({ length: count }, (_, index) => buildTopicData(topic, index)) },
    }));
    return rows.map((row) => `${JSON.stringify(row)}\n`).join('');
}

/** The data of a task. @param index of the round, starting at 0 */
export const buildTopicData = (topic: string, index: number): JsonObject => ({ topic, iteration: index + 1 });

/** Reads rows that `writeTopicRows` made; other rows are ignored. */
export function readTopicRows(text: string): RoundsByTopic {
    const found = new Map<string, number>();
    for (const line of text.split('\n')) {
        const row = parseLine(line);
        if (!isJsonObject(row) || typeof row['id'] !== 'string' || !isJsonObject(row['groups'])) continue;
        const tasks = row['groups'][ROUNDS];
        if (Array.isArray(tasks)) found.set(row['id'], tasks.length);
    }
    return found;
}

function parseLine(line: string): unknown {
    try {
        return JSON.parse(line);
    } catch {
        return null;
    }
}
