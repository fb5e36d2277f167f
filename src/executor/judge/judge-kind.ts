import { PROBLEM_FEATURES } from '../../model/problem-features.js';
import type { JudgingOptions, LocalOptions } from '../descriptor.js';
import type { WorkerExecutorKind } from '../executor-kind.js';

// Judging options belong to every executor that judges: config/run-options/limits.ts.
const OPTIONS = {};

export interface JudgeConfig {
    readonly kind: 'judge';
}

export interface JudgeDescriptor extends JudgingOptions, LocalOptions {
    readonly kind: 'judge';
}

/**
 * A judge's worker limits every program itself; this patience is the last resort if that fails. Seconds per test, and for
 * compiling.
 */
const SLACK = { factor: 4, perTest: 30, compile: 600 } as const;
/** Tests per submission assumed for that patience: a hung worker must be noticed eventually, not soon. */
const TESTS_BOUND = 200;

/** Judges programs on this machine. */
export const JUDGE: WorkerExecutorKind<typeof OPTIONS, JudgeConfig, JudgeDescriptor> = {
    name: 'judge',
    options: OPTIONS,
    judges: true,
    usesEndpoints: false,
    runsIn: 'worker',
    configure: () => ({ kind: 'judge' }),
    async plan({ kind }, context) {
        const [{ readLocalOptions }, languages, { buildLanguageTable, findLanguageByFile }] =
            await Promise.all([
                import('../local-options.js'),
                import('./available.js'),
                import('./languages.js'),
            ]);
        const { options, notices } = await readLocalOptions(context);
        const available = await languages.findAvailableLanguages(
            options.languages,
            options.python2As3,
            options.sandbox,
        );
        const table = buildLanguageTable({ overrides: options.languages, python2As3: options.python2As3 });
        const compilers = new Map<string, string>();
        for (const [tag, { compiler }] of available) if (compiler !== null) compilers.set(tag, compiler);
        // Tasks for workers wait for one that has their toolchain, and any worker that has it may compile them.
        const runnable = context.isQueued ? table : available;
        return {
            descriptor: { kind, ...options },
            skipReason: ({ language }) => (runnable.has(language) ? null : `no toolchain for ${language}`),
            features: PROBLEM_FEATURES,
            createTestMaker: async (making) => {
                const { SandboxTestMaker } = await import('./make-tests.js');
                return new SandboxTestMaker({ ...options, ...making });
            },
            languages: [...runnable.keys()],
            compilers: context.isQueued ? new Map() : compilers,
            toolchains: languages.describeToolchains(available),
            languageOf: ({ language, files: [main] }) =>
                (language === null ? findLanguageByFile(table, main.name) : table.get(language.toUpperCase()))
                    ?.tag ?? null,
            sandbox: options.sandbox,
            notices,
        };
    },
    patience(_descriptor, { limits }) {
        const seconds = limits?.time ?? 0;
        return SLACK.compile + (seconds * SLACK.factor + SLACK.perTest) * TESTS_BOUND;
    },
    adopt: async (theirs, own) => (await import('../adopt-descriptor.js')).adoptJudge(theirs, own),
    create: async (descriptor) => (await import('./judge.js')).createJudge(descriptor),
};
