import { configureServers, SERVER_OPTIONS, type ServerConfig } from './server-options.js';
import type { SandboxServerKind, SandboxServerOptions } from './server-kind.js';

export interface GoJudgeConfig extends ServerConfig {
    readonly kind: 'go-judge';
}

export interface GoJudgeDescriptor extends SandboxServerOptions {
    readonly kind: 'go-judge';
}

/** Judges programs on go-judge servers. */
export const GO_JUDGE: SandboxServerKind<typeof SERVER_OPTIONS, GoJudgeConfig, GoJudgeDescriptor> = {
    name: 'go-judge',
    options: SERVER_OPTIONS,
    judges: true,
    usesEndpoints: true,
    runsIn: 'main',
    configure: (values, context) => ({
        kind: 'go-judge',
        ...configureServers('go-judge', values, context),
    }),
    async plan(config, context) {
        const [{ planServers }, { buildLanguageTable }] = await Promise.all([
            import('./plan-servers.js'),
            import('../judge/languages.js'),
        ]);
        const { options, notices } = await planServers(config.kind, config, context);
        const table = buildLanguageTable({ overrides: options.languages, python2As3: options.python2As3 });
        return {
            descriptor: { kind: config.kind, ...options },
            // Other features need files beside the program, or a judge that reads its source.
            features: ['interactive', 'multi-pass', 'program arguments', 'named files'],
            skipReason: ({ language }) => (table.has(language) ? null : `unknown language ${language}`),
            notices,
        };
    },
    patience: () => null,
    create: async (descriptor, hooks) =>
        (await import('./go-judge.js')).createGoJudge(descriptor, hooks === undefined ? {} : { hooks }),
    createInWorker: async (descriptor) =>
        (await import('./go-judge.js')).createGoJudge(
            descriptor,
            (await import('./adopt-servers.js')).WORKER_PARTS,
        ),
    describeForWorkers: async (descriptor) =>
        (await import('./adopt-servers.js')).describeServers(descriptor),
    adopt: async (theirs, own) => (await import('./adopt-servers.js')).adoptGoJudge(theirs, own),
    checkWorker: async (own) => (await import('./adopt-servers.js')).checkServerWorker(own),
    server: {
        probe: async (ask) => (await import('./go-judge.js')).probeGoJudge(ask),
        async languages() {
            const [{ buildLanguageTable }, { PYPY3 }] = await Promise.all([
                import('../judge/languages.js'),
                import('../judge/language-table.js'),
            ]);
            const table = buildLanguageTable({ overrides: {}, python2As3: false });
            return [...table.keys()].filter((tag) => tag !== PYPY3);
        },
        describe: (options) => ({ kind: 'go-judge', ...options }),
    },
};
