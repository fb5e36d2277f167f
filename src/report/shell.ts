import { escapeLine } from '../util/printable.js';

const PLAIN_WORD = /^[\w@%+=:,./-]+$/;

/** A word as it must be typed in a POSIX shell. */
export function quoteWord(word: string): string {
    return PLAIN_WORD.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`;
}

/** The command that goes on with a results directory, or does something else with it. */
export function buildShellCommand(dir: string, command: 'run' | 'report' | 'status' = 'run'): string {
    const words = command === 'run' ? ['resume-run'] : ['resume-run', command];
    return escapeLine([...words, '--dir', quoteWord(dir)].join(' '));
}
