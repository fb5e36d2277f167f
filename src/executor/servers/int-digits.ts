import type { CapturedRun } from '../../model/entry.js';

/*
 * Python 3.11 (and 3.10.7) refuses to convert integers of more than 4,300 digits, which no judge did when the programs of
 * datasets were accepted. Where we set the environment, a variable takes that back (runtime-environment.ts). SandboxFusion and
 * Piston take none: a program that runs into it is run once more, by a starter that lifts the limit first.
 */

/** Whether a Python program ended by that limit, or one that printed its words: a second run does no harm. */
export const hitsDigitLimit = (run: Pick<CapturedRun, 'return_code' | 'stderr'> | null): boolean =>
    run !== null &&
    run.return_code !== 0 &&
    /Exceeds the limit \(\d+( digits)?\) for integer string conversion/.test(run.stderr);

/** The same program without the limit. It stays `__main__`, and may begin with imports from `__future__`. */
export function liftDigitLimit(code: string): string {
    // A string of JSON is one of Python, too.
    const program = JSON.stringify(code);
    return `import sys\ngetattr(sys, 'set_int_max_str_digits', int)(0)\nexec(compile(${program}, 'main.py', 'exec', dont_inherit=True))\n`;
}
