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
    // Help and version need no parser, and must work even if the rest of the command line is wrong.
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
        // In `resume-run report` the word may have been meant as a dataset if a folder has that name, but not if the folder is a
        // results database.
        const isDatabase = ['manifest.json', 'parts'].some((name) => existsSync(`${parsed.name}/${name}`));
        const mayBeDataset = existsSync(parsed.name) && !isDatabase;
        if (error instanceof UserError && ours[0] === parsed.name && mayBeDataset)
            error.message += ` (to run the dataset of that name: resume-run ./${parsed.name})`;
        throw error;
    }
}

/** @throws UserError if the folder was removed while the shell was in it */
function getCurrentFolder(): string {
    try {
        return process.cwd();
    } catch (error) {
        throw new UserError(
            'the current folder no longer exists: change to one that does (cd ...) and start again',
            2,
            {
                cause: error,
            },
        );
    }
}

/**
 * Reports an error on stderr: as one line for people, or as a JSON object if the command line has `--json`.
 * @returns the exit code
 */
export function reportFailure(error: unknown, argv: readonly string[]): number {
    const { text, code } = explainError(error, ownWords(argv).includes('--json'));
    process.stderr.write(text);
    return code;
}

/** The command that a command line most likely means. Help needs it even if the rest of the command line is wrong. */
export function findCommand(argv: readonly string[]): CommandName {
    const [first] = argv.filter((word) => !word.startsWith('-'));
    return COMMAND_NAMES.find((name) => name === first) ?? 'run';
}

/** Commands whose results are in files rather than in what they print. */
const WORKING: ReadonlySet<CommandName> = new Set(['run', 'topics', 'matrix', 'score', 'worker', 'collect']);

/** Arguments with which even `WORKING` commands only print. */
const PRINTING: ReadonlySet<string> = new Set(['-h', '--help', '-V', '--version', '--dry-run', 'completion']);

/** Whether a command line only prints something. */
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
