/** CPU time that is measured, milliseconds: enough to meet the others who want the cores. */
const SPIN_MS = 150;

/** Limits that grew without bound would end no hang on a machine that was busy for a moment. */
const MOST = 6;

/**
 * How many times longer than on a quiet machine things take now: wall time over CPU time of a busy loop. At least 2, for what
 * comes later; limits that only guard against hangs are multiplied by it.
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

/** A limit against hangs, for the speed that the machine had when the tests began (`vitest.config.ts` measured it). */
export const patience = (ms: number): number => ms * Number(process.env['TEST_SLOWNESS'] ?? 2);

/** For `vi.waitUntil`: what another process or the disk does comes within this, or the test says that it did not. */
export const SOON = { timeout: patience(30_000), interval: 20 };
