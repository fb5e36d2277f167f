import { escapeLine } from '../util/printable.js';

const PLAIN_WORD = /^[\w@%+=:,./-]+$/;

/** Quotes a word for a POSIX shell. */
export function quoteWord(word: string): string {
    return PLAIN_WORD.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`;
}

/** The command that resumes a results directory, or runs another command on it. */
export function buildShellCommand(dir: string, command: 'run' | 'report' | 'status' = 'run'): string {
    const words = command === 'run' ? ['resume-run'] : ['resume-run', command];
    return escapeLine([...words, '--dir', quoteWord(dir)].join(' '));
}
