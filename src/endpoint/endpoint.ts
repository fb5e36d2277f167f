import type { EndpointState, WidthRate } from '../model/event.js';
import { unreachable } from '../util/unreachable.js';
import { Breaker } from './breaker.js';
import type { AccountLimits } from './account-limits.js';
import type { Calibration } from './calibration.js';
import type { OutcomeClass } from './outcome-class.js';

/** What a pool needs to know about one server. */
export interface EndpointSettings {
    /** Its display name: the address without secrets, plus whatever distinguishes it from others. Unique in a pool. */
    readonly address: string;
    /** Concurrent requests; null: the pool's default. */
    readonly concurrency: number | null;
    /** Requests per second; null: no limit. */
    readonly rate: number | null;
    readonly requestsPerMinute?: number | null;
    readonly tokensPerMinute?: number | null;
    /** Endpoints with the same value share limits, namely those of the first; absent: the endpoint has its own. */
    readonly account?: string;
    /** The only models that it serves; absent or null: any model. */
    readonly models?: readonly string[] | null;
}

/** One server of a pool: its limits, health and statistics. */
export class Endpoint {
    readonly address: string;
    readonly #name: string;
    readonly breaker: Breaker;
    inFlight = 0;
    done = 0;
    failures = 0;
    /** Sequence number of the last grant: the smallest has waited longest. */
    lastGrant = 0;
    /** Total milliseconds that finished requests took. */
    private busy = 0;
    /** Whether its settings leave its number of concurrent requests open. */
    readonly hasOpenLimit: boolean;
    /** It is being calibrated, or waits for the other endpoints of its machine. */
    #isCalibrating = false;
    /** Number of cool-downs before the last calibration; null: never calibrated. */
    #coolDownsThen: number | null = null;
    #rates: readonly WidthRate[] | null = null;

    constructor(
        settings: EndpointSettings,
        /** Whether it belongs to the reserve pool for suspect results. */
        readonly reserve: boolean,
        readonly limits: AccountLimits,
        random: () => number,
        /** The only model that requests are for; null: any. A service that rejects one model may accept another. */
        readonly model: string | null,
    ) {
        this.address = settings.address;
        this.hasOpenLimit = settings.concurrency === null;
        this.#name = model === null ? settings.address : `${settings.address} (${model})`;
        this.breaker = new Breaker(random);
    }

    hasRoom(now: number): boolean {
        return !this.#isCalibrating && this.limits.hasRoom && this.breaker.usable(now);
    }

    /**
     * Whether it may be calibrated now: a calibration is due (initially and after each cool-down), and there are no running
     * requests to disturb.
     */
    mayCalibrate(now: number): boolean {
        const isDue = this.hasOpenLimit && !this.reserve && this.#coolDownsThen !== this.breaker.coolDowns;
        return isDue && this.inFlight === 0 && this.breaker.usable(now);
    }

    /** Keeps tasks away until it is calibrated together with others that are still being probed. */
    awaitCalibration(): void {
        this.#isCalibrating = true;
    }

    /** It receives no tasks until `endCalibration`. */
    beginCalibration(): void {
        this.#isCalibrating = true;
        this.#coolDownsThen = this.breaker.coolDowns;
    }

    /** @param found null: no result, and the endpoint keeps its current width */
    endCalibration(found: Calibration | null): void {
        this.#isCalibrating = false;
        if (found === null) return;
        this.#rates = found.rates;
        this.limits.concurrency.restart(found.width);
    }

    /** Its health is unknown: the first probe is pending or in progress. */
    get untested(): boolean {
        const { name } = this.breaker.state;
        return name === 'unknown' || (name === 'probing' && this.breaker.coolDowns === 0);
    }

    /** Counts the outcome of a request. @param took milliseconds */
    count(outcome: OutcomeClass, took: number): void {
        switch (outcome) {
            case 'ok':
                this.done += 1;
                this.busy += took;
                return;
            case 'rate':
            case 'overload':
            case 'broken':
            case 'refused':
            case 'unknown-model':
            case 'bad-request':
                this.failures += 1;
                return;
            case 'abandoned':
                return;
            default:
                unreachable(outcome, 'outcome class');
        }
    }

    snapshot(): EndpointState {
        return {
            endpoint: this.#name,
            state: this.shownState,
            inFlight: this.inFlight,
            done: this.done,
            failures: this.failures,
            meanTime: this.done === 0 ? null : this.busy / this.done / 1000,
            coolDowns: this.breaker.coolDowns,
            concurrency: this.limits.concurrency.value,
            ...(this.#rates === null ? {} : { calibration: this.#rates }),
        };
    }

    get shownState(): EndpointState['state'] {
        const state = this.breaker.state;
        switch (state.name) {
            case 'unknown':
            case 'closed':
                return 'healthy';
            case 'waiting':
                return 'cooling';
            case 'open':
            case 'probing':
                return this.untested ? 'healthy' : 'down';
            case 'refused':
                return 'refused';
            default:
                return unreachable(state, 'breaker state');
        }
    }
}
