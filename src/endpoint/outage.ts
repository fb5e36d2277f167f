import type { Endpoint } from './endpoint.js';

/** What there is to tell of an outage. */
export type OutageNews =
    | { readonly kind: 'paused'; readonly message: string }
    | { readonly kind: 'resumed'; readonly message: string }
    /** Nobody will be served any more, as things are. `isFirst`: it was not told before. */
    | { readonly kind: 'gave-up'; readonly message: string; readonly isFirst: boolean };

/** Watches whether any of the endpoints that serve one model can be used. Times in milliseconds of the pool's clock. */
export class OutageWatch {
    /** Since when none can be used and somebody waits. */
    #since: number | null = null;
    #isTold = false;
    #hasGivenUp = false;

    /** @param endpointWait seconds after which it gives up; null: never */
    constructor(
        /** Null: the endpoints serve whatever is asked for. */
        readonly model: string | null,
        private readonly endpoints: readonly Endpoint[],
        private readonly endpointWait: number | null,
    ) {}

    get hasGivenUp(): boolean {
        return this.#hasGivenUp;
    }

    /** True where its endpoints answer, but do not have this model: others may be served. */
    get isOfModel(): boolean {
        return this.endpoints.every(({ breaker: { state } }) => state.name === 'refused' && state.isOfModel);
    }

    /** Somebody begins to wait, the first: time in which nobody did is no outage. */
    beginWait(now: number): void {
        if (this.#since !== null) this.#since = now;
    }

    /** When it would give up; Infinity: not by time alone. */
    get givesUpAt(): number {
        return this.#since === null || this.endpointWait === null
            ? Number.POSITIVE_INFINITY
            : this.#since + this.endpointWait * 1000;
    }

    watch(now: number): OutageNews | null {
        const { endpoints } = this;
        if (endpoints.length === 0) return this.#giveUp(`no endpoint serves the model ${this.model}`);
        if (endpoints.some((endpoint) => endpoint.breaker.usable(now))) {
            const wasTold = this.#isTold;
            this.#since = null;
            this.#isTold = false;
            this.#hasGivenUp = false;
            return wasTold ? { kind: 'resumed', message: `an endpoint answers again: going on` } : null;
        }
        if (endpoints.every((endpoint) => endpoint.breaker.state.name === 'refused')) {
            const reasons = endpoints.map(whyRefused).slice(0, 3).join('; ');
            return this.#giveUp(`no endpoint takes our requests: ${reasons}`);
        }
        // While a first probe is under way nobody knows whether there is an outage.
        if (endpoints.some((endpoint) => endpoint.untested)) return null;
        this.#since ??= now;
        if (now >= this.givesUpAt) {
            return this.#giveUp(`no endpoint came back within ${this.endpointWait} s (--endpoint-wait)`);
        }
        if (this.#isTold || endpoints.some((endpoint) => endpoint.shownState === 'healthy')) return null;
        this.#isTold = true;
        return { kind: 'paused', message: pausedMessage(endpoints, now) };
    }

    #giveUp(message: string): OutageNews {
        const isFirst = !this.#hasGivenUp;
        this.#hasGivenUp = true;
        return { kind: 'gave-up', message, isFirst };
    }
}

function whyRefused(endpoint: Endpoint): string {
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

/** When the first of them may be asked again, where that is not at once. */
function earliest(endpoints: readonly Endpoint[], now: number): string {
    const moments = endpoints.map((endpoint) => endpoint.breaker.changesAt() ?? Number.POSITIVE_INFINITY);
    const first = moments.reduce((one, other) => Math.min(one, other), Number.POSITIVE_INFINITY);
    const seconds = Math.ceil((first - now) / 1000);
    return seconds > 1 && Number.isFinite(seconds) ? `, at the earliest in ${seconds} s` : '';
}
