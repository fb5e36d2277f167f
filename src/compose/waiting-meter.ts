import type { RunEvent } from '../model/event.js';
import { formatPercent } from '../report/format.js';

/** Seconds of work, over all workers, before the hint may be printed; by then the time for loading modules is negligible. */
const MIN_SECONDS = 20;

/** A worker that computes for less than this share of its time is mostly waiting. */
const MOSTLY_WAITING = 0.2;

/** Detects whether the functions in worker threads mostly wait, for a network or another program. */
export class WaitingMeter {
    readonly #cpu: () => number;
    #busy = 0;
    #isDone = false;

    /**
     * @param cpu returns the seconds of CPU time used by this process since the meter started; includes threads, but not children
     */
    constructor(cpu: () => number = startCpuMeter(process.cpuUsage())) {
        this.#cpu = cpu;
    }

    /** @returns a line for people, at most once; null: nothing to report */
    onEvent(event: RunEvent): string | null {
        if (this.#isDone || (event.type !== 'task-finished' && event.type !== 'task-retried')) return null;
        this.#busy += event.by.duration;
        if (this.#busy < MIN_SECONDS) return null;
        this.#isDone = true;
        const cpu = this.#cpu();
        if (cpu >= MOSTLY_WAITING * this.#busy) return null;
        return (
            `the workers mostly wait (they compute for ${formatPercent(cpu, this.#busy)} of their time): --mode async, or ` +
            "export const mode = 'async' in the module, runs many more such tasks at once (-j 64)"
        );
    }
}

function startCpuMeter(start: NodeJS.CpuUsage): () => number {
    return () => {
        const { user, system } = process.cpuUsage(start);
        return (user + system) / 1e6;
    };
}
