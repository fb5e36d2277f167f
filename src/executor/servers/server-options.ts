import type { EndpointSetting, OptionTable, Values } from '../../config/option.js';
import { ENDPOINT } from '../../config/values/endpoint.js';
import { UserError } from '../../util/user-error.js';
import type { ConfigureContext } from '../executor-kind.js';

/** Options of the executors that talk to sandbox servers. */
export const SERVER_OPTIONS = {
    endpoint: {
        kind: 'parsed',
        aliases: ['base-url'],
        parser: ENDPOINT,
        repeatable: true,
        default: [],
        placeholder: '<url>',
        group: 'Sandbox servers',
        about: 'A server, a comma list, or a range: http://10.0.0.{1..4}:{8080..8207}/',
        decides: 'verdict',
        effect: 'existing verdicts stay',
    },
    'retry-endpoint': {
        kind: 'parsed',
        parser: ENDPOINT,
        repeatable: true,
        default: [],
        placeholder: '<url>',
        group: 'Sandbox servers',
        about: 'Servers for the second try of suspect results',
        decides: 'verdict',
        effect: 'existing verdicts stay',
    },
    'endpoint-limits': {
        kind: 'choice',
        aliases: ['rate-mode'],
        choices: ['fixed', 'adaptive'],
        default: 'adaptive',
        placeholder: '<how>',
        group: 'Sandbox servers',
        about: 'Requests at once to a server: as given (fixed), or by how it copes (adaptive)',
        decides: 'run',
    },
    'endpoint-wait': {
        kind: 'seconds',
        default: null,
        defaultText: 'for ever',
        min: 0,
        max: 2_000_000,
        placeholder: '<seconds>',
        group: 'Sandbox servers',
        about: 'How long to wait when no server answers',
        decides: 'run',
    },
    'first-timeout': {
        kind: 'seconds',
        default: null,
        defaultText: 'off',
        min: 0.001,
        max: 2_000_000,
        placeholder: '<seconds>',
        group: 'Sandbox servers',
        about: 'Start here, and go on to --timeout only where the output so far is right',
        decides: 'verdict',
        effect: 'existing verdicts stay',
    },
} as const satisfies OptionTable;

/** The values of the options above, validated. */
export interface ServerConfig {
    /** As given: ranges and comma-separated lists stand for several endpoints. */
    readonly endpoints: readonly EndpointSetting[];
    readonly retryEndpoints: readonly EndpointSetting[];
    readonly limits: 'fixed' | 'adaptive';
    /** Seconds; null: forever. */
    readonly endpointWait: number | null;
    /** Seconds; null: off. */
    readonly firstTimeout: number | null;
}

/**
 * @param executor for messages
 * @throws UserError if no endpoint is given, or the first time limit is above the last
 */
export function configureServers(
    executor: string,
    values: Values<typeof SERVER_OPTIONS>,
    { timeout }: ConfigureContext,
): ServerConfig {
    const firstTimeout = values['first-timeout'];
    if (values.endpoint.length === 0) {
        throw new UserError(`--executor ${executor} needs --endpoint <url>, such as http://127.0.0.1:8080`);
    }
    if (firstTimeout !== null && firstTimeout > timeout) {
        throw new UserError(`--first-timeout ${firstTimeout} must not exceed --timeout ${timeout}`);
    }
    return {
        endpoints: values.endpoint,
        retryEndpoints: values['retry-endpoint'],
        limits: values['endpoint-limits'],
        endpointWait: values['endpoint-wait'],
        firstTimeout,
    };
}
