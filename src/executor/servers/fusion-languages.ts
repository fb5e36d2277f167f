import type { ProgramInput } from '../../model/sample.js';

/** What SandboxFusion calls our languages. C is missing on purpose: it compiles everything as C++. */
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
 * The server's name for a language tag; null where it has none. Its `python` is Python 3: Python 2 programs (`PYTHON`) are
 * sent to it only on request (`--python2-as-3`), or by the `/submit` call, as the earlier tools did.
 */
export function toFusionLanguage(
    tag: string,
    api: 'run_code' | 'submit',
    python2As3: boolean,
): string | null {
    if (tag === 'PYTHON') return python2As3 || api === 'submit' ? 'python' : null;
    return NAMES[tag] ?? null;
}

/** Tags of all languages that it has a name for, of its own. */
export const fusionTags = (): readonly string[] => Object.keys(NAMES);

/** Why SandboxFusion can never run a submission; null if it may. For the planner, which skips such tasks. */
export function explainFusionSkip({
    api,
    python2As3,
}: {
    readonly api: 'run_code' | 'submit';
    readonly python2As3: boolean;
}): (input: ProgramInput) => string | null {
    return ({ language, files }) => {
        if (toFusionLanguage(language, api, python2As3) === null) return `SandboxFusion runs no ${language}`;
        if (files.length === 1) return null;
        if (api === 'submit') return 'SandboxFusion takes one source file by /submit';
        return SINGLE_SOURCE.has(language) ? `SandboxFusion compiles one source file of ${language}` : null;
    };
}

/** Languages whose other files the server would not hand to the compiler. */
const SINGLE_SOURCE: ReadonlySet<string> = new Set(['CPP', 'GO', 'RUST', 'CSHARP', 'SCALA']);
