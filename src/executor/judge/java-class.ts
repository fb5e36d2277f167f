/*
 * Java names a file after its public class and starts a class by its full name, but submissions are plain text without a name.
 */

/** Which class of a Java source has `main`, and the required file name. */
export interface JavaClass {
    /** `Solution.java` */
    readonly fileName: string;
    /** `com.example.Solution`, or null if no class has a `main`. */
    readonly mainClass: string | null;
}

/** Blanks out comments and literals, so that nothing inside them looks like code. */
function withoutText(source: string): string {
    return source.replace(
        /\/\*[\s\S]*?\*\/|\/\/[^\n]*|"""[\s\S]*?"""|"(?:\\.|[^"\\\n])*"|'(?:\\.|[^'\\\n])*'/g,
        ' ',
    );
}

interface TopLevel {
    readonly name: string;
    readonly isPublic: boolean;
    readonly body: string;
}

const DECLARATION =
    /((?:\b(?:public|final|abstract|strictfp|sealed|static)\s+|@\w+(?:\([^)]*\))?\s*)*)\b(?:class|interface|enum|record)\s+([\p{L}\p{N}_$]+)/uy;

/** Top-level classes, with the text between their braces. */
function topLevelClasses(code: string): TopLevel[] {
    const classes: TopLevel[] = [];
    for (let at = 0; at < code.length; ) {
        DECLARATION.lastIndex = at;
        const found = /[\w@]/.test(code.charAt(at)) ? DECLARATION.exec(code) : null;
        if (found === null) {
            at = nextWord(code, at);
            continue;
        }
        const open = code.indexOf('{', DECLARATION.lastIndex);
        if (open < 0) break;
        const end = closingBrace(code, open);
        const [, modifiers = '', name = ''] = found;
        classes.push({ name, isPublic: /\bpublic\b/.test(modifiers), body: code.slice(open + 1, end) });
        at = end + 1;
    }
    return classes;
}

function nextWord(code: string, at: number): number {
    const rest = /[\p{L}\p{N}_$]+|[^\p{L}\p{N}_$]/uy;
    rest.lastIndex = at;
    return rest.exec(code) === null ? code.length : rest.lastIndex;
}

function closingBrace(code: string, open: number): number {
    let depth = 0;
    for (let i = open; i < code.length; i++) {
        if (code[i] === '{') depth += 1;
        else if (code[i] === '}' && --depth === 0) return i;
    }
    return code.length;
}

const MAIN = /\bstatic\s+(?:\w+\s+)*?void\s+main\s*\(/;

/** @param fallback name of the file if nothing in it requires another */
export function findJavaClass(source: string, fallback = 'Main.java'): JavaClass {
    const code = withoutText(source);
    const packageName = /^\s*package\s+([\p{L}\p{N}_$.]+)\s*;/mu.exec(code)?.[1];
    const classes = topLevelClasses(code);
    const runnable = classes.filter((one) => MAIN.test(one.body));
    const named = classes.find((one) => one.isPublic);
    // If several could be started: the public one, since the author named it so on purpose; then Main, which most judges start.
    const main =
        runnable.find((one) => one.isPublic) ??
        runnable.find((one) => one.name === 'Main') ??
        runnable[0] ??
        null;
    const prefix = packageName === undefined ? '' : `${packageName}.`;
    return {
        fileName: named === undefined ? fallback : `${named.name}.java`,
        mainClass: main === null ? null : prefix + main.name,
    };
}
