import type { EndpointState } from '../model/event.js';
import { unreachable } from '../util/unreachable.js';
import { Breaker } from './breaker.js';
import { ConcurrencyLimit } from './concurrency.js';
import type { OutcomeClass } from './outcome-class.js';
import { RateLimit } from './rate-limit.js';

/** What a pool needs to know of one server. */
export interface EndpointSettings {
    /** Address as it is shown: without secrets. Also its name: unique in a pool. */
    readonly address: string;
    /** Requests at once; null: the pool's default. */
    readonly concurrency: number | null;
    /** Requests a second; null: no limit. */
    readonly rate: number | null;
}

/** One server of a pool: its limits, its health, its figures. */
export class Endpoint {
    readonly address: string;
    readonly breaker: Breaker;
    readonly limit: ConcurrencyLimit;
    readonly rate: RateLimit;
    inFlight = 0;
    done = 0;
    failures = 0;
    /** Order of the last grant: the smallest has waited longest. */
    lastGrant = 0;
    /** Milliseconds that finished requests took. */
    private busy = 0;

    constructor(
        settings: EndpointSettings,
        /** Of the reserve pool for suspect results. */
        readonly reserve: boolean,
        mode: 'fixed' | 'adaptive',
        defaultConcurrency: number,
        random: () => number,
    ) {
        this.address = settings.address;
        const start = settings.concurrency ?? defaultConcurrency;
        this.limit = new ConcurrencyLimit(mode, start);
        this.rate = new RateLimit(settings.rate);
        this.breaker = new Breaker(random);
    }

    hasRoom(now: number): boolean {
        return this.inFlight < this.limit.value && this.breaker.usable(now);
    }

    /** Nobody knows yet how it is: its first probe is still to come, or under way. */
    get untested(): boolean {
        const { name } = this.breaker.state;
        return name === 'unknown' || (name === 'probing' && this.breaker.coolDowns === 0);
    }

    /** 0: idle; 1: full. */
    get load(): number {
        return this.inFlight / this.limit.value;
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
            endpoint: this.address,
            state: this.shownState,
            inFlight: this.inFlight,
            done: this.done,
            failures: this.failures,
            meanTime: this.done === 0 ? null : this.busy / this.done / 1000,
            coolDowns: this.breaker.coolDowns,
            concurrency: this.limit.value,
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
