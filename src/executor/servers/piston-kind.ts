import type { SandboxServerKind, SandboxServerOptions } from './server-kind.js';
import { configureServers, SERVER_OPTIONS, type ServerConfig } from './server-options.js';

export interface PistonConfig extends ServerConfig {
    readonly kind: 'piston';
}

export interface PistonDescriptor extends SandboxServerOptions {
    readonly kind: 'piston';
}

/** Judges programs on Piston servers. */
export const PISTON: SandboxServerKind<typeof SERVER_OPTIONS, PistonConfig, PistonDescriptor> = {
    name: 'piston',
    options: SERVER_OPTIONS,
    judges: true,
    usesEndpoints: true,
    runsIn: 'main',
    configure: (values, context) => ({ kind: 'piston', ...configureServers('piston', values, context) }),
    async plan(config, context) {
        const [{ planServers }, { pistonSkipReason }] = await Promise.all([
            import('./plan-servers.js'),
            import('./piston-languages.js'),
        ]);
        const { options, notices } = await planServers(config.kind, config, context);
        return {
            descriptor: { kind: config.kind, ...options },
            skipReason: pistonSkipReason(options.python2As3),
            notices,
        };
    },
    patience: () => null,
    create: async (descriptor, hooks) =>
        (await import('./piston.js')).createPiston(descriptor, hooks === undefined ? {} : { hooks }),
    createInWorker: async (descriptor) =>
        (await import('./piston.js')).createPiston(
            descriptor,
            (await import('./adopt-servers.js')).WORKER_PARTS,
        ),
    describeForWorkers: async (descriptor) =>
        (await import('./adopt-servers.js')).describeServers(descriptor),
    adopt: async (theirs, own) => (await import('./adopt-servers.js')).adoptPiston(theirs, own),
    checkWorker: async (own) => (await import('./adopt-servers.js')).checkServerWorker(own),
    server: {
        probe: async (ask) => (await import('./piston.js')).probePiston(ask),
        runHello: async (ask) => (await import('./piston.js')).runPistonHello(ask),
        languages: async () => (await import('./piston-languages.js')).pistonTags(),
        describe: (options) => ({ kind: 'piston', ...options }),
    },
};
