import { PerformanceObserver } from 'node:perf_hooks';
import { getHeapSpaceStatistics, setFlagsFromString } from 'node:v8';

/** Size of the young generation, in bytes, beyond which it does not grow: the maximum of Node 20 and 22. */
const MAX_BYTES = 32 * 1024 * 1024;

/**
 * Keeps this thread's young generation at the size that Node 20 and 22 allow. Node 24 lets it grow to four times that in every
 * thread, a hundred megabytes that make nothing faster here. Node accepts a size only at its start, so growth is stopped instead:
 * for all threads, which is why runs whose tasks have their own threads leave it alone.
 */
export function boundYoungGeneration(): void {
    // The user has chosen a size.
    if (/semi[-_]space/.test([process.env['NODE_OPTIONS'], ...process.execArgv].join(' '))) return;
    // It grows only during garbage collection.
    const observer = new PerformanceObserver(() => {
        const young = getHeapSpaceStatistics().find((space) => space.space_name === 'new_space');
        if (young !== undefined && young.space_size < MAX_BYTES) return;
        setFlagsFromString('--semi-space-growth-factor=1');
        observer.disconnect();
    });
    observer.observe({ entryTypes: ['gc'] });
}
