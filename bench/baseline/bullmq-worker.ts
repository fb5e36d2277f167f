import { Worker } from 'bullmq';

/* Raw BullMQ: a worker whose jobs do nothing, two at a time. Ends with its parent's stdin. */
const [path = ''] = process.argv.slice(2);

const worker = new Worker('raw', () => Promise.resolve({ accepted: true }), {
    connection: { path, maxRetriesPerRequest: null },
    concurrency: 2,
});
process.stdin.resume().once('end', () => void worker.close());
