import { unreachable } from '../../util/unreachable.js';
import { UserError } from '../../util/user-error.js';
import { Fleet } from '../servers/fleet.js';
import { planEndpoints, type ServiceConfig } from './chat-endpoints.js';

/** The result of querying a language model service, without any part of its key. */
export interface ServiceFinding {
    /** The address without secrets, and where its key is stored if the address alone is ambiguous. */
    readonly endpoint: string;
    readonly state: 'ok' | 'problem';
    readonly detail: string;
}

/** Timeout of an answer in seconds. */
const TIMEOUT_S = 15;
const MAX_BYTES = 16 * 1024 * 1024;

/**
 * Requests each service's list of models with its key, which is free. The service's reply is not repeated, since some include a
 * part of the rejected key.
 */
export async function checkServices(
    service: Pick<ServiceConfig, 'providers' | 'apiKeyEnv'> & {
        readonly endpoints: ServiceConfig['servers']['endpoints'];
    },
): Promise<readonly ServiceFinding[]> {
    const { endpoints, providers, apiKeyEnv } = service;
    const config: ServiceConfig = {
        servers: { endpoints, limits: 'fixed', endpointWait: null },
        providers,
        apiKeyEnv,
        requestsPerMinute: null,
        tokensPerMinute: null,
    };
    let fleet: Fleet;
    try {
        fleet = new Fleet(
            planEndpoints(config, []),
            1,
            () => Promise.resolve({ outcome: 'ok', wait: null, message: '' }),
            {},
            undefined,
            { usesProxy: true },
        );
    } catch (error) {
        if (!(error instanceof UserError)) throw error;
        return [{ endpoint: 'settings', state: 'problem', detail: error.message }];
    }
    try {
        return await Promise.all(fleet.pool.states().map(({ endpoint }) => askOne(fleet, endpoint)));
    } finally {
        await fleet.close();
    }
}

async function askOne(fleet: Fleet, endpoint: string): Promise<ServiceFinding> {
    const request = { method: 'GET', path: '/models', timeout: TIMEOUT_S, maxAnswer: MAX_BYTES } as const;
    const answer = await fleet.send(endpoint, request, new AbortController().signal);
    switch (answer.kind) {
        case 'answer':
            return { endpoint, state: 'ok', detail: `answers (${Math.round(answer.took)} ms)` };
        case 'aborted':
            return { endpoint, state: 'problem', detail: 'the question was stopped' };
        case 'failure':
            return { endpoint, ...describeStatus(answer.status, answer.message) };
        default:
            return unreachable(answer, 'answer');
    }
}

function describeStatus(status: number | null, message: string): Pick<ServiceFinding, 'state' | 'detail'> {
    switch (status) {
        case null:
            return { state: 'problem', detail: `cannot be reached: ${message}` };
        case 401:
        case 403:
            return { state: 'problem', detail: `refuses the key, or needs one (status ${status})` };
        case 404:
        case 405:
            return { state: 'ok', detail: `answers; it has no list of models (status ${status})` };
        default:
            return { state: 'problem', detail: `answers with status ${status}` };
    }
}
