import type { NamedFiles } from '../../model/named-files.js';

/**
 * Copies stdin to the file `$1` and prints the file `$2` once the program has ended, if these are not empty. If there is an
 * output file, the program's own stdout is discarded, as judges of such problems do.
 */
const SCRIPT = `in="$1" out="$2"
shift 2
if [ -n "$in" ]; then cat > "$in" && exec < /dev/null || exit 1; fi
if [ -z "$out" ]; then exec "$@"; fi
"$@" > /dev/null
code=$?
if [ -f "$out" ]; then cat "$out"; fi
exit $code`;

/** Wraps a program's command so that the program finds its input in a file, and its output is read from one. */
export function wrapNamedFiles(
    named: NamedFiles | undefined,
    command: readonly [string, ...string[]],
): readonly [string, ...string[]] {
    if (named === undefined) return command;
    return ['/bin/sh', '-c', SCRIPT, 'sh', named.input ?? '', named.output ?? '', ...command];
}
