import { randomBytes } from 'node:crypto';
import type { Redis } from 'ioredis';
import type { Served } from '../../model/task.js';
import type { RunKeys } from './keys.js';
import { INLINE_ANSWER, LARGEST_ANSWER, PROTOCOL, type Returned, RUN_TTL_S } from './messages.js';

/** Puts a worker's answer into what its job returns, or beside it if it is long. @throws what Redis says */
export async function packAnswer(client: Redis, keys: RunKeys, text: string): Promise<Returned> {
    if (text.length <= INLINE_ANSWER) return { v: PROTOCOL, answer: text };
    const kept = text.length <= LARGEST_ANSWER ? text : refuseAnswer(text);
    // Another name for each try: a late one must not change the answer of the one that counts.
    const name = randomBytes(16).toString('hex');
    await client.setex(keys.answer(name), RUN_TTL_S, kept);
    return { v: PROTOCOL, name };
}

/** In the place of an answer that no coordinator would take. */
function refuseAnswer(text: string): string {
    const { workerId, served } = JSON.parse(text) as { readonly workerId: string; readonly served: Served };
    const message = `the result is larger than a queue takes: ${text.length} characters, at most ${LARGEST_ANSWER}`;
    const failure = { reason: 'result-too-large', message, bytes: text.length } as const;
    return JSON.stringify({
        workerId,
        served: { ...served, outcome: { kind: 'failure', failure, by: null } },
    });
}
