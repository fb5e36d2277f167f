import { UserError } from '../../util/user-error.js';
import type { PlanContext } from '../executor-kind.js';
import { readLocalOptions } from '../local-options.js';
import { expandEndpoints } from './endpoint-options.js';
import type { SandboxServerOptions } from './server-kind.js';
import type { ServerConfig } from './server-options.js';

/**
 * Plans the part that all descriptors of servers share: the endpoints, and how outputs are checked here.
 * @param executor for messages
 * @returns the options, and lines to show
 * @throws UserError for an invalid address, or if no endpoint was given
 */
export async function planServers(
    executor: string,
    config: ServerConfig,
    context: PlanContext,
): Promise<{ readonly options: SandboxServerOptions; readonly notices: readonly string[] }> {
    const { options, notices } = await readLocalOptions(context);
    const endpoints = expandEndpoints(config.endpoints, '--endpoint');
    if (endpoints.length === 0) {
        throw new UserError(
            `--executor ${executor} needs at least one --endpoint, such as http://127.0.0.1:8080`,
        );
    }
    const { limits, endpointWait, firstTimeout } = config;
    const retryEndpoints = expandEndpoints(config.retryEndpoints, '--retry-endpoint');
    return {
        options: { endpoints, retryEndpoints, limits, endpointWait, firstTimeout, ...options },
        notices,
    };
}
