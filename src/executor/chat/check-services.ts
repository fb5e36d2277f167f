import { unreachable } from '../../util/unreachable.js';
import { UserError } from '../../util/user-error.js';
import { Fleet } from '../servers/fleet.js';
import { planEndpoints, type ServiceConfig } from './chat-endpoints.js';

/** What asking a service of language models found out, without any part of its key. */
export interface ServiceFinding {
    /** The address without secrets; with where its key is, where that is not enough to tell it. */
    readonly endpoint: string;
    readonly state: 'ok' | 'problem';
    readonly detail: string;
}

/** Seconds that an answer gets. */
const PATIENCE = 15;
const MOST_BYTES = 16 * 1024 * 1024;

/**
 * Asks each service for its list of models with its key, which costs nothing. What a service says is not repeated: some name a part of
 * the key that they refuse.
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
    const request = { method: 'GET', path: '/models', timeout: PATIENCE, maxAnswer: MOST_BYTES } as const;
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
