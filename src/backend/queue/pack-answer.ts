import { randomBytes } from 'node:crypto';
import type { Redis } from 'ioredis';
import type { RunKeys } from './keys.js';
import {
    INLINE_ANSWER,
    type JobResults,
    MAX_ANSWER_BYTES,
    parseResults,
    parseReturned,
    PROTOCOL,
    type Returned,
    RUN_TTL_S,
    type TaskAnswer,
    type WorkerAnswer,
} from './messages.js';

/**
 * Adds a worker's answer to the return value of its job, or stores it under a key of its own if it is long. @throws errors of
 * Redis
 */
export async function packAnswer(
    client: Redis,
    keys: RunKeys,
    task: string,
    answer: WorkerAnswer,
): Promise<TaskAnswer> {
    const text = JSON.stringify(answer);
    if (text.length <= INLINE_ANSWER) return { task, answer };
    const kept = text.length <= MAX_ANSWER_BYTES ? text : JSON.stringify(refuseAnswer(answer, text.length));
    return { task, name: await keep(client, keys, kept) };
}

/**
 * Builds the return value of a job from its results, or stores them under a key of their own if they are long. @throws errors of
 * Redis
 */
export async function packResults(client: Redis, keys: RunKeys, results: JobResults): Promise<Returned> {
    const text = JSON.stringify(results);
    if (text.length <= INLINE_ANSWER) return { v: PROTOCOL, answer: text };
    return { v: PROTOCOL, name: await keep(client, keys, text) };
}

async function keep(client: Redis, keys: RunKeys, text: string): Promise<string> {
    // Use a new name for each try: a late one must not overwrite the answer that counts.
    const name = randomBytes(16).toString('hex');
    await client.setex(keys.answer(name), RUN_TTL_S, text);
    return name;
}

/** Replaces an answer that no coordinator would accept. */
function refuseAnswer({ workerId, served }: WorkerAnswer, bytes: number): WorkerAnswer {
    const message = `the result exceeds the size limit of a queue (${bytes} characters, limit ${MAX_ANSWER_BYTES})`;
    const failure = { reason: 'result-too-large', message, bytes } as const;
    return { workerId, served: { ...served, outcome: { kind: 'failure', failure, by: null } } };
}

/** What an earlier worker reported about a job before it was lost. @param progress progress of the job */
export async function readEnded(client: Redis, keys: RunKeys, progress: unknown): Promise<JobResults> {
    const nothing = { answers: [], left: [] };
    if (typeof progress !== 'object') return nothing;
    try {
        const told = parseReturned(progress);
        return parseResults(
            'answer' in told ? told.answer : ((await client.get(keys.answer(told.name))) ?? ''),
        );
    } catch {
        return nothing;
    }
}
