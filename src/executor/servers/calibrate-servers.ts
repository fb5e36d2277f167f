import { displayAddress } from '../../endpoint/address.js';
import { type Calibration, calibrate, MAX_WIDTH, findMachine } from '../../endpoint/calibration.js';
import { realClock } from '../../util/clock.js';
import type { EndpointOptions, ServerOptions } from '../descriptor.js';
import { SERVER_KINDS } from '../kinds.js';
import { Fleet } from './fleet.js';
import type { EndpointReport } from './probe.js';
import type { SandboxServerKind } from './server-kind.js';

/**
 * Finds the best number of concurrent requests for servers, jointly for those on one machine, as a run does.
 * @param endpoints in the order of `reports`; a concurrency configured for an endpoint is never exceeded
 * @returns the reports with the results; null for servers that report overload themselves
 */
export async function calibrateServers(
    endpoints: readonly EndpointOptions[],
    reports: readonly EndpointReport[],
    signal: AbortSignal,
): Promise<readonly EndpointReport[]> {
    const machines = new Map<string, EndpointOptions[]>();
    for (const [index, endpoint] of endpoints.entries()) {
        const report = reports[index];
        if (
            report === undefined ||
            report.problem !== null ||
            chooseKind(report)?.server.runHello === undefined
        )
            continue;
        const key = `${report.kind} ${findMachine(report.endpoint)}`;
        machines.set(key, [...(machines.get(key) ?? []), endpoint]);
    }
    const found = new Map<string, Calibration | null>();
    await Promise.all(
        [...machines].map(async ([key, together]) => {
            const kind = SERVER_KINDS.find(({ name }) => key.startsWith(`${name} `));
            const calibration = kind === undefined ? null : await calibrateMachine(kind, together, signal);
            for (const { url } of together) found.set(displayAddress(url), calibration);
        }),
    );
    return reports.map((report) => ({ ...report, calibration: found.get(report.endpoint) ?? null }));
}

const chooseKind = (report: EndpointReport): SandboxServerKind | undefined =>
    SERVER_KINDS.find(({ name }) => name === report.kind);

async function calibrateMachine(
    kind: SandboxServerKind,
    endpoints: readonly EndpointOptions[],
    signal: AbortSignal,
): Promise<Calibration | null> {
    const options: ServerOptions = {
        endpoints,
        retryEndpoints: [],
        limits: 'fixed',
        endpointWait: 0,
        firstTimeout: null,
    };
    const fleet = new Fleet(options, 1, () => Promise.resolve({ outcome: 'ok', wait: null, message: '' }));
    try {
        return await calibrate({
            addresses: endpoints.map(({ url }) => displayAddress(url)),
            atMost: Math.min(MAX_WIDTH, ...endpoints.map((one) => one.concurrency ?? MAX_WIDTH)),
            runHello: async (address) => {
                const ran = await kind.server.runHello?.((request) => fleet.send(address, request, signal));
                return ran?.outcome === 'ok';
            },
            clock: realClock,
            signal,
        });
    } finally {
        await fleet.close();
    }
}
