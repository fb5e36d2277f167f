import type { Redis } from 'ioredis';
import type { Flight } from './flight.js';
import { WORKERS_KEY } from './keys.js';
import { parseWorkerInfo, type RunOrigin, type WorkerInfo } from './messages.js';
import type { SharedClock } from './shared-clock.js';
import type { TaskQueue } from './task-queues.js';

interface WorkerWatchOptions {
    readonly run: RunOrigin;
    readonly onNotice: (message: string) => void;
}

/** Looks before reporting that nobody serves the run: workers started together with it need a moment. */
const PATIENT_LOOKS = 3;

/** Milliseconds after which a worker that is not seen any more does not count. */
const SILENT_MS = 30_000;

/**
 * Tells the user what tasks wait for, and which workers have other toolchains than the coordinator. Each message is shown once,
 * until it changes.
 */
export class WorkerWatch {
    readonly #toldVersions = new Set<string>();
    #toldMissing = '';
    #looks = 0;

    constructor(
        private readonly client: Redis,
        private readonly clock: SharedClock,
        private readonly options: WorkerWatchOptions,
    ) {}

    async look(flights: Iterable<Flight>): Promise<void> {
        this.#looks += 1;
        const workers = await this.#findServing();
        for (const worker of workers) this.#compareToolchains(worker);
        if (this.#looks < PATIENT_LOOKS) return;
        const missing = describeMissing(workers, flights);
        if (missing === this.#toldMissing) return;
        this.#toldMissing = missing;
        this.options.onNotice(missing === '' ? 'every task has a worker that can run it now' : missing);
    }

    async #findServing(): Promise<WorkerInfo[]> {
        const { run, version } = this.options.run;
        const known = Object.values(await this.client.hgetall(WORKERS_KEY)).flatMap(
            (text) => parseWorkerInfo(text) ?? [],
        );
        return known.filter(
            (worker) =>
                worker.version === version &&
                !worker.refused.some((one) => one.run === run) &&
                worker.executors.includes(this.options.run.descriptor.kind) &&
                this.clock.now() - worker.seen < SILENT_MS,
        );
    }

    #compareToolchains({ host, toolchains }: WorkerInfo): void {
        const different = Object.entries(this.options.run.toolchains ?? {}).flatMap(([language, here]) => {
            const there = toolchains[language];
            return there === undefined || there === here ? [] : [`${language} ${there} (here ${here})`];
        });
        const message = `${host} has other toolchains than this machine: ${different.join(', ')}`;
        if (different.length === 0 || this.#toldVersions.has(message)) return;
        this.#toldVersions.add(message);
        this.options.onNotice(message);
    }
}

/** @returns '' if every task has a worker */
function describeMissing(workers: readonly WorkerInfo[], flights: Iterable<Flight>): string {
    const queues = new Set<TaskQueue>();
    for (const { queue, state } of flights) if (queue !== null && state === 'in Redis') queues.add(queue);
    const unserved = [...queues].filter(
        ({ languages }) =>
            !workers.some(({ toolchains }) => languages.every((tag) => toolchains[tag] !== undefined)),
    );
    if (unserved.length === 0) return '';
    if (workers.length === 0) return NO_WORKER;
    const parts = unserved.map(({ languages }) => languages.join(' and '));
    return `tasks are waiting for a worker with ${parts.join(', or ')}: none of the ${workers.length} workers of this run has it`;
}

const NO_WORKER =
    'tasks wait: no worker serves this run. Start some with resume-run worker; resume-run workers says why others do not serve it';
