import { open } from 'node:fs/promises';
import { isMainThread } from 'node:worker_threads';

/*
 * Loaded before the program (NODE_OPTIONS=--import) by the tests that inject faults with strace. strace counts calls for
 * each thread by itself and cannot be told which thread is meant. So the one thread that does our file I/O
 * (UV_THREADPOOL_SIZE=1) is led past every number that another thread reaches while Node starts.
 */
const count = Number(process.env.CRASH_SHIFT ?? 0);
delete process.env.CRASH_SHIFT;
if (isMainThread) {
    // One after the other: a thread that ends several calls in a row wakes the main one once or several times, as it happens, and
    // its wakes are writes too.
    for (let at = 0; at < count; at += 1) {
        const handle = await open('/dev/null', 'w');
        // With a position this would be pwrite64, which only our thread makes.
        await handle.write('x');
        await handle.close();
    }
}
