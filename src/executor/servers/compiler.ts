import type { CapturedRun } from '../../model/entry.js';
import { signalName } from '../signal-name.js';

/** What compilers and systems print when it was not the program's fault. */
const NOT_THE_PROGRAM =
    /no space left on device|cannot allocate memory|virtual memory exhausted|out of memory allocating|killed signal terminated program|fatal signal (killed|terminated)|could not create the java virtual machine/i;

/**
 * Why a failed compilation says nothing about the program: the compiler did not end by itself, or lacked memory or space.
 * null: it is a CompileError.
 */
export function compilerTrouble(compile: CapturedRun): string | null {
    if (compile.status === 'TimeLimitExceeded')
        return `the compiler did not end within ${compile.execution_time} s`;
    const { return_code: code } = compile;
    if (compile.signal !== undefined) return `the compiler was ended by ${compile.signal}`;
    if (code !== null && code < 0) return `the compiler was ended by ${signalName(-code)}`;
    if (code === 137 || code === 143) return `the compiler was ended by ${signalName(code - 128)}`;
    return NOT_THE_PROGRAM.exec(compile.stderr)?.[0] ?? null;
}
