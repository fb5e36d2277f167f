import { PACKAGE_LANGUAGES } from './kattis/languages.js';

/*
 * Names of languages as datasets write them, and the tags of result files. A name that is not listed becomes a tag unchanged, in
 * upper case: the executors' language table, which a config file can extend, decides what can run.
 */
const TAGS: Readonly<Record<string, string>> = {
    c: 'C',
    'c++': 'CPP',
    cc: 'CPP',
    cpp: 'CPP',
    cxx: 'CPP',
    'c#': 'CSHARP',
    cs: 'CSHARP',
    csharp: 'CSHARP',
    go: 'GO',
    golang: 'GO',
    haskell: 'HASKELL',
    java: 'JAVA',
    javascript: 'JAVASCRIPT',
    js: 'JAVASCRIPT',
    nodejs: 'JAVASCRIPT',
    kotlin: 'KOTLIN',
    kt: 'KOTLIN',
    py2: 'PYTHON',
    python2: 'PYTHON',
    py: 'PYTHON3',
    py3: 'PYTHON3',
    python3: 'PYTHON3',
    pypy3: 'PYTHON3',
    pypy: 'PYTHON3',
    pypy2: 'PYTHON',
    rs: 'RUST',
    rust: 'RUST',
    ts: 'TYPESCRIPT',
    typescript: 'TYPESCRIPT',
};

/** Words of names in judges' spelling (`GNU C++17 (64)`), after vendors and versions are removed. */
const WORDS: Readonly<Record<string, string>> = {
    ...TAGS,
    'clang++': 'CPP',
    cpython: 'PYTHON',
    d: 'D',
    'f#': 'FSHARP',
    'g++': 'CPP',
    lua: 'LUA',
    node: 'JAVASCRIPT',
    'node.js': 'JAVASCRIPT',
    ocaml: 'OCAML',
    pascal: 'PASCAL',
    perl: 'PERL',
    php: 'PHP',
    python: 'PYTHON',
    ruby: 'RUBY',
    scala: 'SCALA',
    swift: 'SWIFT',
};

/** Vendors of compilers, and other words that do not affect the language. */
const VENDORS: ReadonlySet<string> = new Set([
    '.net',
    'clang',
    'core',
    'diagnostics',
    'gcc',
    'gnu',
    'microsoft',
    'mono',
    'ms',
    'openjdk',
    'visual',
]);

const KNOWN: ReadonlySet<string> = new Set([
    ...Object.values(TAGS),
    ...Object.values(WORDS),
    ...PACKAGE_LANGUAGES,
]);

/** Whether a tag is a known language, as opposed to a name that is in no table. */
export const isKnownLanguage = (tag: string): boolean => KNOWN.has(tag);

/**
 * Tag of a language by its name in a dataset: `py3` and `PyPy 3-64` become `PYTHON3`, `GNU C++17` becomes `CPP`; `PYTHON3` stays,
 * and `Brainfuck` becomes `BRAINFUCK`.
 */
export function toLanguageTag(name: string): string {
    const key = name.trim().toLowerCase();
    const tag = Object.hasOwn(TAGS, key) ? TAGS[key] : judgeTag(key);
    return tag ?? key.toUpperCase();
}

/** The row's spelling of a name that is in no table, for messages; empty for known names, for which the tag suffices. */
export function readUnknownName(name: unknown, tag: string): { readonly unknownName?: string } {
    return typeof name === 'string' && !isKnownLanguage(tag) ? { unknownName: name.trim() } : {};
}

/**
 * Tag of a name as Codeforces, AtCoder and CodeContests+ write it: a language with its vendor and versions; null for other names.
 */
function judgeTag(key: string): string | null {
    if (key.length > MAX_NAME_LENGTH) return null;
    const [plain = '', inBrackets = ''] = key.split('(', 2);
    const tokens = plain.split(/\s+/).filter((token) => token !== '' && !VENDORS.has(token));
    const [word = '', own = ''] = splitVersion(tokens[0] ?? '');
    const [more = ''] = tokens.slice(1);
    // Only a version may follow the language: `C++ 17`, `Python 3`. `Objective C` is another language.
    if (!tokens.slice(1).every((token) => /^v?\d/.test(token))) return null;
    const tag = Object.hasOwn(WORDS, word) ? (WORDS[word] ?? null) : null;
    if (tag !== 'PYTHON' && tag !== 'PYTHON3') return tag;
    // AtCoder writes `Python (3.8.2)`, but also `PyPy3 (7.3.0)`, where the brackets hold PyPy's own version.
    const version = own || more || (word === 'pypy' ? '' : (/\d[\d.]*/.exec(inBrackets)?.[0] ?? ''));
    if (/^v?3(?!\d)/.test(version)) return 'PYTHON3';
    if (/^v?2(?!\d)/.test(version)) return 'PYTHON';
    return word === 'pypy' ? 'PYTHON3' : null;
}

const MAX_NAME_LENGTH = 100;

/** Splits `c++17` into `c++` and `17`, `pypy3-64` into `pypy` and `3-64`. */
function splitVersion(token: string): readonly string[] {
    return /^([a-z.]*[a-z][+#]*)[-_]?(\d[\w.-]*)?$/.exec(token)?.slice(1) ?? [];
}
