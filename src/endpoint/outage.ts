import type { Endpoint } from './endpoint.js';

/** Changes of an outage that are reported. */
export type OutageChange =
    | { readonly kind: 'paused'; readonly message: string }
    | { readonly kind: 'resumed'; readonly message: string }
    /** From now on, waiters are turned away. `isFirst`: this has not been reported before. */
    | { readonly kind: 'gave-up'; readonly message: string; readonly isFirst: boolean };

/** Watches whether any endpoint that serves a given model is usable. Times are in milliseconds of the pool's clock. */
export class OutageWatch {
    /** Since when there have been waiters but no usable endpoint. */
    #since: number | null = null;
    #isTold = false;
    #hasGivenUp = false;

    /** @param endpointWait seconds after which it gives up; null: never */
    constructor(
        /** Null: the endpoints serve any model. */
        readonly model: string | null,
        private readonly endpoints: readonly Endpoint[],
        private readonly endpointWait: number | null,
    ) {}

    get hasGivenUp(): boolean {
        return this.#hasGivenUp;
    }

    /** True if the endpoints respond but do not have this model: requests for others may succeed. */
    get isOfModel(): boolean {
        return this.endpoints.every(({ breaker: { state } }) => state.name === 'refused' && state.isOfModel);
    }

    /** Called when the first waiter arrives: time without waiters does not count as an outage. */
    beginWait(now: number): void {
        if (this.#since !== null) this.#since = now;
    }

    /** When the watch gives up; Infinity: not because of time alone. */
    get givesUpAt(): number {
        return this.#since === null || this.endpointWait === null
            ? Number.POSITIVE_INFINITY
            : this.#since + this.endpointWait * 1000;
    }

    watch(now: number): OutageChange | null {
        const { endpoints } = this;
        if (endpoints.length === 0) return this.#giveUp(`no endpoint serves the model ${this.model}`);
        if (endpoints.some((endpoint) => endpoint.breaker.usable(now))) {
            const wasTold = this.#isTold;
            this.#since = null;
            this.#isTold = false;
            this.#hasGivenUp = false;
            return wasTold ? { kind: 'resumed', message: `an endpoint answers again: resuming` } : null;
        }
        if (endpoints.every((endpoint) => endpoint.breaker.state.name === 'refused')) {
            const reasons = endpoints.map(describeRefusal).slice(0, 3).join('; ');
            return this.#giveUp(`all endpoints refuse our requests: ${reasons}`);
        }
        // Whether there is an outage is unknown while first probes are in progress.
        if (endpoints.some((endpoint) => endpoint.untested)) return null;
        this.#since ??= now;
        if (now >= this.givesUpAt) {
            return this.#giveUp(`no endpoint came back within ${this.endpointWait} s (--endpoint-wait)`);
        }
        if (this.#isTold || endpoints.some((endpoint) => endpoint.shownState === 'healthy')) return null;
        this.#isTold = true;
        return { kind: 'paused', message: pausedMessage(endpoints, now) };
    }

    #giveUp(message: string): OutageChange {
        const isFirst = !this.#hasGivenUp;
        this.#hasGivenUp = true;
        return { kind: 'gave-up', message, isFirst };
    }
}

function describeRefusal(endpoint: Endpoint): string {
    const state = endpoint.breaker.state;
    return state.name === 'refused' ? `${endpoint.address}: ${state.why}` : endpoint.address;
}

function pausedMessage(endpoints: readonly Endpoint[], now: number): string {
    const asked = endpoints.filter((endpoint) => endpoint.breaker.state.name === 'waiting').length;
    const refused = endpoints.filter((endpoint) => endpoint.breaker.state.name === 'refused').length;
    const parts = [`${endpoints.length - asked - refused} down`];
    if (asked > 0) parts.push(`${asked} asked us to wait`);
    if (refused > 0) parts.push(`${refused} refused us`);
    return `no endpoint can be used (${parts.join(', ')}): waiting for one${earliest(endpoints, now)}`;
}

/** When the first of them may be tried again, if not immediately. */
function earliest(endpoints: readonly Endpoint[], now: number): string {
    const moments = endpoints.map((endpoint) => endpoint.breaker.changesAt() ?? Number.POSITIVE_INFINITY);
    const first = moments.reduce((one, other) => Math.min(one, other), Number.POSITIVE_INFINITY);
    const seconds = Math.ceil((first - now) / 1000);
    return seconds > 1 && Number.isFinite(seconds) ? `, at the earliest in ${seconds} s` : '';
}
