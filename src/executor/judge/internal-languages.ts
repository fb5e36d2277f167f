import type { Language } from './language.js';

/** A submission of answers instead of a program: the answer to a test is a file named after the test. */
export const ANSWERS = 'ANSWERS';

/** Looks in the folder `$0` for the answer to the test `$1`; if there is only one file, it answers every test. */
const FIND_ANSWER = `for file in "$0/$1.out" "$0/$1.ans" "$0/\${1##*/}.out" "$0/\${1##*/}.ans"; do
    [ -f "$file" ] && exec cat "$file"
done
set -- "$0"/*
[ $# = 1 ] && [ -f "$1" ] && exec cat "$1"
exit 0`;

/**
 * Programs of problems with a script `build` or `run`: a copy of their folder (`$0`) in `$1` is built by the former and started
 * by the latter. Either may start any other file of the folder, and archives forget which were executable, so all of them are
 * made executable. The remaining arguments are compiler options that name header folders.
 */
const BUILD = `from="$0" to="$1" && shift
for include; do CPATH="$CPATH:\${include#-I}"; done
export CPATH
cp -R "$from/." "$to" && cd "$to" && chmod -R a+rx,u+w . || exit 1
if [ -f build ]; then ./build || exit 1; fi
chmod a+rx run`;

/** Kinds of submissions and of problems' programs that are not languages and are not listed as such. */
export const INTERNAL: readonly Language[] = [
    {
        compile: [],
        processes: 64,
        makes: 'nothing',
        tag: ANSWERS,
        name: 'answers',
        extensions: ['.out', '.ans', '.txt'],
        source: 'answer.out',
        run: [['sh', '-c', FIND_ANSWER, '{dir}']],
        memory: { addressSpace: true, overhead: 0 },
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
        // It may start any program.
        memory: { addressSpace: false, overhead: 0 },
        processes: 256,
        outOfMemory: null,
    },
];
