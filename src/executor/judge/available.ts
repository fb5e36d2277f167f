import type { LanguageOverride, SandboxKind } from '../descriptor.js';
import { type LanguageSettings, buildLanguageTable } from './languages.js';
import { describeCompiler, Toolchains, findUsableLanguage } from './toolchains.js';

/** A language that can run here, for planning. */
export interface AvailableLanguage {
    readonly name: string;
    /** Version of the compiler or interpreter. */
    readonly version: string;
    /** Path of the compiler or interpreter. */
    readonly run: string;
    /** See `describeCompiler`. */
    readonly compiler: string | null;
    /** Tools with the same name that were rejected, and why, one line each. */
    readonly passedOver: readonly string[];
}

export interface Languages {
    readonly available: ReadonlyMap<string, AvailableLanguage>;
    /** Why the others cannot run, by tag: `kotlinc not found`. */
    readonly missing: ReadonlyMap<string, string>;
}

/**
 * Looks for the toolchains of all languages; starts each tool once, to learn its version.
 * @param sandbox as root, only `none` lets programs use tools that an unprivileged user cannot reach
 */
export async function findLanguages(settings: LanguageSettings, sandbox: SandboxKind): Promise<Languages> {
    const toolchains = new Toolchains(sandbox);
    const available = new Map<string, AvailableLanguage>();
    const missing = new Map<string, string>();
    const languages = [...buildLanguageTable(settings).values()];
    const found = await Promise.all(
        languages.map(async (language) => ({
            language,
            usable: await findUsableLanguage(language, toolchains),
        })),
    );
    for (const { language, usable } of found) {
        if (typeof usable === 'string') {
            missing.set(language.tag, usable);
            continue;
        }
        const tool = usable.compiler ?? usable.runner;
        const passedOver = tool === null ? [] : (await toolchains.find(tool.name)).passedOver;
        available.set(language.tag, {
            name: language.name,
            version: tool?.version ?? '',
            run: tool?.path ?? usable.run[0] ?? '',
            compiler: describeCompiler(usable),
            passedOver,
        });
    }
    return { available, missing };
}

/** The languages that can run here, by tag. */
export async function findAvailableLanguages(
    overrides: Readonly<Record<string, LanguageOverride>>,
    python2As3: boolean,
    sandbox: SandboxKind,
): Promise<ReadonlyMap<string, AvailableLanguage>> {
    return (await findLanguages({ overrides, python2As3 }, sandbox)).available;
}

/** Versions of each language's compiler or interpreter, by tag, which may differ between machines. */
export const describeToolchains = (
    available: ReadonlyMap<string, AvailableLanguage>,
): Readonly<Record<string, string>> =>
    Object.fromEntries([...available].map(([tag, { version }]) => [tag, version]));
