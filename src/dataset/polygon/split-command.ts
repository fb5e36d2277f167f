/**
 * Splits a command into words as a shell does: quotes join words, and a backslash keeps the next character as it is. Nothing is
 * expanded: generator commands are also written for Windows, whose shell gives `$` and `*` no meaning.
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
