/** Files in their working directory that programs read and write instead of stdin and stdout. */
export interface NamedFiles {
    /** null: stdin. */
    readonly input: string | null;
    /** null: stdout. */
    readonly output: string | null;
}

/**
 * The names that a dataset gives, where '' and `stdin` or `stdout` stand for the usual streams; null if programs use those. If a
 * name is not that of a file in the working directory, the result says why nothing can run.
 */
export function readNamedFiles(input: string, output: string): NamedFiles | { readonly skip: string } | null {
    const named = {
        input: input === '' || input === 'stdin' ? null : input,
        output: output === '' || output === 'stdout' ? null : output,
    };
    const odd = [named.input, named.output].find((name) => name !== null && !PLAIN_NAME.test(name));
    if (odd !== undefined && odd !== null)
        return { skip: `its programs use the file ${JSON.stringify(odd)}, which is not a plain name` };
    return named.input === null && named.output === null ? null : named;
}

const PLAIN_NAME = /^[A-Za-z0-9_][\w.-]{0,99}$/;
