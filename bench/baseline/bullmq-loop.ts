import { Queue, QueueEvents } from 'bullmq';

/*
 * Raw BullMQ: <tasks> jobs in the queue at <socket>, 512 in flight, each awaited by its event. Nothing is planned or committed.
 */
const [path = '', count = '0'] = process.argv.slice(2);
const tasks = Number(count);
const IN_FLIGHT = 512;

const connection = { path, maxRetriesPerRequest: null };
const queue = new Queue('raw', { connection, defaultJobOptions: { removeOnComplete: true } });
const events = new QueueEvents('raw', { connection });
await Promise.all([queue.waitUntilReady(), events.waitUntilReady()]);

let added = 0;
let open = 0;
let isAdding = false;

/** Fills the window, with one round trip for all free slots. */
async function fill(): Promise<void> {
    if (isAdding) return;
    isAdding = true;
    while (added < tasks && open < IN_FLIGHT) {
        const jobs = Array.from({ length: Math.min(IN_FLIGHT - open, tasks - added) }, (_, at) => ({
            name: 'task',
            data: { sample: 'sample', group: 'iteration', index: added + at },
        }));
        added += jobs.length;
        open += jobs.length;
        await queue.addBulk(jobs);
    }
    isAdding = false;
}

await new Promise<void>((resolve) => {
    let done = 0;
    events.on('completed', () => {
        done += 1;
        open -= 1;
        if (done === tasks) resolve();
        else void fill();
    });
    void fill();
});
await events.close();
await queue.close();
