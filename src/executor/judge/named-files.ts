import type { NamedFiles } from '../../model/named-files.js';

/**
 * Puts stdin into the file `$1` and prints the file `$2` once the program has ended, where these are not empty. What a
 * program with an output file prints beside it is dropped, as judges of such problems do.
 */
const SCRIPT = `in="$1" out="$2"
shift 2
if [ -n "$in" ]; then cat > "$in" && exec < /dev/null || exit 1; fi
if [ -z "$out" ]; then exec "$@"; fi
"$@" > /dev/null
code=$?
if [ -f "$out" ]; then cat "$out"; fi
exit $code`;

/** The command of a program, started so that it finds its input in a file, and its output is taken from one. */
export function wrapNamedFiles(
    named: NamedFiles | undefined,
    command: readonly [string, ...string[]],
): readonly [string, ...string[]] {
    if (named === undefined) return command;
    return ['/bin/sh', '-c', SCRIPT, 'sh', named.input ?? '', named.output ?? '', ...command];
}
