import type { LanguageOverride } from '../descriptor.js';

/*
 * The one table of languages. A row says how a program is compiled and run, as argument lists:
 *   {source}   the main file                 {sources}  all files with the language's extensions, one argument each
 *   {dir}      folder of the program's files {out}      the file (or, for classes, the folder) that the compiler makes
 *   {class}    Java's main class             {includes} -I for each --include-dir, one argument each
 *   {memory_mb}, {stack_mb}                  of the limits
 *   {this|that}                              in compile: one after the other, until a program compiles
 * The first argument is a tool: a name is looked up on PATH once (toolchains.ts).
 */

export interface Language {
    /** Upper-case tag, as in datasets and result files. */
    readonly tag: string;
    readonly name: string;
    /** With the dot; the first is used for a program without a file name. */
    readonly extensions: readonly string[];
    /** Name of the main file, where a dataset gives a bare source. */
    readonly source: string;
    /** Tried in order: the first whose tool is here is used. Empty: nothing to compile. */
    readonly compile: readonly (readonly string[])[];
    readonly run: readonly (readonly string[])[];
    /** How its memory is held. */
    readonly memory: MemoryRule;
    /** Processes and threads at once. */
    readonly processes: number;
    /** Whether the compiler makes a folder of files (classes) rather than one program. */
    readonly makes: 'program' | 'folder' | 'nothing';
    /** A file of ours that its run command names, beside the program's own. */
    readonly beside?: { readonly name: string; readonly text: string };
    /** What it prints on stderr when it is out of memory. */
    readonly outOfMemory: RegExp | null;
}

export interface MemoryRule {
    /** RLIMIT_AS works: the program takes no more address space than it needs. */
    readonly addressSpace: boolean;
    /** What the runtime takes beside the program's own memory, bytes: added before it is killed. */
    readonly overhead: number;
}

const MIB = 1024 * 1024;
const NATIVE: MemoryRule = { addressSpace: true, overhead: 0 };
const BAD_ALLOC = /std::bad_alloc|bad_array_new_length/;
const PYTHON_MEMORY = /^MemoryError/m;

const compiled = { memory: NATIVE, processes: 64, makes: 'program' } as const;
const interpreted = { compile: [], processes: 64, makes: 'nothing' } as const;
const python = { ...interpreted, source: 'main.py', memory: NATIVE, outOfMemory: PYTHON_MEMORY } as const;

/**
 * On judges, stdout is mostly a file, and Node has written what it was told to at once. To a pipe it queues what does not fit
 * and loses that at `process.exit`: so its pipes are made to block.
 */
const NODE_STDIO = {
    name: '.resume-run-stdio.cjs',
    text: `for (const name of ['stdout', 'stderr']) {
    const descriptor = Object.getOwnPropertyDescriptor(process, name);
    let stream;
    const get = () => {
        if (stream === undefined) {
            stream = descriptor.get.call(process);
            stream?._handle?.setBlocking?.(true);
        }
        return stream;
    };
    Object.defineProperty(process, name, { ...descriptor, get });
}
`,
};

/** Never a submission's language, but what runs those of problem packages: see `preferred` of a submission. */
export const PYPY3 = 'PYPY3';

/** A submission of answers instead of a program: the answer to a test is a file with the test's name. */
export const ANSWERS = 'ANSWERS';

/** Looks in the folder `$0` for the answer to the test `$1`; the only file answers every test. */
const FIND_ANSWER = `for file in "$0/$1.out" "$0/$1.ans" "$0/\${1##*/}.out" "$0/\${1##*/}.ans"; do
    [ -f "$file" ] && exec cat "$file"
done
set -- "$0"/*
[ $# = 1 ] && [ -f "$1" ] && exec cat "$1"
exit 0`;

/**
 * Programs of problems with a script `build` or `run`: a copy of their folder (`$0`) in `$1` is built by the one and started
 * by the other. The other arguments are those of compilers that name folders of headers.
 */
const BUILD = `from="$0" to="$1" && shift
for include; do CPATH="$CPATH:\${include#-I}"; done
export CPATH
cp -R "$from/." "$to" && cd "$to" && chmod -R u+w . || exit 1
if [ -f build ]; then chmod u+x build && ./build || exit 1; fi
chmod a+rx run`;

/** Kinds of submissions and of problems' programs that are not languages, and not shown as such. */
const INTERNAL: readonly Language[] = [
    {
        ...interpreted,
        tag: ANSWERS,
        name: 'answers',
        extensions: ['.out', '.ans', '.txt'],
        source: 'answer.out',
        run: [['sh', '-c', FIND_ANSWER, '{dir}']],
        memory: NATIVE,
        outOfMemory: null,
    },
    {
        tag: 'SCRIPTED',
        name: 'build script',
        extensions: [],
        source: 'run',
        compile: [['sh', '-c', BUILD, '{dir}', '{out}', '{includes}']],
        run: [['{dir}/run']],
        makes: 'folder',
        // It may start anything.
        memory: { addressSpace: false, overhead: 0 },
        processes: 256,
        outOfMemory: null,
    },
];

const TABLE: readonly Language[] = [
    {
        ...python,
        tag: 'PYTHON3',
        name: 'Python 3',
        extensions: ['.py', '.py3'],
        run: [['python3', '{source}']],
    },
    {
        ...python,
        tag: PYPY3,
        name: 'Python 3 (PyPy)',
        extensions: ['.py', '.py3'],
        run: [['pypy3', '{source}']],
    },
    {
        ...python,
        tag: 'PYTHON',
        name: 'Python 2',
        extensions: ['.py2', '.py'],
        run: [
            ['python2', '{source}'],
            ['python2.7', '{source}'],
            ['pypy', '{source}'],
        ],
    },
    {
        ...compiled,
        tag: 'CPP',
        name: 'C++',
        extensions: ['.cpp', '.cc', '.cxx', '.c++', '.C'],
        source: 'main.cpp',
        // Most judges compile with GNU's extensions. Each standard takes away what was right before it: a global `size` or
        // `data` beside `using namespace std` (17), `gets` (14), `next` and `array` (11).
        compile: [
            [
                'g++',
                '-O2',
                '-std={gnu++17|gnu++20|gnu++23|gnu++14|gnu++11|gnu++98}',
                '-DONLINE_JUDGE',
                '{includes}',
                '-o',
                '{out}',
                '{sources}',
            ],
        ],
        run: [['{out}']],
        outOfMemory: BAD_ALLOC,
    },
    {
        ...compiled,
        tag: 'C',
        name: 'C',
        extensions: ['.c'],
        source: 'main.c',
        compile: [
            ['gcc', '-O2', '-std=gnu11', '-DONLINE_JUDGE', '{includes}', '-o', '{out}', '{sources}', '-lm'],
        ],
        run: [['{out}']],
        outOfMemory: null,
    },
    {
        tag: 'JAVA',
        name: 'Java',
        extensions: ['.java'],
        source: 'Main.java',
        compile: [['javac', '-encoding', 'UTF-8', '-nowarn', '-d', '{out}', '{sources}']],
        run: [
            [
                'java',
                '-Xmx{memory_mb}m',
                '-Xss{stack_mb}m',
                '-XX:+UseSerialGC',
                '-XX:-UsePerfData',
                '-Dfile.encoding=UTF-8',
                '-Dstdout.encoding=UTF-8',
                '-Dstderr.encoding=UTF-8',
                '-cp',
                '{dir}',
                '{class}',
            ],
        ],
        memory: { addressSpace: false, overhead: 192 * MIB },
        processes: 256,
        makes: 'folder',
        outOfMemory: /java\.lang\.OutOfMemoryError/,
    },
    {
        ...interpreted,
        tag: 'JAVASCRIPT',
        name: 'JavaScript',
        extensions: ['.js', '.mjs', '.cjs'],
        source: 'main.js',
        beside: NODE_STDIO,
        run: [
            [
                'node',
                '--require',
                `{dir}/${NODE_STDIO.name}`,
                '--unhandled-rejections=warn',
                '--stack-size=65000',
                '--max-old-space-size={memory_mb}',
                '{source}',
            ],
        ],
        memory: { addressSpace: false, overhead: 96 * MIB },
        outOfMemory: /heap out of memory/,
    },
    {
        ...interpreted,
        tag: 'TYPESCRIPT',
        name: 'TypeScript',
        extensions: ['.ts', '.mts'],
        source: 'main.ts',
        beside: NODE_STDIO,
        // Refused by versions of Node that cannot; toolchains.ts looks.
        run: [
            [
                'node',
                '--require',
                `{dir}/${NODE_STDIO.name}`,
                '--unhandled-rejections=warn',
                '--experimental-strip-types',
                '--no-warnings',
                '--max-old-space-size={memory_mb}',
                '{source}',
            ],
        ],
        memory: { addressSpace: false, overhead: 96 * MIB },
        outOfMemory: /heap out of memory/,
    },
    {
        ...compiled,
        tag: 'GO',
        name: 'Go',
        extensions: ['.go'],
        source: 'main.go',
        compile: [['go', 'build', '-o', '{out}', '{sources}']],
        run: [['{out}']],
        memory: { addressSpace: false, overhead: 32 * MIB },
        processes: 256,
        outOfMemory: /fatal error: runtime: out of memory/,
    },
    {
        ...compiled,
        tag: 'RUST',
        name: 'Rust',
        extensions: ['.rs'],
        source: 'main.rs',
        compile: [['rustc', '-O', '--edition', '2021', '-o', '{out}', '{source}']],
        run: [['{out}']],
        outOfMemory: /memory allocation of \d+ bytes failed/,
    },
    {
        tag: 'KOTLIN',
        name: 'Kotlin',
        extensions: ['.kt'],
        source: 'main.kt',
        compile: [['kotlinc', '{sources}', '-include-runtime', '-d', '{out}/main.jar']],
        run: [
            [
                'java',
                '-Xmx{memory_mb}m',
                '-Xss{stack_mb}m',
                '-XX:+UseSerialGC',
                '-Dfile.encoding=UTF-8',
                '-Dstdout.encoding=UTF-8',
                '-Dstderr.encoding=UTF-8',
                '-jar',
                '{dir}/main.jar',
            ],
        ],
        memory: { addressSpace: false, overhead: 192 * MIB },
        processes: 256,
        makes: 'folder',
        outOfMemory: /java\.lang\.OutOfMemoryError/,
    },
];

export interface LanguageSettings {
    /** `languages` of the config file. */
    readonly overrides: Readonly<Record<string, LanguageOverride>>;
    /** `--python2-as-3`: programs marked PYTHON run with Python 3. */
    readonly python2As3: boolean;
}

/** Whether a row stands for something else than a language that programs are written in. */
export const isInternal = ({ tag }: Pick<Language, 'tag'>): boolean =>
    INTERNAL.some((language) => language.tag === tag);

/** The table with the settings applied, by tag. */
export function languageTable(settings: LanguageSettings): ReadonlyMap<string, Language> {
    const table = new Map([...TABLE, ...INTERNAL].map((language) => [language.tag, language]));
    const python3 = table.get('PYTHON3');
    const python2 = table.get('PYTHON');
    if (settings.python2As3 && python3 && python2) table.set('PYTHON', { ...python2, run: python3.run });
    const named = new Set(Object.keys(settings.overrides).map((name) => name.toUpperCase()));
    // Who says how Python 3 is run means all of it.
    if (named.has('PYTHON3')) table.delete(PYPY3);
    for (const [name, override] of Object.entries(settings.overrides)) {
        const tag = name.toUpperCase();
        table.set(tag, overridden(tag, table.get(tag) ?? null, override));
    }
    return table;
}

function overridden(tag: string, known: Language | null, override: LanguageOverride): Language {
    const base: Language = known ?? {
        ...interpreted,
        tag,
        name: tag.charAt(0) + tag.slice(1).toLowerCase(),
        extensions: override.extensions ?? [],
        source: override.source ?? `main${override.extensions?.[0] ?? ''}`,
        run: [],
        memory: { addressSpace: false, overhead: 0 },
        outOfMemory: null,
        makes: override.compile === undefined ? 'nothing' : 'program',
    };
    return {
        ...base,
        ...(override.compile === undefined ? {} : { compile: [override.compile] }),
        ...(override.run === undefined ? {} : { run: [override.run] }),
        ...(override.extensions === undefined ? {} : { extensions: override.extensions }),
        ...(override.source === undefined ? {} : { source: override.source }),
    };
}

/** The language of a file by its name, for programs that do not say (checkers of problem packages). */
export function languageOfFile(table: ReadonlyMap<string, Language>, file: string): Language | null {
    for (const language of table.values()) {
        if (language.extensions.some((extension) => file.endsWith(extension))) return language;
    }
    return null;
}
