import type { ProgramInput } from '../../model/sample.js';

/** SandboxFusion's names for our languages. C is missing on purpose: the server compiles everything as C++. */
const NAMES: Readonly<Record<string, string>> = {
    PYTHON3: 'python',
    CPP: 'cpp',
    JAVA: 'java',
    JAVASCRIPT: 'nodejs',
    TYPESCRIPT: 'typescript',
    GO: 'go',
    RUST: 'rust',
    CSHARP: 'csharp',
    PHP: 'php',
    RUBY: 'ruby',
    PERL: 'perl',
    LUA: 'lua',
    SCALA: 'scala',
    JULIA: 'julia',
    R: 'R',
    BASH: 'bash',
};

/**
 * The server's name for a language tag; null if there is none. The server's `python` is Python 3: Python 2 programs (`PYTHON`)
 * are sent to it only on request (`--python2-as-3`), or by the `/submit` call, as the earlier tools did.
 */
export function toFusionLanguage(
    tag: string,
    api: 'run_code' | 'submit',
    python2As3: boolean,
): string | null {
    if (tag === 'PYTHON') return python2As3 || api === 'submit' ? 'python' : null;
    return NAMES[tag] ?? null;
}

/** Tags of all languages that SandboxFusion itself has a name for. */
export const fusionTags = (): readonly string[] => Object.keys(NAMES);

/** Why SandboxFusion can never run a submission; null if it may. The planner skips such tasks. */
export function explainFusionSkip({
    api,
    python2As3,
}: {
    readonly api: 'run_code' | 'submit';
    readonly python2As3: boolean;
}): (input: ProgramInput) => string | null {
    return ({ language, files }) => {
        if (toFusionLanguage(language, api, python2As3) === null)
            return `SandboxFusion does not support ${language}`;
        if (files.length === 1) return null;
        if (api === 'submit') return 'SandboxFusion takes one source file by /submit';
        return SINGLE_SOURCE.has(language) ? `SandboxFusion compiles one source file of ${language}` : null;
    };
}

/** Languages for which the server would not pass additional files to the compiler. */
const SINGLE_SOURCE: ReadonlySet<string> = new Set(['CPP', 'GO', 'RUST', 'CSHARP', 'SCALA']);
