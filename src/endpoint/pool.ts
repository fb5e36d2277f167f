import { setMaxListeners } from 'node:events';
import type { EndpointState } from '../model/event.js';
import { type Clock, realClock } from '../util/clock.js';
import { unreachable } from '../util/unreachable.js';
import { AccountLimits, type TakenPlace } from './account-limits.js';
import { Calibrator } from './calibrator.js';
import { type AcquireOptions, chooseEndpoint } from './choose-endpoint.js';
import { Endpoint, type EndpointSettings } from './endpoint.js';
import type { OutcomeClass } from './outcome-class.js';
import { OutageWatch } from './outage.js';
import type { PoolHooks, ProbeOutcome } from './pool-hooks.js';

export type { AcquireOptions } from './choose-endpoint.js';
export type { PoolHooks, ProbeOutcome } from './pool-hooks.js';

export interface PoolOptions {
    readonly endpoints: readonly EndpointSettings[];
    /** The reserve pool, which is used only with `prefer: 'reserve'`. */
    readonly reserve: readonly EndpointSettings[];
    readonly limits: 'fixed' | 'adaptive';
    /** Concurrent requests to an endpoint that does not specify a number. */
    readonly defaultConcurrency: number;
    /** Seconds without a usable endpoint after which waiters are turned away; null: never. */
    readonly endpointWait: number | null;
    /** Checks an endpoint's health. Must settle; the signal it receives aborts when the pool closes. */
    readonly probe: (address: string, signal: AbortSignal) => Promise<ProbeOutcome>;
    /** Runs a small program at an endpoint, to find its best number of concurrent requests; absent: no calibration. */
    readonly runHello?: (address: string, signal: AbortSignal) => Promise<ProbeOutcome>;
    /** True if tasks name their own models, so that a model that no endpoint has says nothing about others. */
    readonly modelsVary?: boolean;
    readonly hooks?: PoolHooks;
    readonly clock?: Clock;
    /** 0 to 1. */
    readonly random?: () => number;
}

/** The right to have one request at a time in flight at an endpoint. */
export interface Lease {
    readonly endpoint: string;
    /** Waits until the endpoint's rate limits allow the next request. Rejects with the signal's reason. */
    turn(signal: AbortSignal): Promise<void>;
    /** Reports how many of the reserved tokens the last request used. If never called, all of them count. */
    settle(tokens: number): void;
    /**
     * Reports the outcome of a request.
     * @param wait milliseconds that the server asked to wait
     * @param task the task, if it may itself be the cause of a failure because the server answered: its repeated failures count
     * once
     */
    report(
        outcome: OutcomeClass,
        took: number,
        wait?: number | null,
        message?: string,
        task?: string | null,
    ): void;
    /** Gives the place back. A second call does nothing. */
    release(): void;
}

/** Rejection of `acquire` if no endpoint is available. */
export class NoEndpointError extends Error {
    override readonly name = 'NoEndpointError';
}

/** Most probes that run at once. */
const PROBES_AT_ONCE = 32;

interface Waiter extends AcquireOptions {
    readonly grant: (lease: Lease) => void;
    readonly refuse: (error: unknown) => void;
}

const concerns = ({ model }: Pick<OutageWatch, 'model'>, waiter: Waiter): boolean =>
    model === null || waiter.model === model;

/** Assigns places at endpoints: the least loaded first, without starving any; broken ones rest until they have recovered. */
export class EndpointPool {
    /** Endpoints of all models, added as models are first requested. */
    private endpoints: readonly Endpoint[] = [];
    private readonly limits = new Map<string, AccountLimits>();
    /** Concurrent requests to an endpoint that does not specify a number. */
    private usualConcurrency: number;
    private readonly random: () => number;
    private readonly clock: Clock;
    private readonly hooks: PoolHooks;
    private readonly waiters = new Set<Waiter>();
    private readonly closing = new AbortController();
    private readonly calibrator: Calibrator;
    private grants = 0;
    private probes = 0;
    private stopTimer: () => void = () => {};
    /** One for each model, or a single one for all. */
    private outages: readonly OutageWatch[] = [];

    constructor(private readonly options: PoolOptions) {
        // Every probe in progress listens to this signal.
        setMaxListeners(0, this.closing.signal);
        this.usualConcurrency = options.defaultConcurrency;
        this.clock = options.clock ?? realClock;
        this.hooks = options.hooks ?? {};
        this.random = options.random ?? Math.random;
        this.calibrator = new Calibrator({
            runHello: options.runHello,
            clock: this.clock,
            signal: this.closing.signal,
            onEnd: (endpoint, hasFound) => {
                if (hasFound && !this.closing.signal.aborted) this.hooks.changed?.(endpoint.snapshot());
            },
            onMachineEnd: (hasFound) => {
                if (hasFound && !this.closing.signal.aborted) this.hooks.resized?.();
                this.pump();
            },
        });
        this.addModel(null);
        if (options.endpoints.length === 0) throw new Error('bug in resume-run: a pool without endpoints');
    }

    /** Adds endpoints for a newly requested model: limits and errors belong to a pair of account and model. */
    private addModel(model: string | null): void {
        if (this.outages.some((outage) => outage.model === model)) return;
        const { endpoints, reserve, endpointWait } = this.options;
        const build = (isReserve: boolean) => (settings: EndpointSettings) =>
            new Endpoint(settings, isReserve, this.findLimits(settings, model), this.random, model);
        const isServed = ({ models }: EndpointSettings): boolean =>
            model === null || models === undefined || models === null || models.includes(model);
        const servers = endpoints.filter(isServed).map(build(false));
        const added = [
            ...servers,
            // A server that is in both lists is still only one server.
            ...reserve
                .filter((one) => endpoints.every((other) => other.address !== one.address))
                .filter(isServed)
                .map(build(true)),
        ];
        // Endpoints made before any model was named are still unused.
        const isUnused = this.grants === 0 && this.waiters.size === 0;
        const rest = isUnused ? [] : this.endpoints;
        this.endpoints = [...rest, ...added];
        this.outages = [...(isUnused ? [] : this.outages), new OutageWatch(model, servers, endpointWait)];
    }

    private findLimits(settings: EndpointSettings, model: string | null): AccountLimits {
        const { account, address, requestsPerMinute = null, tokensPerMinute = null } = settings;
        const key = JSON.stringify([account ?? address, model]);
        const known = this.limits.get(key);
        if (known !== undefined) return known;
        const byMinute = { requestsPerMinute, tokensPerMinute };
        const isCounted = requestsPerMinute !== null || tokensPerMinute !== null;
        const page = isCounted ? this.hooks.minutes?.openPage(key, byMinute) : null;
        const concurrency = settings.concurrency ?? this.usualConcurrency;
        const limited = { concurrency, rate: settings.rate, ...byMinute };
        const limits = new AccountLimits(this.options.limits, limited, page, this.clock.now());
        this.limits.set(key, limits);
        return limits;
    }

    /**
     * From now on, endpoints whose settings do not specify a number of concurrent requests are calibrated before their first
     * task, and again after cool-downs, whenever they are idle. Does nothing with fixed limits, or without `runHello`.
     * @param atMost most concurrent requests over all endpoints; null: no limit
     */
    calibrateUpTo(atMost: number | null): void {
        if (this.options.limits === 'adaptive') this.calibrator.turnOn(atMost);
    }

    /** Requests a higher concurrency from endpoints that do not specify a number, as far as they can handle it. */
    widenTo(concurrency: number): void {
        this.usualConcurrency = Math.max(this.usualConcurrency, concurrency);
        for (const { hasOpenLimit, limits } of this.endpoints)
            if (hasOpenLimit) limits.concurrency.raiseCeiling(concurrency);
        this.pump();
    }

    /** Concurrent requests that the main pool accepts under its current limits; before the first request, the maximum. */
    get concurrency(): number {
        const limits = new Set(this.main().map((endpoint) => endpoint.limits));
        return [...limits].reduce((sum, one) => sum + one.concurrency.value, 0);
    }

    /** Statistics of every endpoint, the main pool first. */
    states(): readonly EndpointState[] {
        return this.endpoints.map((endpoint) => endpoint.snapshot());
    }

    /**
     * Waits for a place at an endpoint, first come first served. Rejects with the signal's reason when it is aborted, and with
     * `NoEndpointError` when there is no endpoint left to wait for.
     */
    acquire(signal: AbortSignal, wanted: AcquireOptions = {}): Promise<Lease> {
        return new Promise<Lease>((resolve, reject) => {
            if (signal.aborted) return reject(signal.reason);
            if (this.closing.signal.aborted) return reject(this.closing.signal.reason);
            if (wanted.model !== undefined) this.addModel(wanted.model);
            const leave = () => {
                this.waiters.delete(waiter);
                reject(signal.reason);
            };
            const settled = () => signal.removeEventListener('abort', leave);
            const waiter: Waiter = {
                avoid: wanted.avoid,
                prefer: wanted.prefer,
                model: wanted.model,
                tokens: wanted.tokens,
                grant: (lease) => (settled(), resolve(lease)),
                refuse: (error) => (settled(), reject(error)),
            };
            for (const outage of this.outages)
                if (concerns(outage, waiter) && !this.hasWaiterOf(outage)) outage.beginWait(this.clock.now());
            this.waiters.add(waiter);
            this.pump();
            // Most waiters are served immediately.
            if (!this.waiters.has(waiter)) return;
            signal.addEventListener('abort', leave, { once: true });
            if (signal.aborted) leave();
        });
    }

    private hasWaiterOf(outage: OutageWatch): boolean {
        for (const waiter of this.waiters) if (concerns(outage, waiter)) return true;
        return false;
    }

    /** Turns all waiters away and ends probes. Existing leases stay valid and have no further effect. */
    close(): void {
        if (this.closing.signal.aborted) return;
        this.closing.abort(new NoEndpointError('the endpoint pool is closed'));
        this.stopTimer();
        this.turnAway({ model: null }, 'the endpoint pool is closed');
    }

    private main(): readonly Endpoint[] {
        return this.endpoints.filter((endpoint) => !endpoint.reserve);
    }

    /** Starts probes that are due, serves the waiters that it can, and sets the next alarm. */
    private pump(): void {
        if (this.closing.signal.aborted) return;
        const now = this.clock.now();
        this.startProbes(now);
        if (this.waiters.size > 0) this.calibrator.start(this.endpoints, now);
        this.serve(now);
        this.watchOutages(now);
        this.setAlarm(now);
    }

    private serve(now: number): void {
        if (this.waiters.size === 0) return;
        const usable = this.endpoints.filter((endpoint) => endpoint.breaker.usable(now));
        const untested = this.endpoints.filter((endpoint) => endpoint.untested);
        for (const waiter of this.waiters) {
            if (usable.every((endpoint) => !endpoint.hasRoom(now))) return;
            const endpoint = chooseEndpoint(waiter, usable, untested, now);
            if (endpoint === null) continue;
            this.waiters.delete(waiter);
            waiter.grant(this.lease(endpoint, waiter.tokens ?? 0));
        }
    }

    private lease(endpoint: Endpoint, tokens: number): Lease {
        const { limits } = endpoint;
        endpoint.inFlight += 1;
        limits.inFlight += 1;
        this.grants += 1;
        endpoint.lastGrant = this.grants;
        let out = true;
        let sentAt = this.clock.now();
        let place: TakenPlace | null = null;
        return {
            endpoint: endpoint.address,
            turn: async (signal) => {
                place = await limits.pass(tokens, this.clock, signal);
                sentAt = this.clock.now();
            },
            settle: (used) => place?.settle(used),
            report: (outcome, took, wait = null, message = '', task = null) => {
                endpoint.count(outcome, took);
                const now = this.clock.now();
                const before = limits.concurrency.value;
                limits.concurrency.note(outcome, sentAt, now);
                // A rate error concerns the account, so all endpoints that share it wait too.
                const concerned =
                    outcome === 'rate' || (outcome === 'ok' && wait !== null)
                        ? this.endpoints.filter((one) => one.limits === limits)
                        : [endpoint];
                const changes = concerned.map((one) =>
                    this.watch(one, () => one.breaker.note(outcome, now, wait, message, task)),
                );
                const changed = changes.includes(true);
                // Most requests succeed and change nothing for other waiters.
                if (changed || outcome !== 'ok' || limits.concurrency.value !== before) this.pump();
            },
            release: () => {
                if (!out) return;
                out = false;
                endpoint.inFlight -= 1;
                limits.inFlight -= 1;
                this.pump();
            },
        };
    }

    private startProbes(now: number): void {
        for (const endpoint of this.endpoints) {
            if (this.probes >= PROBES_AT_ONCE) return;
            if (!endpoint.breaker.probeDue(now)) continue;
            this.probes += 1;
            endpoint.breaker.probing();
            void this.probe(endpoint);
        }
    }

    private async probe(endpoint: Endpoint): Promise<void> {
        const found = await this.options
            .probe(endpoint.address, this.closing.signal)
            .catch(
                (error: unknown): ProbeOutcome => ({ outcome: 'broken', wait: null, message: String(error) }),
            );
        this.probes -= 1;
        const note = () =>
            endpoint.breaker.probed(found.outcome, this.clock.now(), found.wait, found.message);
        this.watch(endpoint, note);
        this.pump();
    }

    /** Calls the hook if `change` changed the endpoint's state. Returns whether it did. */
    private watch(endpoint: Endpoint, change: () => void): boolean {
        const before = endpoint.shownState;
        change();
        const changed = endpoint.shownState !== before;
        if (changed) this.hooks.changed?.(endpoint.snapshot());
        return changed;
    }

    /** Reports when an outage begins and ends, and gives up after `endpointWait`. */
    private watchOutages(now: number): void {
        for (const outage of this.outages) {
            const news = outage.watch(now);
            switch (news?.kind) {
                case undefined:
                    break;
                case 'paused':
                    this.hooks.paused?.(this.about(outage, news.message));
                    break;
                case 'resumed':
                    this.hooks.resumed?.(this.about(outage, news.message));
                    break;
                case 'gave-up':
                    if (news.isFirst) this.tellGivenUp(outage, news.message);
                    this.turnAway(outage, news.message);
                    break;
                default:
                    unreachable(news, 'news');
            }
        }
    }

    /** The run continues as long as another model may still be served. */
    private tellGivenUp(outage: OutageWatch, message: string): void {
        const isAsked = ({ address }: EndpointSettings) =>
            this.endpoints.some((one) => one.address === address);
        const isOver =
            this.outages.every((one) => one.hasGivenUp) &&
            this.options.endpoints.every(isAsked) &&
            !(this.options.modelsVary === true && outage.isOfModel);
        if (isOver) this.hooks.gaveUp?.(message);
        else this.hooks.warned?.(this.about(outage, message));
    }

    private about({ model }: OutageWatch, message: string): string {
        return model !== null && this.outages.length > 1 ? `${model}: ${message}` : message;
    }

    private turnAway({ model }: Pick<OutageWatch, 'model'>, message: string): void {
        for (const waiter of this.waiters) {
            if (!concerns({ model }, waiter)) continue;
            this.waiters.delete(waiter);
            waiter.refuse(new NoEndpointError(message));
        }
    }

    /** Sets one alarm for the next change that time alone brings. Without waiters there is none, so that the process can end. */
    private setAlarm(now: number): void {
        this.stopTimer();
        this.stopTimer = () => {};
        if (this.waiters.size === 0) return;
        const moments = this.endpoints.map(
            (endpoint) => endpoint.breaker.changesAt() ?? Number.POSITIVE_INFINITY,
        );
        moments.push(...this.outages.map((outage) => outage.givesUpAt));
        const next = moments.reduce(
            (earliest, moment) => Math.min(earliest, moment),
            Number.POSITIVE_INFINITY,
        );
        if (next === Number.POSITIVE_INFINITY) return;
        this.stopTimer = this.clock.after(Math.max(1, Math.ceil(next - now)), () => this.pump());
    }
}
