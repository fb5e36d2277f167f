import { loadavg } from 'node:os';

/** Current memory of this process and load of the machine. */
export function measureMachine(): { readonly memory: number; readonly load: number | null } {
    return {
        memory: process.memoryUsage.rss(),
        // Windows has no load average: Node returns 0.
        load: process.platform === 'win32' ? null : (loadavg()[0] ?? null),
    };
}
