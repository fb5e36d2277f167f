import type { ProgramRun } from '../judged-result.js';
import type { Box } from '../sandbox/box.js';
import type { CapturedRun } from '../../model/entry.js';
import { toCompilerResult } from './program-run.js';
import { COMPILE_LIMITS } from './limits.js';
import type { UsableLanguage } from './toolchains.js';

/*
 * An interpreter detects only at the first test what a compiler detects beforehand: that a program is not valid in its language.
 * Judges call that a CompileError. A program's own output is not trusted: the interpreter is asked, and only if the program ended
 * as an invalid one does.
 */

const PYTHON_CHECK = 'import sys; compile(open(sys.argv[1], "rb").read(), sys.argv[1], "exec")';

/**
 * @param said stderr of the program that ended in a RuntimeError
 * @returns how the interpreter rejected it; null if the program is valid in its language
 */
export async function findSyntaxError(
    { language, run }: UsableLanguage,
    box: Box,
    source: string,
    ended: ProgramRun,
    said: string,
): Promise<CapturedRun | null> {
    if (hasNoMain(language.tag, ended, said)) return { ...NO_MAIN, stderr: said };
    const command = checkCommand(language.tag, run[0] ?? '', source);
    if (command === null || !SYNTAX_ERROR.test(said)) return null;
    const report = await box.run({ argv: command, stdin: null, limits: COMPILE_LIMITS });
    const isRefused = report.limit === null && report.exitCode === 1;
    return isRefused && SYNTAX_ERROR.test(report.stderr.toString('latin1'))
        ? toCompilerResult(report, MESSAGE_BYTES)
        : null;
}

const SYNTAX_ERROR = /\b(?:Syntax|Indentation|Tab)Error\b/;
const MESSAGE_BYTES = 16 * 1024;
const NO_MAIN = { status: 'Error', execution_time: 0, return_code: 1, stdout: '' } as const;

function checkCommand(tag: string, interpreter: string, source: string): [string, ...string[]] | null {
    switch (tag) {
        case 'PYTHON':
        case 'PYTHON3':
        case 'PYPY3':
            return [interpreter, '-c', PYTHON_CHECK, source];
        case 'JAVASCRIPT':
            return [interpreter, '--check', source];
        default:
            return null;
    }
}

/** Whether the runtime reports, before any part of the program ran, that there is no `main`. */
function hasNoMain(tag: string, { stdout, returnCode }: ProgramRun, said: string): boolean {
    if (returnCode !== 1 || !Buffer.isBuffer(stdout) || stdout.length > 0) return false;
    return NO_MAIN_MESSAGES[tag]?.test(said) ?? false;
}

const NO_MAIN_MESSAGES: Readonly<Record<string, RegExp>> = {
    JAVA: /^Error: (?:Main method (?:not found in|is not static in|must return)|Could not find or load main class)/,
    KOTLIN: /^no main manifest attribute, in /,
};
