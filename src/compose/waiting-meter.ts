import type { RunEvent } from '../model/event.js';
import { formatPercent } from '../report/format.js';

/** Seconds of work, over all workers, before the hint may be printed: by then the time to load modules hardly counts. */
const ENOUGH_SECONDS = 20;

/** A worker that computes for less than this share of its time mostly waits. */
const MOSTLY_WAITING = 0.2;

/** Finds out whether the functions in worker threads mostly wait: for a network, for another program. */
export class WaitingMeter {
    readonly #cpu: () => number;
    #busy = 0;
    #isDone = false;

    /** @param cpu seconds of processor time that this process has used since the meter began; threads count, children do not */
    constructor(cpu: () => number = startCpuMeter(process.cpuUsage())) {
        this.#cpu = cpu;
    }

    /** @returns a line for people, once at most; null: nothing to say */
    onEvent(event: RunEvent): string | null {
        if (this.#isDone || (event.type !== 'task-finished' && event.type !== 'task-retried')) return null;
        this.#busy += event.by.duration;
        if (this.#busy < ENOUGH_SECONDS) return null;
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
