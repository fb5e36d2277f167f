import { BroadcastChannel, threadId, workerData } from 'node:worker_threads';
import { createExecutor } from '../../executor/kinds.js';
import { Calls } from './calls.js';
import { divertStdout, watchStrayErrors } from '../../util/foreign-code.js';
import {
    type BatchDone,
    type ChannelMessage,
    type JobDone,
    type PackedJobs,
    type ThreadData,
    unpackJobs,
} from './messages.js';
import { TaskServer } from './serve.js';

/*
 * Entry of a piscina thread. Piscina hands over its own data first and ours second.
 */
divertStdout();
watchStrayErrors();

const data = (Array.isArray(workerData) ? workerData[1] : workerData) as ThreadData;
const channel = new BroadcastChannel(data.channel);
const server = new TaskServer(createExecutor(data.descriptor), (line) => {
    const message: ChannelMessage = { type: 'log', line };
    channel.postMessage(message);
});
channel.onmessage = (event: unknown): void => {
    const message = (event as { readonly data: ChannelMessage }).data;
    if (message.type === 'abort') server.abort(message.key);
    if (message.type === 'reply') calls.take(message);
};
channel.unref();
const calls = new Calls(String(threadId), (call) => channel.postMessage(call));
/*
 * Before piscina gets the module: a thread without a task waits for one without turning its event loop, and would tell nobody.
 */
await server.ready();
channel.postMessage({ type: 'ready', threadId } satisfies ChannelMessage);

/** Milliseconds after which finished tasks of a batch are told of before the batch is through. */
const EARLY_MS = 10;

/** Tiny tasks come several at once; results wait for each other for a few milliseconds at most. */
export default async function run(packed: PackedJobs): Promise<BatchDone> {
    const jobs = unpackJobs(packed);
    let done: JobDone[] = [];
    let since = performance.now();
    const sentBefore = calls.sent;
    const tellEarly = (): void => {
        if (done.length === 0) return;
        const message: ChannelMessage = { type: 'early', done, threadId };
        channel.postMessage(message);
        done = [];
    };
    const timer = jobs.length > 1 ? setInterval(tellEarly, EARLY_MS) : undefined;
    try {
        for (const job of jobs) {
            if (performance.now() - since > EARLY_MS) {
                tellEarly();
                since = performance.now();
            }
            // Awaited first: `done` may be another list by then.
            const served = await server.run(job.key, job.task, calls.mainFor(job.key));
            done.push({ key: job.key, served });
        }
    } finally {
        clearInterval(timer);
    }
    // Piscina's answer goes another way than calls, and may come before them: what a task said last would find it gone.
    if (calls.sent > sentBefore) tellEarly();
    return { done, threadId };
}
