import type { OptionTable } from '../../config/option.js';
import { configureServers, SERVER_OPTIONS, type ServerConfig } from './server-options.js';
import type { ProbeOutcome } from '../../endpoint/pool.js';
import type { Ask } from './fleet.js';
import type { SandboxServerKind, SandboxServerOptions } from './server-kind.js';

const OPTIONS = {
    ...SERVER_OPTIONS,
    'fusion-api': {
        kind: 'choice',
        choices: ['run_code', 'submit'],
        default: 'run_code',
        placeholder: '<api>',
        group: 'Sandbox servers',
        about: 'SandboxFusion: our checkers (run_code), or its own judge (submit)',
        decides: 'verdict',
        effect: 'existing verdicts stay',
    },
} as const satisfies OptionTable;

export interface SandboxFusionConfig extends ServerConfig {
    readonly kind: 'sandbox-fusion';
    readonly api: 'run_code' | 'submit';
}

export interface SandboxFusionDescriptor extends SandboxServerOptions {
    readonly kind: 'sandbox-fusion';
    /** `/run_code` with our checkers, or `/submit` as the earlier tools called it. */
    readonly api: 'run_code' | 'submit';
    /**
     * `--memory-limit` in bytes; null if it was not given, and then no limit is sent. `/submit` takes none. The limit is stored
     * here and in the limits of entries, but never in a fingerprint.
     */
    readonly memoryLimit: number | null;
}

async function askForHello(ask: Ask): Promise<ProbeOutcome> {
    const { probeFusion } = await import('./sandbox-fusion.js');
    return probeFusion(ask, { api: 'run_code', memoryLimit: null }, null);
}

/** Judges programs on SandboxFusion servers. */
export const SANDBOX_FUSION: SandboxServerKind<typeof OPTIONS, SandboxFusionConfig, SandboxFusionDescriptor> =
    {
        name: 'sandbox-fusion',
        options: OPTIONS,
        judges: true,
        usesEndpoints: true,
        runsIn: 'main',
        configure: (values, context) => ({
            kind: 'sandbox-fusion',
            api: values['fusion-api'],
            ...configureServers('sandbox-fusion', values, context),
        }),
        async plan(config, context) {
            const [{ planServers }, { explainFusionSkip }] = await Promise.all([
                import('./plan-servers.js'),
                import('./fusion-languages.js'),
            ]);
            const { options, notices } = await planServers(config.kind, config, context);
            const { memoryLimit } = context;
            const descriptor = { kind: config.kind, api: config.api, memoryLimit, ...options };
            return {
                descriptor,
                // The server limits address space, for compilers too, so do that only on request.
                memoryHolding: config.api === 'run_code' ? 'if-given' : 'never',
                skipReason: explainFusionSkip(descriptor),
                notices,
                ...(config.api === 'submit' ? { comparison: 'the servers (--fusion-api submit)' } : {}),
            };
        },
        patience: () => null,
        create: async (descriptor, hooks) =>
            (await import('./sandbox-fusion.js')).createSandboxFusion(
                descriptor,
                hooks === undefined ? {} : { hooks },
            ),
        createInWorker: async (descriptor) =>
            (await import('./sandbox-fusion.js')).createSandboxFusion(
                descriptor,
                (await import('./adopt-servers.js')).WORKER_PARTS,
            ),
        describeForWorkers: async (descriptor) =>
            (await import('./adopt-servers.js')).describeServers(descriptor),
        adopt: async (theirs, own) => (await import('./adopt-servers.js')).adoptSandboxFusion(theirs, own),
        checkWorker: async (own) => (await import('./adopt-servers.js')).checkServerWorker(own),
        server: {
            probe: askForHello,
            runHello: askForHello,
            languages: async () => (await import('./fusion-languages.js')).fusionTags(),
            describe: (options) => ({
                kind: 'sandbox-fusion',
                api: 'run_code',
                memoryLimit: null,
                ...options,
            }),
        },
    };
