import { closeSync, mkdtempSync, openSync, renameSync, rmSync, writeFileSync, writevSync } from 'node:fs';
import { open } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { isMainThread } from 'node:worker_threads';

/*
 * Loaded before the program (NODE_OPTIONS=--import) by the tests that inject faults with strace. strace counts calls per thread
 * and cannot be told which thread is meant. Therefore the call counts of the intended thread, the single pool thread
 * (UV_THREADPOOL_SIZE=1) or the main thread, are raised above those of every other thread.
 */
const [count, led] = (process.env.CRASH_SHIFT ?? '0').split(' ');
delete process.env.CRASH_SHIFT;
if (isMainThread && led === 'main') leadMainThread(Number(count));
else if (isMainThread) await leadPool(Number(count));

async function leadPool(calls) {
    // One after the other: a thread that ends several calls in a row wakes the main thread a varying number of times, and its
    // wake-ups are writes too.
    for (let at = 0; at < calls; at += 1) {
        const handle = await open('/dev/null', 'w');
        // With a position this would be pwrite64, which only this thread calls.
        await handle.write('x');
        await handle.close();
    }
}

/** Uses the kinds of calls that the main thread makes on our files. */
function leadMainThread(calls) {
    const folder = mkdtempSync(join(tmpdir(), 'shift-'));
    const names = [join(folder, 'a'), join(folder, 'b')];
    writeFileSync(names[0], '');
    for (let at = 0; at < calls; at += 1) {
        const descriptor = openSync('/dev/null', 'w');
        writevSync(descriptor, [Buffer.from('x')]);
        closeSync(descriptor);
        renameSync(names[at % 2], names[(at + 1) % 2]);
    }
    rmSync(folder, { recursive: true });
}
