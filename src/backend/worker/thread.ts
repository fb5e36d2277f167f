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
 * Entry of a piscina thread. Piscina passes its own data first and ours second.
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
 * This must happen before piscina gets the module: an idle thread waits without running its event loop, and could not report that
 * it is ready.
 */
await server.ready();
channel.postMessage({ type: 'ready', threadId } satisfies ChannelMessage);

/** Milliseconds after which finished tasks of a batch are reported before the batch ends. */
const EARLY_MS = 10;

/** Tiny tasks are sent several at once; results wait for each other for a few milliseconds at most. */
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
            // Await before using `done`, which may have been replaced meanwhile.
            const served = await server.run(job.key, job.task, calls.mainFor(job.key));
            done.push({ key: job.key, served });
        }
    } finally {
        clearInterval(timer);
    }
    // Piscina's answer takes another path than calls and may overtake them; the last calls of a task would then find it gone.
    if (calls.sent > sentBefore) tellEarly();
    return { done, threadId };
}
