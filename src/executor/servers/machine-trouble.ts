import type { CapturedRun } from '../../model/entry.js';
import { nameSignal } from '../signal-name.js';

/*
 * Servers can only report their own trouble through the exit code and the output of what they started. Any program can end that
 * way too, so these are reasons to look closer, not proof.
 */

/** What compilers and systems print if the program is not at fault. */
const COMPILER_TROUBLE =
    /no space left on device|cannot allocate memory|virtual memory exhausted|out of memory allocating|killed signal terminated program|fatal signal (killed|terminated)|could not create the java virtual machine|resource temporarily unavailable|command not found/i;

/** What shells, interpreters and systems print if a program could not be run properly. */
const RUN_TROUBLE =
    /no space left on device|fork: (?:retry: )?(?:resource temporarily unavailable|cannot allocate memory)|command not found|error while loading shared libraries|too many open files in system|read-only file system|input\/output error|could not create the java virtual machine/i;

/** A shell's exit codes for commands that could not be started or found, and for a failed fork. */
const SHELL_CODES = new Map([
    [126, 'the command could not be started'],
    [127, 'the command was not found'],
    [254, 'the shell could not fork'],
]);

/**
 * Why the machine may have caused a failed compilation: the compiler did not end by itself, or reports a lack of memory or space.
 * null if it looks like the program's fault.
 */
export function findCompilerTrouble(compile: CapturedRun): string | null {
    const { return_code: code } = compile;
    if (compile.signal !== undefined) return `the compiler was ended by ${compile.signal}`;
    if (code !== null && code < 0) return `the compiler was ended by ${nameSignal(-code)}`;
    if (code === 137 || code === 143) return `the compiler was ended by ${nameSignal(code - 128)}`;
    const shell = code === null ? undefined : SHELL_CODES.get(code);
    if (shell !== undefined) return `the compiler: ${shell}`;
    return foundIn(COMPILER_TROUBLE, compile);
}

/** Why the machine may have caused the end of a program; null if it looks like the program's own. */
export function runTrouble(run: Pick<CapturedRun, 'return_code' | 'stdout' | 'stderr'>): string | null {
    const { return_code: code } = run;
    if (code === null || code === 0) return null;
    if (code === 137 || code === 143) return `it was ended by ${nameSignal(code - 128)}`;
    return SHELL_CODES.get(code) ?? foundIn(RUN_TROUBLE, run);
}

/** Searches both streams: some compilers write to stdout. */
function foundIn(pattern: RegExp, { stdout, stderr }: Pick<CapturedRun, 'stdout' | 'stderr'>): string | null {
    return (pattern.exec(stderr) ?? pattern.exec(stdout))?.[0] ?? null;
}
