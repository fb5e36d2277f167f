/*
 * Programs that import a module or include a header that this machine lacks. Failing to do so proves nothing against such a
 * program: it may be right where it was written. Its message alone is not trusted, since any program can print it: the source
 * must import the module, the language's standard library must not contain it, and a probe of ours must fail to find it
 * (probe-import.ts).
 */

import { findGoPackage, findJavaPackage, findRustCrate } from './missing-package.js';

/** What a program seems to lack. */
export interface MissingImport {
    readonly what: 'module' | 'header' | 'package' | 'crate' | 'feature';
    /** `numpy`, `bits/stdc++.h`, `com.google.common.collect`, `github.com/emirpasic/gods/maps`, `proconio`, `records (C# 9)`. */
    readonly name: string;
}

/** For messages. @param language its name @param place where it was looked for, such as `on this machine` */
export function describeMissing({ what, name }: MissingImport, language: string, place: string): string {
    return what === 'feature'
        ? `the ${language} compiler ${place} does not know ${name}`
        : `the ${language} ${what} ${name} is not ${place}`;
}

/**
 * The import that a program reports as missing, if its source imports it and it is not in the standard library.
 * @param tag language tag
 * @param said stderr of the program or its compiler
 * @param sources texts of all its files
 */
export function findMissingImport(
    tag: string,
    said: string,
    sources: readonly string[],
): MissingImport | null {
    switch (tag) {
        case 'PYTHON':
        case 'PYTHON3':
        case 'PYPY3':
            return missingPythonModule(said, sources);
        case 'CPP':
        case 'C':
            return missingHeader(said, sources);
        case 'JAVASCRIPT':
        case 'TYPESCRIPT':
            return missingNodeModule(said, sources);
        case 'JAVA':
            return named('package', findJavaPackage(said, sources));
        case 'GO':
            return named('package', findGoPackage(said, sources));
        case 'RUST':
            return named('crate', findRustCrate(said, sources));
        default:
            return null;
    }
}

const named = (what: MissingImport['what'], name: string | null): MissingImport | null =>
    name === null ? null : { what, name };

/** The last lines of a traceback. The length of names is bounded so that no text can make the search slow. */
const NO_MODULE = /^(?:ModuleNotFoundError|ImportError): No module named '?(\w{1,100})/m;

function missingPythonModule(said: string, sources: readonly string[]): MissingImport | null {
    const name = NO_MODULE.exec(said)?.[1];
    if (name === undefined || OTHER_PYTHONS.has(name)) return null;
    const statement = new RegExp(
        String.raw`(?:^|[;:])[ \t]*(?:from[ \t]+${name}\b|import[ \t][\w.,\\ \t]*\b${name}\b)`,
        'm',
    );
    const call = new RegExp(String.raw`\b(?:__import__|import_module)\(\s*['"]${name}\b`);
    const imports = sources.some((source) => {
        const code = source.replace(PYTHON_TEXTS, (text) => (text.startsWith('#') ? '' : "''"));
        return statement.test(code) || (/__import__|import_module/.test(code) && call.test(source));
    });
    return imports ? { what: 'module', name } : null;
}

/** Strings and comments of Python, whose contents are not imports. */
const PYTHON_TEXTS =
    /"""(?:\\[\s\S]|[^\\])*?"""|'''(?:\\[\s\S]|[^\\])*?'''|"(?:\\[\s\S]|[^"\\\n])*"|'(?:\\[\s\S]|[^'\\\n])*'|#[^\n]*/g;

/**
 * Modules in the standard library of some Python version other than the one in use: if one is missing, the program is at fault,
 * not the machine.
 */
const OTHER_PYTHONS = new Set(
    (
        'BaseHTTPServer ConfigParser Cookie HTMLParser Queue SocketServer StringIO Tkinter __builtin__ anydbm cPickle ' +
        'cStringIO commands compiler cookielib copy_reg dbhash exceptions future_builtins htmlentitydefs httplib imputil ' +
        'itertools_ext md5 mutex new popen2 robotparser sets sha statvfs thread urllib2 urlparse user xmlrpclib whichdb ' +
        'asynchat asyncore binhex cgi crypt distutils imp lib2to3 parser smtpd symbol telnetlib'
    ).split(' '),
);

/** Matches at the beginning of a line, where the text of an `#error` never appears. */
const NO_HEADER =
    /^[^\s:]{1,500}:\d+:(?:\d+:)? fatal error: '?([\w./+-]{1,200})'?(?:: No such file or directory| file not found)/m;

function missingHeader(said: string, sources: readonly string[]): MissingImport | null {
    const name = NO_HEADER.exec(said)?.[1];
    if (name === undefined || STANDARD_HEADERS.has(name) || isOutsideOfIncludePaths(name)) return null;
    const quoted = name.replace(/[.+*?^$()[\]{}|\\/-]/g, String.raw`\$&`);
    const includes = new RegExp(String.raw`^[ \t]*#[ \t]*include[ \t]*[<"]${quoted}[>"]`, 'm');
    const isIncluded = sources.some((source) => includes.test(source.replace(BLOCK_COMMENTS, ' ')));
    return isIncluded ? { what: 'header', name } : null;
}

const BLOCK_COMMENTS = /\/\*[\s\S]*?\*\//g;

/** A path is not a header that could be installed: the program includes a file outside its own folder. */
const isOutsideOfIncludePaths = (name: string): boolean =>
    name.startsWith('/') || name.split('/').includes('..');

const STANDARD_HEADERS = new Set(
    (
        'algorithm any array atomic barrier bit bitset cassert ccomplex cctype cerrno cfenv cfloat charconv chrono cinttypes ' +
        'ciso646 climits clocale cmath codecvt compare complex concepts condition_variable coroutine csetjmp csignal ' +
        'cstdalign cstdarg cstdbool cstddef cstdint cstdio cstdlib cstring ctgmath ctime cuchar cwchar cwctype deque ' +
        'exception execution expected filesystem flat_map flat_set format forward_list fstream functional future generator ' +
        'initializer_list iomanip ios iosfwd iostream istream iterator latch limits list locale map mdspan memory ' +
        'memory_resource mutex new numbers numeric optional ostream print queue random ranges ratio regex scoped_allocator ' +
        'semaphore set shared_mutex source_location span spanstream sstream stack stacktrace stdexcept stdfloat stop_token ' +
        'streambuf string string_view strstream syncstream system_error thread tuple type_traits typeindex typeinfo ' +
        'unordered_map unordered_set utility valarray variant vector version ' +
        'assert.h complex.h ctype.h errno.h fenv.h float.h inttypes.h iso646.h limits.h locale.h math.h setjmp.h signal.h ' +
        'stdalign.h stdarg.h stdatomic.h stdbit.h stdbool.h stdckdint.h stddef.h stdint.h stdio.h stdlib.h stdnoreturn.h ' +
        'string.h tgmath.h threads.h time.h uchar.h wchar.h wctype.h ' +
        // Headers from before the first standard.
        'algo.h deque.h fstream.h iomanip.h iostream.h list.h map.h queue.h set.h stack.h vector.h'
    ).split(' '),
);

const NO_NODE_MODULE = /Cannot find (?:module|package) '((?:@[\w.-]{1,100}\/)?[\w.-]{1,100})/;

function missingNodeModule(said: string, sources: readonly string[]): MissingImport | null {
    const name = NO_NODE_MODULE.exec(said)?.[1];
    if (name === undefined || name.startsWith('.')) return null;
    const quoted = name.replace(/[.+*?^$()[\]{}|\\/-]/g, String.raw`\$&`);
    const asks = new RegExp(
        String.raw`\b(?:require|import|from)\s{0,9}\(?\s{0,9}['"\`]${quoted}(?:['"\`]|/)`,
    );
    const imports = sources.some((source) => asks.test(source.replace(COMMENTED_LINES, '')));
    return imports ? { what: 'module', name } : null;
}

/** Whole lines only: in JavaScript, `//` may occur in strings and regular expressions, too. */
const COMMENTED_LINES = /^[ \t]*(?:\/\/[^\n]*|\/\*[\s\S]*?\*\/)/gm;

/** Modules and headers that programs in known datasets use most, which `doctor` looks for. */
export const COMMON_IMPORTS: Readonly<Record<string, readonly string[]>> = {
    PYTHON3: ['numpy', 'scipy', 'sympy', 'networkx', 'sortedcontainers', 'numba', 'pandas'],
    CPP: [
        'bits/stdc++.h',
        'ext/pb_ds/assoc_container.hpp',
        'boost/multiprecision/cpp_int.hpp',
        'atcoder/all',
    ],
};
