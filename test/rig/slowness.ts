/** CPU milliseconds to measure: enough to encounter others who compete for the cores. */
const SPIN_MS = 150;

/** Without an upper bound, limits would be useless against hangs on a machine that was busy for a moment. */
const MOST = 6;

/**
 * How many times longer things take now than on a quiet machine: wall time over CPU time of a busy loop. At least 2, to allow for
 * later load. Limits that only guard against hangs are multiplied by it.
 */
export function measureSlowness(): number {
    const wall = performance.now();
    const cpu = process.cpuUsage();
    const spent = (): number => {
        const { user, system } = process.cpuUsage(cpu);
        return (user + system) / 1000;
    };
    while (spent() < SPIN_MS);
    return Math.min(MOST, Math.max(2, Math.ceil((performance.now() - wall) / SPIN_MS)));
}

/** A limit against hangs, scaled to the machine's speed when the tests began (measured by `vitest.config.ts`). */
export const patience = (ms: number): number => ms * Number(process.env['TEST_SLOWNESS'] ?? 2);

/**
 * For `vi.waitUntil`: what another process or the disk does must happen within this time, or the test reports that it did not.
 */
export const SOON = { timeout: patience(30_000), interval: 20 };
