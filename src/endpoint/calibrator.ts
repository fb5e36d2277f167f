import type { Clock } from '../util/clock.js';
import { calibrate, MAX_WIDTH, findMachine } from './calibration.js';
import type { Endpoint } from './endpoint.js';
import type { ProbeOutcome } from './pool-hooks.js';

export interface CalibratorOptions {
    /** Runs a small program at an endpoint; absent: endpoints are never calibrated. */
    readonly runHello: ((address: string, signal: AbortSignal) => Promise<ProbeOutcome>) | undefined;
    readonly clock: Clock;
    /** Aborted when the pool closes. */
    readonly signal: AbortSignal;
    /** Called for an endpoint when its calibration has ended. */
    readonly onEnd: (endpoint: Endpoint, hasFound: boolean) => void;
    /** Called after the calibration of all endpoints of a machine. */
    readonly onMachineEnd: (hasFound: boolean) => void;
}

/** Calibrates the endpoints of a pool while they are idle. */
export class Calibrator {
    readonly #options: CalibratorOptions;
    /** Most concurrent requests to one endpoint that are tried; 0: calibration is off. */
    #greatestWidth = 0;

    constructor(options: CalibratorOptions) {
        this.#options = options;
    }

    /** @param atMost most concurrent requests over all endpoints; null: no limit */
    turnOn(atMost: number | null): void {
        if (this.#options.runHello === undefined) return;
        this.#greatestWidth = Math.min(MAX_WIDTH, atMost ?? MAX_WIDTH);
    }

    /** Starts calibrations that are due. Endpoints of a machine are calibrated together once all of them have been probed. */
    start(endpoints: readonly Endpoint[], now: number): void {
        if (this.#greatestWidth <= 1) return;
        const untested = new Set(
            endpoints.filter((one) => one.untested).map(({ address }) => findMachine(address)),
        );
        const machines = new Map<string, Endpoint[]>();
        for (const endpoint of endpoints) {
            const machine = findMachine(endpoint.address);
            if (!endpoint.mayCalibrate(now)) continue;
            if (untested.has(machine)) endpoint.awaitCalibration();
            else machines.set(machine, [...(machines.get(machine) ?? []), endpoint]);
        }
        for (const together of machines.values()) void this.#calibrate(together);
    }

    async #calibrate(endpoints: readonly Endpoint[]): Promise<void> {
        const { runHello, clock, signal, onEnd, onMachineEnd } = this.#options;
        for (const endpoint of endpoints) endpoint.beginCalibration();
        const found = await calibrate({
            addresses: endpoints.map(({ address }) => address),
            atMost: this.#greatestWidth,
            runHello: async (address) => (await runHello?.(address, signal))?.outcome === 'ok',
            clock,
            signal,
        }).catch(() => null);
        for (const endpoint of endpoints) {
            endpoint.endCalibration(found);
            onEnd(endpoint, found !== null);
        }
        onMachineEnd(found !== null);
    }
}
