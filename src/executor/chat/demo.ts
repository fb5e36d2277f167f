import { DEMO_HOST, createDemoServer, readDemoSettings } from '../../demo/demo-endpoint.js';
import type { ServerExecutor } from '../servers/server-executor.js';
import type { ChatDescriptor } from './chat-kind.js';

/**
 * Builds the executor, with a local server for each endpoint of the demonstration host; they end with the executor.
 * @throws UserError for an address of that host that means nothing
 */
export async function startDemo(
    descriptor: ChatDescriptor,
    create: (descriptor: ChatDescriptor) => ServerExecutor,
): Promise<ServerExecutor> {
    const { servers } = descriptor;
    if (servers.endpoints.every(({ url }) => !isDemo(url))) return create(descriptor);
    const started: ReturnType<typeof createDemoServer>[] = [];
    const endpoints = [];
    for (const endpoint of servers.endpoints) {
        if (!isDemo(endpoint.url)) {
            endpoints.push(endpoint);
            continue;
        }
        const server = createDemoServer(readDemoSettings(endpoint.url));
        await server.start();
        started.push(server);
        endpoints.push({ ...endpoint, sentTo: server.url });
    }
    const workerDescriptor = { ...descriptor, servers: { ...servers, endpoints } };
    const executor = create(workerDescriptor);
    return {
        ...executor,
        workerDescriptor,
        close: async () => {
            await executor.close();
            await Promise.all(started.map((server) => server.stop()));
        },
    };
}

const isDemo = (url: string): boolean => new URL(url).hostname === DEMO_HOST;
