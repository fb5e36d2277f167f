import { availableParallelism, loadavg } from 'node:os';

/** How busy this machine is: load average of the last minute, and how many can run at once. */
export function readMachineLoad(): { readonly average: number; readonly processors: number } {
    const [average = 0] = loadavg();
    return { average: Math.round(average * 100) / 100, processors: availableParallelism() };
}
