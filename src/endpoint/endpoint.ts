import type { EndpointState, WidthRate } from '../model/event.js';
import { unreachable } from '../util/unreachable.js';
import { Breaker } from './breaker.js';
import type { AccountLimits } from './account-limits.js';
import type { Calibration } from './calibration.js';
import type { OutcomeClass } from './outcome-class.js';

/** What a pool needs to know of one server. */
export interface EndpointSettings {
    /** Its name, as it is shown: the address without secrets, and what else tells it from others. Unique in a pool. */
    readonly address: string;
    /** Requests at once; null: the pool's default. */
    readonly concurrency: number | null;
    /** Requests a second; null: no limit. */
    readonly rate: number | null;
    readonly requestsPerMinute?: number | null;
    readonly tokensPerMinute?: number | null;
    /** Endpoints with the same value share their limits, those of the first; absent: it has its own. */
    readonly account?: string;
    /** The only models it serves; absent or null: whatever is asked for. */
    readonly models?: readonly string[] | null;
}

/** One server of a pool: its limits, its health, its figures. */
export class Endpoint {
    readonly address: string;
    readonly #name: string;
    readonly breaker: Breaker;
    inFlight = 0;
    done = 0;
    failures = 0;
    /** Order of the last grant: the smallest has waited longest. */
    lastGrant = 0;
    /** Milliseconds that finished requests took. */
    private busy = 0;
    /** Whether its settings leave open how many requests it gets at once. */
    readonly hasOpenLimit: boolean;
    /** It is being calibrated, or waits for the others of its machine. */
    #isCalibrating = false;
    /** Cool-downs before the last calibration; null: there was none. */
    #coolDownsThen: number | null = null;
    #rates: readonly WidthRate[] | null = null;

    constructor(
        settings: EndpointSettings,
        /** Of the reserve pool for suspect results. */
        readonly reserve: boolean,
        readonly limits: AccountLimits,
        random: () => number,
        /** Requests for this model alone; null: for any. A service that turns one down may take another. */
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

    /** Whether its width is to be found out, at first and after each cool-down, and nothing runs there that it would disturb. */
    mayCalibrate(now: number): boolean {
        const isDue = this.hasOpenLimit && !this.reserve && this.#coolDownsThen !== this.breaker.coolDowns;
        return isDue && this.inFlight === 0 && this.breaker.usable(now);
    }

    /** Keeps it free of tasks until it is calibrated together with others, which are still being asked how they are. */
    awaitCalibration(): void {
        this.#isCalibrating = true;
    }

    /** It takes no task until `endCalibration`. */
    beginCalibration(): void {
        this.#isCalibrating = true;
        this.#coolDownsThen = this.breaker.coolDowns;
    }

    /** @param found null: nothing; it keeps the width that it has */
    endCalibration(found: Calibration | null): void {
        this.#isCalibrating = false;
        if (found === null) return;
        this.#rates = found.rates;
        this.limits.concurrency.restart(found.width);
    }

    /** Nobody knows yet how it is: its first probe is still to come, or under way. */
    get untested(): boolean {
        const { name } = this.breaker.state;
        return name === 'unknown' || (name === 'probing' && this.breaker.coolDowns === 0);
    }

    /** Counts what a request came to. @param took milliseconds */
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
