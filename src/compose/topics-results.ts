import { join } from 'node:path';
import { readCheckpointFileAtOnce } from '../checkpoint/result-file/read-file.js';
import { ROUNDS } from '../dataset/generated/topics.js';
import { listFiles } from '../host/listing.js';
import { writeText } from '../host/output-file.js';
import type { Checkpoint } from '../model/checkpoint.js';
import type { Attempt } from '../model/entry.js';
import { isJsonObject, type JsonObject } from '../model/json.js';

/** A result in the earlier tool's format, with its round. Times in seconds. */
export interface TopicResult {
    readonly topic: string;
    /** The round, counted from 1. */
    readonly iteration: number;
    readonly success: boolean;
    readonly analysis: string | null;
    readonly search_results_count: number;
    readonly error_message: string | null;
    /** Of all attempts together. */
    readonly execution_time: number;
    /** `P3-2`: process 3 (T: thread, A: slot of async mode), round 2; null if unknown. */
    readonly worker_id: string | null;
    /** When its last attempt ended, ISO 8601. */
    readonly timestamp: string | null;
}

/** Tasks that ended, of one worker or one round. Times in seconds. */
interface Share {
    successful: number;
    failed: number;
    execution_time: number;
}

export interface TopicsSummary {
    /** Seconds since this start. */
    readonly wallTime: number;
    /** `summary.config` and `summary.models`, with the earlier tool's keys. */
    readonly config: JsonObject;
    readonly models: JsonObject;
}

/** Figures of all results of a directory, by worker and by round. */
class TopicsFigures {
    readonly workers = new Map<string, Share>();
    readonly rounds = new Map<number, Share>();
    readonly all: Share = { successful: 0, failed: 0, execution_time: 0 };

    add({ success, execution_time: seconds, worker_id: worker, iteration }: TopicResult): void {
        const name = worker === null ? 'unknown' : worker.replace(/-\d+$/, '');
        for (const share of [this.all, getShare(this.workers, name), getShare(this.rounds, iteration)]) {
            share[success ? 'successful' : 'failed'] += 1;
            share.execution_time += seconds;
        }
    }

    summary({ wallTime, config, models }: TopicsSummary): JsonObject {
        const { successful, failed, execution_time: seconds } = this.all;
        const total = successful + failed;
        return {
            total_tasks: total,
            successful_tasks: successful,
            failed_tasks: failed,
            total_execution_time: roundSeconds(seconds),
            average_execution_time: total === 0 ? 0 : roundSeconds(seconds / total),
            wall_time: roundSeconds(wallTime),
            iterations: Object.fromEntries(listShares(this.rounds)),
            workers: Object.fromEntries(listShares(this.workers)),
            config,
            models,
        };
    }
}

function getShare<K>(shares: Map<K, Share>, key: K): Share {
    const share = shares.get(key) ?? { successful: 0, failed: 0, execution_time: 0 };
    shares.set(key, share);
    return share;
}

const listShares = (shares: ReadonlyMap<string | number, Share>): [string, JsonObject][] =>
    [...shares]
        .map(([key, share]): [string, JsonObject] => [
            String(key),
            { ...share, execution_time: roundSeconds(share.execution_time) },
        ])
        .sort(([a], [b]) => a.localeCompare(b, 'en', { numeric: true }));

/** To a microsecond. */
const roundSeconds = (seconds: number): number => Math.round(seconds * 1e6) / 1e6;

/**
 * Writes all results of a directory to one file, in the earlier tool's format: `{results: [...], summary: {...}}`. The file is
 * replaced atomically: after a crash it is either the old one or the complete new one.
 * @param topics those whose results it contains
 * @throws WriteError
 */
export async function writeTopicsResults(
    path: string,
    dir: string,
    topics: ReadonlySet<string>,
    summary: TopicsSummary,
): Promise<void> {
    await writeText(path, formatResults(dir, topics, summary));
}

async function* formatResults(
    dir: string,
    topics: ReadonlySet<string>,
    summary: TopicsSummary,
): AsyncGenerator<string> {
    const figures = new TopicsFigures();
    yield '{\n  "results": [';
    let separator = '\n    ';
    for await (const result of readTopicResults(dir, topics)) {
        figures.add(result);
        yield separator + JSON.stringify(result);
        separator = ',\n    ';
    }
    const text = JSON.stringify(figures.summary(summary), null, 2);
    yield `\n  ],\n  "summary": ${text.replaceAll('\n', '\n  ')}\n}\n`;
}

/** Results of topics in a directory, by topic and round. */
export async function* readTopicResults(
    dir: string,
    topics: ReadonlySet<string>,
): AsyncGenerator<TopicResult> {
    for (const name of await listFiles(dir)) {
        if (!name.endsWith('.json') || name.startsWith('.')) continue;
        const read = await readCheckpointFileAtOnce(join(dir, name));
        if (read.kind === 'checkpoint' && topics.has(read.checkpoint.id)) yield* listResults(read.checkpoint);
    }
}

function listResults({ id, entries, failures }: Checkpoint): TopicResult[] {
    const finished = (entries.get(ROUNDS) ?? []).map(({ entry }) =>
        makeFinishedResult(id, (entry.index ?? 0) + 1, entry.result, entry.attempts),
    );
    const failed = failures
        .filter(({ group }) => group === ROUNDS)
        .map(
            ({ index, message, attempts }): TopicResult => ({
                topic: id,
                iteration: index + 1,
                success: false,
                analysis: null,
                search_results_count: 0,
                error_message: message,
                ...measureEffort(attempts, index + 1),
            }),
        );
    return [...finished, ...failed].sort((a, b) => a.iteration - b.iteration);
}

function makeFinishedResult(
    topic: string,
    iteration: number,
    result: unknown,
    attempts: readonly Attempt[],
): TopicResult {
    const fields: JsonObject = isJsonObject(result) ? result : {};
    const { answer, accepted, refusal, verdict, search_results_count: found } = fields;
    const success = accepted === true;
    const why = typeof refusal === 'string' ? refusal : typeof verdict === 'string' ? verdict : null;
    return {
        topic,
        iteration,
        success,
        analysis: typeof answer === 'string' ? answer : null,
        search_results_count: typeof found === 'number' ? found : 0,
        error_message: success ? null : why,
        ...measureEffort(attempts, iteration),
    };
}

function measureEffort(
    attempts: readonly Attempt[],
    iteration: number,
): Pick<TopicResult, 'execution_time' | 'worker_id' | 'timestamp'> {
    const last = attempts.at(-1);
    const ended = last === undefined ? Number.NaN : Date.parse(last.started_at) + last.duration * 1000;
    return {
        execution_time: roundSeconds(attempts.reduce((sum, { duration }) => sum + duration, 0)),
        worker_id: last === undefined ? null : makeEarlierWorkerId(last.worker_id, iteration),
        timestamp: Number.isNaN(ended) ? null : new Date(ended).toISOString(),
    };
}

/** `process-3` in round 2 becomes `P3-2`, as the earlier tool wrote it. */
function makeEarlierWorkerId(worker: string, iteration: number): string {
    const [, kind = '', number = ''] = /^(process|thread|async)-(\d+)$/.exec(worker) ?? [];
    return kind === '' ? `${worker}-${iteration}` : `${kind[0]?.toUpperCase()}${number}-${iteration}`;
}
