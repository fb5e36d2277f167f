/** The arguments of a command line that belong to resume-run; those after `--` belong to a command of the user. */
export function ownWords(argv: readonly string[]): readonly string[] {
    const dashes = argv.indexOf('--');
    return dashes === -1 ? argv : argv.slice(0, dashes);
}
