import type { CapturedRun } from '../../model/entry.js';

/*
 * Since Python 3.11 (and 3.10.7), conversions of integers with more than 4,300 digits fail, which no judge did when the programs
 * of datasets were accepted. Where we set the environment, a variable disables this limit (runtime-environment.ts). SandboxFusion
 * and Piston accept no variables, so a program that hits the limit runs once more, with a starter that lifts it first.
 */

/**
 * Whether a Python program was ended by that limit. A program that merely printed the same words runs a second time, which does
 * no harm.
 */
export const hitsDigitLimit = (run: Pick<CapturedRun, 'return_code' | 'stderr'> | null): boolean =>
    run !== null &&
    run.return_code !== 0 &&
    /Exceeds the limit \(\d+( digits)?\) for integer string conversion/.test(run.stderr);

/** The same program without the limit. It stays `__main__`, and may begin with imports from `__future__`. */
export function liftDigitLimit(code: string): string {
    // A JSON string is a valid Python string.
    const program = JSON.stringify(code);
    return `import sys\ngetattr(sys, 'set_int_max_str_digits', int)(0)\nexec(compile(${program}, 'main.py', 'exec', dont_inherit=True))\n`;
}
