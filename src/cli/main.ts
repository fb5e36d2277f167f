import { existsSync } from 'node:fs';
import { type ExitCode, UserError } from '../util/user-error.js';
import { COMMAND_NAMES, COMMANDS, type CommandName, loadCatalog } from '../commands/registry.js';
import { ownWords } from './own-words.js';
import { explainError } from './report-error.js';

/**
 * Runs one command line.
 * @returns the exit code
 * @throws UserError and WriteError, explained by report-error.ts; anything else is a bug
 */
export async function main(argv: readonly string[]): Promise<ExitCode> {
    const ours = ownWords(argv);
    // Help and version need no parser, and must work where the rest of the line is wrong.
    if (ours.includes('--help')) return showHelp(ours, 'full');
    if (ours.includes('-h')) return showHelp(ours, 'short');
    if (ours.includes('--version') || ours.includes('-V')) return showVersion();
    const cwd = getCurrentFolder();
    const { parseCommandLine } = await import('./parse.js');
    const parsed = await parseCommandLine(argv);
    if (parsed === null) return 0;
    try {
        return await parsed.command.execute({
            ...parsed.input,
            env: process.env,
            cwd,
            catalog: loadCatalog,
        });
    } catch (error) {
        // `resume-run report`, where a folder of that name holds a dataset; a results database is not one.
        const isDatabase = ['manifest.json', 'parts'].some((name) => existsSync(`${parsed.name}/${name}`));
        const mayBeDataset = existsSync(parsed.name) && !isDatabase;
        if (error instanceof UserError && ours[0] === parsed.name && mayBeDataset)
            error.message += ` (to run the dataset of that name: resume-run ./${parsed.name})`;
        throw error;
    }
}

/** @throws UserError where it was removed while the shell was in it */
function getCurrentFolder(): string {
    try {
        return process.cwd();
    } catch (error) {
        throw new UserError(
            'the current folder is gone: go to one that is there (cd ...) and start again',
            2,
            {
                cause: error,
            },
        );
    }
}

/**
 * Writes to stderr what went wrong: one line for people, or an object where the command line says `--json`.
 * @returns the exit code
 */
export function reportFailure(error: unknown, argv: readonly string[]): number {
    const { text, code } = explainError(error, ownWords(argv).includes('--json'));
    process.stderr.write(text);
    return code;
}

/** The command that a command line most likely means: for help, which is wanted even where the rest is wrong. */
export function findCommand(argv: readonly string[]): CommandName {
    const [first] = argv.filter((word) => !word.startsWith('-'));
    return COMMAND_NAMES.find((name) => name === first) ?? 'run';
}

/** Commands whose work is not what they print: their results are in files. */
const WORKING: ReadonlySet<CommandName> = new Set(['run', 'topics', 'matrix', 'score', 'worker', 'collect']);

/** Words with which even those only print. */
const PRINTING: ReadonlySet<string> = new Set(['-h', '--help', '-V', '--version', '--dry-run', 'completion']);

/** Whether a command line is good for nothing but what it prints. */
export const onlyPrints = (argv: readonly string[]): boolean =>
    !WORKING.has(findCommand(argv)) || ownWords(argv).some((word) => PRINTING.has(word));

async function showHelp(argv: readonly string[], length: 'short' | 'full'): Promise<ExitCode> {
    const name = findCommand(argv);
    const [help, { command }] = await Promise.all([import('./help.js'), COMMANDS[name].load()]);
    process.stdout.write(
        length === 'short' ? help.renderShortHelp(name, command) : help.renderHelp(name, command),
    );
    return 0;
}

async function showVersion(): Promise<ExitCode> {
    const { readPackageVersion } = await import('../host/package-version.js');
    process.stdout.write(`${readPackageVersion()}\n`);
    return 0;
}
