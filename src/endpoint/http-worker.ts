import { parentPort, workerData } from 'node:worker_threads';
import { HttpAgent } from './http-agent.js';
import {
    type FromThread,
    type FromThreadAnswer,
    type HttpAnswer,
    MESSAGE_BOUND,
    type ThreadSettings,
    type ToThread,
} from './http-messages.js';

/*
 * The request thread: makes requests, and hands over the answers of each turn of the event loop in a few messages.
 */

const agent = new HttpAgent(workerData as ThreadSettings);
const running = new Map<number, () => void>();
let answers: FromThreadAnswer[] = [];
let bodies: Buffer[] = [];

parentPort?.on('message', ({ begun, stopped }: ToThread) => {
    for (const { id, request } of begun)
        running.set(
            id,
            agent.begin(request, (answer) => take(id, answer)),
        );
    for (const id of stopped) running.get(id)?.();
});

// Reports that the thread has started.
parentPort?.postMessage({ answers: [], bodies: new ArrayBuffer(0) } satisfies FromThread);

function take(id: number, answer: HttpAnswer): void {
    running.delete(id);
    // The caller that gave it up already knows.
    if (answer.kind === 'aborted') return;
    if (answers.length === 0) setImmediate(handOver);
    const { body, ...rest } = answer;
    if (body === null) {
        answers.push({ id, answer, size: null });
    } else {
        bodies.push(body);
        // Bodies are sent separately: cloning one as part of the answer would clone the whole larger buffer that it belongs to.
        answers.push({ id, answer: rest, size: body.length });
    }
    if (answers.length >= MESSAGE_BOUND) handOver();
}

function handOver(): void {
    if (answers.length === 0) return;
    const all = new Uint8Array(bodies.reduce((sum, body) => sum + body.length, 0));
    let offset = 0;
    for (const body of bodies) {
        all.set(body, offset);
        offset += body.length;
    }
    parentPort?.postMessage({ answers, bodies: all.buffer } satisfies FromThread, [all.buffer]);
    answers = [];
    bodies = [];
}
