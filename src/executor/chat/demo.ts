import { DEMO_HOST, createDemoServer, readDemoSettings } from '../../demo/demo-endpoint.js';
import type { EndpointOptions, ServerOptions } from '../descriptor.js';
import type { ServerExecutor } from '../servers/server-executor.js';
import type { ChatDescriptor } from './chat-kind.js';

/**
 * Builds the executor, with a local server for each endpoint on the demonstration host; the servers stop with the executor.
 * @throws UserError for an address on that host that is not valid
 */
export async function startDemo(
    descriptor: ChatDescriptor,
    create: (descriptor: ChatDescriptor) => ServerExecutor,
): Promise<ServerExecutor> {
    const demo = await startDemoServers(descriptor.servers);
    if (demo === null) return create(descriptor);
    const workerDescriptor = { ...descriptor, servers: demo.servers };
    try {
        const executor = create(workerDescriptor);
        const close = async (): Promise<void> => {
            try {
                await executor.close();
            } finally {
                await demo.stop();
            }
        };
        return { ...executor, workerDescriptor, close };
    } catch (error) {
        await demo.stop();
        throw error;
    }
}

/** Local servers that replace endpoints on the demonstration host. */
interface DemoServers {
    readonly servers: ServerOptions;
    stop(): Promise<void>;
}

/**
 * @returns null if no endpoint is on the demonstration host
 * @throws UserError for an address on that host that is not valid
 */
export async function startDemoServers(servers: ServerOptions): Promise<DemoServers | null> {
    if (servers.endpoints.every(({ url }) => !isDemo(url))) return null;
    const started: ReturnType<typeof createDemoServer>[] = [];
    const stop = async () => void (await Promise.all(started.map((server) => server.stop())));
    const endpoints: EndpointOptions[] = [];
    try {
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
    } catch (error) {
        await stop();
        throw error;
    }
    return { servers: { ...servers, endpoints }, stop };
}

const isDemo = (url: string): boolean => new URL(url).hostname === DEMO_HOST;
