import { setMaxListeners } from 'node:events';
import { basename } from 'node:path';
import { buildBasicAuthorization, displayAddress } from '../../endpoint/address.js';
import type { HttpAnswer } from '../../endpoint/http-messages.js';
import { HttpClient } from '../../endpoint/http.js';
import { EndpointPool, type PoolHooks, type ProbeOutcome } from '../../endpoint/pool.js';
import { readToken } from '../../endpoint/secrets.js';
import type { EndpointOptions, ServerOptions } from '../descriptor.js';
import type { UpcomingWork } from './server-executor.js';

/** A request to any endpoint: its path is relative to the endpoint's base address. */
export interface FleetRequest {
    readonly method: 'GET' | 'POST' | 'DELETE';
    /** Begins with `/`. */
    readonly path: string;
    readonly body?: string | Buffer;
    readonly contentType?: string;
    /** Seconds for the whole exchange, including the body. */
    readonly timeout: number;
    /** Seconds until the answer begins, and between two pieces of it; absent: only `timeout` applies. */
    readonly firstByteTimeout?: number | undefined;
    readonly idleTimeout?: number | undefined;
    /** Most bytes of the answer that are read. */
    readonly maxAnswer: number;
}

export interface FleetSettings {
    /** Seconds to establish a connection; absent: the default of 10. */
    readonly connectTimeout?: number | undefined;
    /** True where tasks name their models. */
    readonly modelsVary?: boolean;
    /** Whether proxies named by the environment are used; sandbox servers are accessed directly. */
    readonly usesProxy?: boolean;
}

/** The servers of one executor: their settings, the connections to them, and the pool that hands out places. */
export class Fleet {
    readonly pool: EndpointPool;
    private readonly client: HttpClient;
    private readonly background = new Set<Promise<void>>();
    private readonly known: ReadonlyMap<string, Target>;

    /**
     * @param probe one request that shows whether an endpoint is healthy, and how its answer is read
     * @param runHello runs a hello-world, if the best number of concurrent requests has to be found by experiment
     * @throws UserError if a token cannot be read
     */
    constructor(
        options: ServerOptions,
        defaultConcurrency: number,
        probe: (ask: Ask, signal: AbortSignal, address: string) => Promise<ProbeOutcome>,
        hooks: PoolHooks = {},
        runHello?: (ask: Ask, address: string) => Promise<ProbeOutcome>,
        { connectTimeout, modelsVary = false, usesProxy = false }: FleetSettings = {},
    ) {
        this.client = new HttpClient({ connectTimeout: inMilliseconds(connectTimeout), usesProxy });
        const all = [...options.endpoints, ...options.retryEndpoints];
        const names = nameEndpoints(all);
        this.known = new Map(all.map((one) => [names.get(one) ?? '', makeTarget(one)]));
        const settings = (one: EndpointOptions) => ({
            address: names.get(one) ?? '',
            concurrency: one.concurrency,
            rate: one.rate,
            requestsPerMinute: one.requestsPerMinute ?? null,
            tokensPerMinute: one.tokensPerMinute ?? null,
            ...(one.deployments === undefined ? {} : { models: Object.keys(one.deployments) }),
            ...(one.account === undefined ? {} : { account: one.account }),
        });
        this.pool = new EndpointPool({
            endpoints: options.endpoints.map(settings),
            reserve: options.retryEndpoints.map(settings),
            limits: options.limits,
            defaultConcurrency,
            endpointWait: options.endpointWait,
            probe: (address, signal) =>
                probe((request) => this.send(address, request, signal), signal, address),
            ...(runHello === undefined
                ? {}
                : {
                      runHello: (address: string, signal: AbortSignal) =>
                          runHello((request) => this.send(address, request, signal), address),
                  }),
            ...(modelsVary ? { modelsVary } : {}),
            hooks,
        });
    }

    /** Whether all endpoints, including the reserve, are among these. */
    isWithin(addresses: ReadonlySet<string>): boolean {
        return [...this.known.keys()].every((address) => addresses.has(address));
    }

    /** An endpoint that serves a model; undefined: none does. */
    endpointFor(model: string): EndpointOptions | undefined {
        const all = [...this.known.values()].map(({ options }) => options);
        return all.find(({ deployments }) => deployments === undefined || Object.hasOwn(deployments, model));
    }

    /** The settings of an endpoint. @param address its name in the pool */
    getOptions(address: string): EndpointOptions {
        return this.#target(address).options;
    }

    /** Sends one request to an endpoint of the fleet. Never rejects because of the endpoint. */
    send(address: string, request: FleetRequest, signal: AbortSignal): Promise<HttpAnswer> {
        const target = this.#target(address);
        const sendable = {
            method: request.method,
            origin: target.origin,
            path: target.prefix + request.path + target.query,
            headers:
                request.body === undefined
                    ? target.headers
                    : request.contentType === undefined
                      ? target.jsonHeaders
                      : { ...target.headers, 'content-type': request.contentType },
            ...(request.body === undefined ? {} : { body: request.body }),
            timeout: request.timeout * 1000,
            firstByteTimeout: inMilliseconds(request.firstByteTimeout),
            idleTimeout: inMilliseconds(request.idleTimeout),
            maxAnswer: request.maxAnswer,
        };
        return this.client.send(sendable, signal);
    }

    #target(address: string): Target {
        const target = this.known.get(address);
        if (target === undefined) throw new Error(`bug in resume-run: no endpoint ${address}`);
        return target;
    }

    /** Sends a request without waiting for the answer; only `close` waits. */
    later(address: string, request: FleetRequest): void {
        const sending = this.send(address, request, NEVER).then(() => void this.background.delete(sending));
        this.background.add(sending);
    }

    /** Announces the coming work. */
    prepare({ tasks, concurrency, runsHere }: UpcomingWork): void {
        if (runsHere) this.client.expect(Math.min(tasks, concurrency ?? this.pool.concurrency));
    }

    async close(): Promise<void> {
        this.pool.close();
        await Promise.all(this.background);
        await this.client.close();
    }
}

const inMilliseconds = (seconds: number | undefined): number | undefined =>
    seconds === undefined ? undefined : seconds * 1000;

const NEVER = new AbortController().signal;
setMaxListeners(0, NEVER);

/** Asks one endpoint. */
export type Ask = (request: FleetRequest) => Promise<HttpAnswer>;

interface Target {
    readonly origin: string;
    /** Path of the base address, without a final slash. */
    readonly prefix: string;
    /** With its question mark; empty if there is none. */
    readonly query: string;
    readonly options: EndpointOptions;
    readonly headers: Readonly<Record<string, string>>;
    /** The same, with the content type of nearly every body. */
    readonly jsonHeaders: Readonly<Record<string, string>>;
}

function makeTarget(endpoint: EndpointOptions): Target {
    const headers: Record<string, string> = { accept: 'application/json' };
    const basic = buildBasicAuthorization(endpoint.url);
    if (basic !== null) headers['authorization'] = basic;
    if (endpoint.token !== null) {
        const token = readToken(endpoint.token);
        if (endpoint.tokenHeader === undefined) headers['authorization'] = `Bearer ${token}`;
        else headers[endpoint.tokenHeader] = token;
    }
    for (const [name, value] of Object.entries(endpoint.headers)) headers[name.toLowerCase()] = value;
    const { origin, pathname } = new URL(endpoint.sentTo ?? endpoint.url);
    const jsonHeaders = { ...headers, 'content-type': 'application/json' };
    const query = endpoint.apiVersion === undefined ? '' : `?api-version=${endpoint.apiVersion}`;
    return { origin, prefix: pathname.replace(/\/+$/, ''), query, options: endpoint, headers, jsonHeaders };
}

/** Names each endpoint by its address, plus where its key comes from if the address is ambiguous. */
export function nameEndpoints(all: readonly EndpointOptions[]): ReadonlyMap<EndpointOptions, string> {
    const distinct = (name: (one: EndpointOptions) => string, more: (one: EndpointOptions) => string) => {
        const by = new Map<string, Set<string>>();
        for (const one of all) by.set(name(one), (by.get(name(one)) ?? new Set()).add(more(one)));
        return (one: EndpointOptions): string =>
            (by.get(name(one))?.size ?? 0) > 1 ? `${name(one)} ${more(one)}` : name(one);
    };
    const address = (one: EndpointOptions): string => displayAddress(one.url);
    const name = distinct(address, ({ token }) =>
        token === null ? '[no key]' : `[${'env' in token ? token.env : basename(token.file)}]`,
    );
    return new Map(all.map((one) => [one, one.name ?? name(one)]));
}
