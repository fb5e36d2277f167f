/**
 * The words of a command as a shell reads them: quotes join, a backslash takes the next sign as it is. Nothing is expanded:
 * commands of generators are written for Windows, too, whose shell knows no `$` and no `*`.
 */
export function splitCommand(command: string): string[] {
    const words: string[] = [];
    for (const [word] of command.matchAll(/(?:"(?:\\.|[^"\\])*"|'[^']*'|\\.|[^\s"'\\]|["'\\])+/gs))
        words.push(
            word.replace(/"((?:\\.|[^"\\])*)"|'([^']*)'|\\(.)/gs, (_, double, single, escaped) =>
                double === undefined ? (single ?? escaped) : double.replace(/\\(["\\])/g, '$1'),
            ),
        );
    return words;
}
