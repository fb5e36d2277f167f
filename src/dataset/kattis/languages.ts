/*
 * Languages of programs in packages, by the extension of their files. Tags are those of result files. Executors skip the ones
 * that they do not know, with a reason.
 */

const BY_EXTENSION: Readonly<Record<string, string>> = {
    adb: 'ADA',
    bash: 'BASH',
    c: 'C',
    C: 'CPP',
    'c++': 'CPP',
    cc: 'CPP',
    cl: 'LISP',
    cob: 'COBOL',
    cpp: 'CPP',
    cr: 'CRYSTAL',
    cs: 'CSHARP',
    cxx: 'CPP',
    d: 'D',
    dart: 'DART',
    erl: 'ERLANG',
    ex: 'ELIXIR',
    f90: 'FORTRAN',
    fs: 'FSHARP',
    go: 'GO',
    hs: 'HASKELL',
    java: 'JAVA',
    jl: 'JULIA',
    js: 'JAVASCRIPT',
    kt: 'KOTLIN',
    lisp: 'LISP',
    lua: 'LUA',
    m: 'OBJECTIVEC',
    ml: 'OCAML',
    mjs: 'JAVASCRIPT',
    nim: 'NIM',
    pas: 'PASCAL',
    php: 'PHP',
    pl: 'PROLOG',
    pm: 'PERL',
    py: 'PYTHON3',
    py2: 'PYTHON',
    py3: 'PYTHON3',
    rb: 'RUBY',
    rkt: 'RACKET',
    rs: 'RUST',
    scala: 'SCALA',
    sh: 'BASH',
    swift: 'SWIFT',
    ts: 'TYPESCRIPT',
    vb: 'VISUALBASIC',
    zig: 'ZIG',
};

/** Tags of the languages of packages. `ANSWERS` stands for answers to the tests instead of a program. */
export const PACKAGE_LANGUAGES: readonly string[] = [...Object.values(BY_EXTENSION), 'ANSWERS'];

/** A source file of a program: its name within the program, and its text. */
export interface SourceText {
    readonly name: string;
    readonly text: string;
}

/** Tag by a file's name; null if it is not a source file (headers, notes, data). */
export function findLanguageByName(name: string): string | null {
    const [, extension = ''] = /\.([^./]+)$/.exec(name) ?? [];
    for (const key of [extension, extension.toLowerCase()]) {
        if (Object.hasOwn(BY_EXTENSION, key)) return BY_EXTENSION[key] ?? null;
    }
    return null;
}

/** Tag of a program; null if its files have no language, or several. C beside C++ counts as C++. */
export function findLanguageOfProgram(sources: readonly SourceText[]): string | null {
    const tags = new Set(sources.map((source) => languageOfSource(source)).filter((tag) => tag !== null));
    if (tags.has('CPP')) tags.delete('C');
    if (tags.has('PYTHON')) tags.delete('PYTHON3');
    const [tag = null, ...others] = tags;
    return others.length === 0 ? tag : null;
}

function languageOfSource(source: SourceText): string | null {
    const tag = findLanguageByName(source.name);
    if (tag === 'PROLOG' && isPerl(source.text)) return 'PERL';
    return tag === 'PYTHON3' && source.name.endsWith('.py') && isPython2(source.text) ? 'PYTHON' : tag;
}

/** Whether a .pl file is Perl: by its first line, otherwise by line beginnings that do not occur in Prolog. */
function isPerl(text: string): boolean {
    if (text.startsWith('#!')) return /^#!.*perl/.test(text);
    return text
        .split('\n')
        .some((line) => /^\s*(?:use (?:strict|warnings|v?5)\b|my\b|print\s|chomp\b)/.test(line));
}

/**
 * Whether a .py file is Python 2: by its first line, otherwise by statements that Python 3 cannot parse or names that it lacks.
 * Old packages were written when .py meant Python 2, and few of them declare it.
 */
export function isPython2(text: string): boolean {
    const [, version] = /^#!.*(?:python|pypy)([23])/.exec(text) ?? [];
    if (version !== undefined) return version === '2';
    const code = text.replace(/("""|''')[\s\S]*?\1/g, "''");
    // Long lines are data, and would be slow to match because of backtracking.
    const lines = code.split('\n').filter((line) => line.length <= MAX_LINE_LENGTH);
    return (
        lines.some((line) => PRINT_STATEMENT.test(line.trimStart())) ||
        GONE.some((name) => calls(name, lines))
    );
}

const MAX_LINE_LENGTH = 1000;
/** `print x`, also after `if y:`, but neither `print(x)` nor `print = x`. */
const PRINT_STATEMENT = /^(?:[^#"']*:[ \t]*)?print[ \t]+(?!(?:in|is|if)\b)(?:["'\w\\[{`~-]|>>)/;
/** Functions that Python 3 no longer has. */
const GONE = ['raw_input', 'xrange'];

/** Whether the code calls a function that it neither defines nor imports. */
function calls(name: string, lines: readonly string[]): boolean {
    const call = new RegExp(`^[^#"']*\\b${name}\\(`);
    const given = new RegExp(`\\bdef ${name}\\b|\\b${name} *=|\\bimport\\b.*\\b${name}\\b`);
    return lines.some((line) => call.test(line)) && !lines.some((line) => given.test(line));
}

/** Patterns that identify the file in which a program starts, by language. */
const ENTRY: Readonly<Record<string, RegExp>> = {
    C: /\bmain\s*\(/,
    CPP: /\bmain\s*\(/,
    JAVA: /\bstatic\s+(?:final\s+)?(?:public\s+)?void\s+main\s*\(/,
    KOTLIN: /\bfun\s+main\s*\(/,
    GO: /\bfunc\s+main\s*\(/,
    RUST: /\bfn\s+main\s*\(/,
    CSHARP: /\bstatic\b[^;{]{0,200}\bMain\s*\(/,
    PYTHON: /__name__\s*==\s*['"]__main__/,
    PYTHON3: /__name__\s*==\s*['"]__main__/,
};

/**
 * Name of the file in which a program of several files starts: the requested one; otherwise one called `main` (or `__main__`),
 * one that contains a main function, one named like its folder, or the first.
 * @param entrypoint a file name, or a class without its package, as in submissions.yaml
 */
export function findMainFile(
    sources: readonly SourceText[],
    language: string,
    folder: string,
    entrypoint: string | null,
): string | null {
    const own = sources.filter((source) => findLanguageByName(source.name) !== null);
    const called = (base: string): SourceText | undefined =>
        own.find((source) => stripExtension(source.name).toLowerCase() === base.toLowerCase());
    if (entrypoint !== null) {
        const named =
            own.find((source) => source.name === entrypoint) ??
            called(stripExtension(entrypoint.split('.').at(-1) ?? ''));
        return named?.name ?? called(stripExtension(entrypoint))?.name ?? null;
    }
    const sign = ENTRY[language];
    const starting = sign === undefined ? [] : own.filter((source) => sign.test(source.text));
    const main = called('__main__') ?? called('main');
    // A class called Main may be a helper, but a script called main never is.
    if (main !== undefined && (sign === undefined || starting.length === 0 || starting.includes(main)))
        return main.name;
    if (language.startsWith('PYTHON') && main !== undefined) return main.name;
    const candidates = starting.length > 0 ? starting : own;
    return (
        (candidates.find((source) => stripExtension(source.name) === folder) ?? candidates[0])?.name ?? null
    );
}

/**
 * A Python file that the problem adds and that imports the submission. It is what runs, unless a file is called main.
 * @param added names of the files that the problem adds
 */
export function findDriver(
    sources: readonly SourceText[],
    language: string,
    added: ReadonlySet<string>,
): string | null {
    if (!language.startsWith('PYTHON')) return null;
    if (sources.some(({ name }) => /^(?:__main__|main)$/i.test(stripExtension(name)))) return null;
    const own = new Set(
        sources.filter(({ name }) => !added.has(name)).map(({ name }) => stripExtension(name)),
    );
    const importsOwn = ({ name, text }: SourceText): boolean =>
        added.has(name) && [...text.matchAll(PYTHON_IMPORT)].some(([, module = '']) => own.has(module));
    return sources.find(importsOwn)?.name ?? null;
}

const PYTHON_IMPORT = /^[ \t]*(?:import|from)[ \t]+(\w+)/gm;

const stripExtension = (name: string): string => (name.split('/').at(-1) ?? name).replace(/\.[^.]*$/, '');
