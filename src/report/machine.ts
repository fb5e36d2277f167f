import { loadavg } from 'node:os';

/** How this machine and process are doing now. */
export function measureMachine(): { readonly memory: number; readonly load: number | null } {
    return {
        memory: process.memoryUsage.rss(),
        // Windows has no load average: Node says 0 there.
        load: process.platform === 'win32' ? null : (loadavg()[0] ?? null),
    };
}
