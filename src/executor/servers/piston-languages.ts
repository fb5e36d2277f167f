import type { ProgramInput } from '../../model/sample.js';

/** A language in Piston: its name and the acceptable versions (semantic versioning). */
export interface PistonLanguage {
    readonly name: string;
    readonly version: string;
}

const ANY = '*';

/** Piston's names for our languages. */
const LANGUAGES: Readonly<Record<string, PistonLanguage>> = {
    PYTHON3: { name: 'python', version: '3.x' },
    PYTHON: { name: 'python2', version: '2.x' },
    C: { name: 'c', version: ANY },
    CPP: { name: 'c++', version: ANY },
    JAVA: { name: 'java', version: ANY },
    JAVASCRIPT: { name: 'javascript', version: ANY },
    TYPESCRIPT: { name: 'typescript', version: ANY },
    GO: { name: 'go', version: ANY },
    RUST: { name: 'rust', version: ANY },
    KOTLIN: { name: 'kotlin', version: ANY },
    CSHARP: { name: 'csharp', version: ANY },
    PHP: { name: 'php', version: ANY },
    RUBY: { name: 'ruby', version: ANY },
    PERL: { name: 'perl', version: ANY },
    LUA: { name: 'lua', version: ANY },
    SCALA: { name: 'scala', version: ANY },
    JULIA: { name: 'julia', version: ANY },
    R: { name: 'rscript', version: ANY },
    BASH: { name: 'bash', version: ANY },
};

/** @returns null if Piston has no such language */
export function pistonLanguage(tag: string, python2As3: boolean): PistonLanguage | null {
    return LANGUAGES[tag === 'PYTHON' && python2As3 ? 'PYTHON3' : tag] ?? null;
}

export const pistonTags = (): readonly string[] => Object.keys(LANGUAGES).filter((tag) => tag !== 'PYTHON');

/** Why Piston can never run a submission; null if it may. */
export const pistonSkipReason =
    (python2As3: boolean) =>
    ({ language }: ProgramInput): string | null =>
        pistonLanguage(language, python2As3) === null ? `Piston does not support ${language}` : null;
