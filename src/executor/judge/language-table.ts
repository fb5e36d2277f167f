import type { Language, MemoryRule, StandardLibrary } from './language.js';

/*
 * The table of languages. A row describes how a program is compiled and run, as argument lists:
 *   {source}   the main file                 {sources}  all files with the language's extensions, one argument each
 *   {dir}      folder of the program's files {out}      the file (or, for classes, the folder) that the compiler makes
 *   {class}    Java's main class             {includes} -I for each --include-dir, one argument each
 *   {memory_mb}, {stack_mb}                  from the limits
 *   {this|that}                              in compile: tried one after another, until a program compiles
 * The first argument is a tool; a name without a path is looked up on PATH once (toolchains.ts).
 */

const MIB = 1024 * 1024;
const NATIVE: MemoryRule = { addressSpace: true, overhead: 0 };
const BAD_ALLOC = /std::bad_alloc|bad_array_new_length/;
const PYTHON_MEMORY = /^MemoryError/m;

const compiled = { memory: NATIVE, processes: 64, makes: 'program' } as const;
const interpreted = { compile: [], processes: 64, makes: 'nothing' } as const;
const python = { ...interpreted, source: 'main.py', memory: NATIVE, outOfMemory: PYTHON_MEMORY } as const;

/**
 * On most judges, stdout is a file, to which Node writes synchronously. If it is a pipe, Node queues what does not fit and loses
 * the queue at `process.exit`, so its pipes are made blocking here.
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

/** The packages that submissions commonly import; others are compiled with the program. */
const GO_PACKAGES =
    'bufio bytes cmp container/heap container/list container/ring context encoding/binary encoding/hex encoding/json errors flag fmt ' +
    'hash/fnv io iter maps math math/big math/bits math/cmplx math/rand math/rand/v2 os reflect regexp runtime runtime/debug slices ' +
    'sort strconv strings sync sync/atomic text/tabwriter time unicode unicode/utf8 unsafe';

const GO_LIBRARY: StandardLibrary = {
    cacheVariable: 'GOCACHE',
    file: 'main.go',
    source: `package main\n\nimport (\n${GO_PACKAGES.split(' ')
        .map((name) => `\t_ "${name}"\n`)
        .join('')})\n\nfunc main() {}\n`,
    command: ['build', '-o', '{out}', '{file}'],
};

/** Never the language of a submission, but of programs in problem packages: see `preferred` of a submission. */
export const PYPY3 = 'PYPY3';

export const LANGUAGES: readonly Language[] = [
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
        // Most judges compile with GNU extensions. Each newer standard rejects programs that were valid before: a global `size`
        // or `data` beside `using namespace std` (17), `gets` (14), `next` and `array` (11).
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
        // Versions of Node without this feature reject it; toolchains.ts checks.
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
        standardLibrary: GO_LIBRARY,
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
    {
        ...compiled,
        tag: 'HASKELL',
        name: 'Haskell',
        extensions: ['.hs'],
        source: 'main.hs',
        compilesCopy: true,
        needs: ['/var/lib/ghc'],
        compile: [['ghc', '-O2', '-v0', '-i{dir}', '-o', '{out}', '{source}']],
        run: [['{out}']],
        // Its runtime reserves a terabyte of address space.
        memory: { addressSpace: false, overhead: 0 },
        outOfMemory: /heap exhausted|[Hh]eap exhausted|stack overflow/,
    },
    {
        ...compiled,
        tag: 'CSHARP',
        name: 'C#',
        extensions: ['.cs'],
        source: 'main.cs',
        makes: 'folder',
        needs: ['/etc/mono'],
        compile: [
            [
                'mcs',
                '-optimize+',
                '-define:ONLINE_JUDGE',
                '-r:System.Numerics',
                '-out:{out}/main.exe',
                '{sources}',
            ],
        ],
        run: [['mono', '{dir}/main.exe']],
        memory: { addressSpace: false, overhead: 64 * MIB },
        processes: 256,
        outOfMemory: /System\.OutOfMemoryException/,
    },
    {
        ...compiled,
        tag: 'PROLOG',
        name: 'Prolog',
        extensions: ['.pl', '.prolog'],
        source: 'main.pl',
        // As on Kattis, `main` is the goal, and the program ends with it.
        compile: [['swipl', '-O', '-q', '-g', 'main', '-t', 'halt', '-o', '{out}', '-c', '{sources}']],
        run: [['{out}']],
        memory: { addressSpace: false, overhead: 32 * MIB },
        outOfMemory: /Not enough resources|resource_error/,
    },
    {
        ...interpreted,
        tag: 'BASH',
        name: 'Bash',
        extensions: ['.sh', '.bash'],
        source: 'main.sh',
        run: [['bash', '{source}']],
        memory: NATIVE,
        outOfMemory: /cannot allocate/,
    },
    {
        ...compiled,
        tag: 'PASCAL',
        name: 'Pascal',
        extensions: ['.pas', '.pp'],
        source: 'main.pas',
        needs: ['/etc/fpc.cfg', '/etc/fpc-3.2.2.cfg'],
        compile: [['fpc', '-O2', '-Sg', '-v0', '-dONLINE_JUDGE', '-Fu{dir}', '-FU.', '-o{out}', '{source}']],
        run: [['{out}']],
        outOfMemory: /Runtime error 203/,
    },
    {
        ...interpreted,
        tag: 'LUA',
        name: 'Lua',
        extensions: ['.lua'],
        source: 'main.lua',
        run: ['lua', 'lua5.4', 'lua5.3', 'luajit'].map((tool) => [tool, '{source}']),
        memory: NATIVE,
        outOfMemory: /not enough memory/,
    },
    {
        ...interpreted,
        tag: 'RUBY',
        name: 'Ruby',
        extensions: ['.rb'],
        source: 'main.rb',
        run: [['ruby', '{source}']],
        memory: NATIVE,
        outOfMemory: /failed to allocate memory/,
    },
    {
        ...compiled,
        tag: 'OCAML',
        name: 'OCaml',
        extensions: ['.ml'],
        source: 'main.ml',
        compilesCopy: true,
        compile: [
            [
                'ocamlopt',
                '-O3',
                '-I',
                '+unix',
                '-I',
                '+str',
                'unix.cmxa',
                'str.cmxa',
                '-o',
                '{out}',
                '{source}',
            ],
        ],
        run: [['{out}']],
        outOfMemory: /Out_of_memory|Out of memory/,
    },
    {
        ...interpreted,
        tag: 'PHP',
        name: 'PHP',
        extensions: ['.php'],
        source: 'main.php',
        // Errors are reported on stderr, not in the output.
        run: [['php', '-n', '-d', 'display_errors=stderr', '-d', 'memory_limit={memory_mb}M', '{source}']],
        memory: NATIVE,
        outOfMemory: /Allowed memory size of \d+ bytes exhausted/,
    },
    {
        ...interpreted,
        tag: 'PERL',
        name: 'Perl',
        // In packages, `.pl` is Prolog; dataset/kattis/languages.ts distinguishes the two.
        extensions: ['.pm', '.perl', '.pl'],
        source: 'main.pl',
        run: [['perl', '{source}']],
        memory: NATIVE,
        outOfMemory: /^Out of memory/m,
    },
];
