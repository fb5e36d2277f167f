import type { RequestTimeouts } from './chat-client.js';
import type { OptionTable, Values } from '../../config/option.js';
import { UserError } from '../../util/user-error.js';
import { SERVER_OPTIONS } from '../servers/server-options.js';
import type { ServiceConfig } from './chat-endpoints.js';
import { PROVIDER_NAMES } from './providers.js';

/** Options for which language model services are used, and how fast. */
export const SERVICE_OPTIONS = {
    provider: {
        kind: 'choice',
        choices: PROVIDER_NAMES,
        repeatable: true,
        default: [],
        placeholder: '<name>',
        group: 'Language models',
        about: 'Service to ask, without its base URL; with --endpoint: what these are',
        decides: 'verdict',
        effect: 'answers that are there stay',
    },
    'api-key-env': {
        kind: 'text',
        default: null,
        defaultText: "by the service's address: OPENAI_API_KEY, ...",
        placeholder: '<NAME>',
        group: 'Language models',
        about: 'Variable that holds the key of endpoints without one of their own; several: A,B',
        decides: 'service',
    },
    'requests-per-minute': {
        kind: 'integer',
        default: null,
        defaultText: 'no limit',
        min: 1,
        placeholder: '<n>',
        group: 'Language models',
        about: 'Requests a minute, for each account and model',
        decides: 'service',
    },
    'tokens-per-minute': {
        kind: 'integer',
        default: null,
        defaultText: 'no limit',
        min: 1,
        placeholder: '<n>',
        group: 'Language models',
        about: 'Tokens a minute, for each account and model',
        decides: 'service',
    },
    stream: {
        kind: 'flag',
        default: false,
        group: 'Language models',
        about: 'Have answers streamed, and keep how long the first token took (time_to_first_token)',
        decides: 'run',
    },
    'connect-timeout': {
        kind: 'seconds',
        default: 10,
        placeholder: '<seconds>',
        group: 'Language models',
        about: 'Time to make a connection to a service',
        decides: 'run',
    },
    'first-byte-timeout': {
        kind: 'seconds',
        default: null,
        defaultText: 'only --timeout',
        placeholder: '<seconds>',
        group: 'Language models',
        about: 'Time until an answer begins; without --stream that is as long as the model writes',
        decides: 'run',
    },
    'idle-timeout': {
        kind: 'seconds',
        default: 60,
        placeholder: '<seconds>',
        group: 'Language models',
        about: 'Time between two pieces of an answer that has begun; --timeout bounds the whole request',
        decides: 'run',
    },
    'max-cost': {
        kind: 'factor',
        default: null,
        defaultText: 'no bound',
        min: 0,
        placeholder: '<dollars>',
        group: 'Language models',
        about: 'US dollars that this start may spend, with what is in flight set aside; then it stops',
        decides: 'run',
    },
    'max-tokens-total': {
        kind: 'integer',
        default: null,
        defaultText: 'no bound',
        min: 1,
        placeholder: '<n>',
        group: 'Language models',
        about: 'Tokens that this start may use, with what is in flight set aside; then it stops',
        decides: 'run',
    },
} as const satisfies OptionTable;

type ServiceValues = Values<typeof SERVICE_OPTIONS> &
    Values<Pick<typeof SERVER_OPTIONS, 'endpoint' | 'endpoint-limits' | 'endpoint-wait'>>;

/** Timeouts of a request besides `--timeout`. */
export const chooseTimeouts = (values: Values<typeof SERVICE_OPTIONS>): RequestTimeouts => ({
    connect: values['connect-timeout'],
    firstByte: values['first-byte-timeout'],
    idle: values['idle-timeout'],
});

/** @throws UserError if no service is named, or too many for the endpoints */
export function configureService(values: ServiceValues): ServiceConfig {
    const { endpoint: endpoints, provider: providers } = values;
    if (endpoints.length === 0 && providers.length === 0) {
        throw new UserError(
            'choose a service with --endpoint <base URL>, such as http://127.0.0.1:8000/v1, ' +
                `or by --provider: ${PROVIDER_NAMES.join(', ')}`,
        );
    }
    if (endpoints.length > 0 && providers.length > 1)
        throw new UserError(
            '--endpoint can be combined with only one --provider, which applies to all endpoints',
        );
    return {
        servers: { endpoints, limits: values['endpoint-limits'], endpointWait: values['endpoint-wait'] },
        providers,
        apiKeyEnv: values['api-key-env'],
        requestsPerMinute: values['requests-per-minute'],
        tokensPerMinute: values['tokens-per-minute'],
    };
}
