import { randomBytes } from 'node:crypto';
import type { Redis } from 'ioredis';
import type { RunKeys } from './keys.js';
import {
    INLINE_ANSWER,
    type JobResults,
    LARGEST_ANSWER,
    parseResults,
    parseReturned,
    PROTOCOL,
    type Returned,
    RUN_TTL_S,
    type TaskAnswer,
    type WorkerAnswer,
} from './messages.js';

/** Makes a worker's answer part of what its job returns, and puts it beside that if it is long. @throws what Redis says */
export async function packAnswer(
    client: Redis,
    keys: RunKeys,
    task: string,
    answer: WorkerAnswer,
): Promise<TaskAnswer> {
    const text = JSON.stringify(answer);
    if (text.length <= INLINE_ANSWER) return { task, answer };
    const kept = text.length <= LARGEST_ANSWER ? text : JSON.stringify(refuseAnswer(answer, text.length));
    return { task, name: await keep(client, keys, kept) };
}

/** Puts what a job came to into what it returns, or beside it if it is long. @throws what Redis says */
export async function packResults(client: Redis, keys: RunKeys, results: JobResults): Promise<Returned> {
    const text = JSON.stringify(results);
    if (text.length <= INLINE_ANSWER) return { v: PROTOCOL, answer: text };
    return { v: PROTOCOL, name: await keep(client, keys, text) };
}

async function keep(client: Redis, keys: RunKeys, text: string): Promise<string> {
    // Another name for each try: a late one must not change the answer of the one that counts.
    const name = randomBytes(16).toString('hex');
    await client.setex(keys.answer(name), RUN_TTL_S, text);
    return name;
}

/** In the place of an answer that no coordinator would take. */
function refuseAnswer({ workerId, served }: WorkerAnswer, bytes: number): WorkerAnswer {
    const message = `the result is larger than a queue takes: ${bytes} characters, at most ${LARGEST_ANSWER}`;
    const failure = { reason: 'result-too-large', message, bytes } as const;
    return { workerId, served: { ...served, outcome: { kind: 'failure', failure, by: null } } };
}

/** What a worker has told of a job before it was lost. @param progress of the job */
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
