import { isUtf8 } from 'node:buffer';
import { readFile } from 'node:fs/promises';
import type { Content, ProgramInput } from '../../model/sample.js';
import { findJavaClass } from '../judge/java-class.js';
import { encodeSource } from '../judge/source-encoding.js';

/** A submission in the form of `/run_code`: one source, and additional files (base64). */
export interface FusionSource {
    readonly code: string;
    readonly files: Readonly<Record<string, string>>;
}

/** Reads a submission for sending. Java programs whose main class is not `Main` get a `Main` that calls it. */
export async function buildFusionSource(input: ProgramInput, language: string): Promise<FusionSource> {
    const [main, ...others] = input.files;
    const files: Record<string, string> = {};
    for (const { name, content } of others) {
        files[name] = (await readSourceBytes(content, input.language)).toString('base64');
    }
    const bytes = await readSourceBytes(main.content, input.language);
    const code = bytes.toString('utf8');
    if (language === 'python' && !isUtf8(bytes)) {
        // JSON cannot carry it as text, so put the program into a file and send a starter that runs it.
        files[ENCODED_PROGRAM] = bytes.toString('base64');
        return { code: PYTHON_STARTER, files };
    }
    if (language !== 'java') return { code, files };
    const { fileName, mainClass } = findJavaClass(code);
    if (mainClass === null || mainClass === 'Main') return { code, files };
    // The server compiles Main.java and runs Main, so put the program into an additional file with the right name.
    const folder = mainClass.replaceAll('.', '/').replace(/[^/]*$/, '');
    files[folder + fileName] = Buffer.from(code).toString('base64');
    return { code: javaStarter(mainClass), files };
}

/** Whether the server finds a Java program's main class by itself. */
export async function isMainClass(input: ProgramInput): Promise<boolean> {
    const { fileName, mainClass } = findJavaClass(
        (await readContent(input.files[0].content)).toString('utf8'),
    );
    return fileName === 'Main.java' && (mainClass ?? 'Main') === 'Main';
}

/** The texts of all its files, to search in. */
export const sourceTexts = (input: ProgramInput): Promise<readonly string[]> =>
    Promise.all(input.files.map(async ({ content }) => (await readContent(content)).toString('latin1')));

const ENCODED_PROGRAM = 'resume_run_program.py';
const PYTHON_STARTER = `import runpy\nrunpy.run_path('${ENCODED_PROGRAM}', run_name='__main__')\n`;

/** The bytes of a submission's file: as on disk, or, if it is given as text, in the encoding that it declares. */
export async function readSourceBytes(content: Content, tag: string): Promise<Buffer> {
    return content.path === undefined ? encodeSource(content.text, tag) : readFile(content.path);
}

/** The bytes of a submission's file as they are in the dataset. */
export async function readContent(content: Content): Promise<Buffer> {
    return content.path === undefined ? Buffer.from(content.text) : readFile(content.path);
}

const javaStarter = (className: string): string =>
    `public class Main { public static void main(String[] arguments) throws Throwable { ${className}.main(arguments); } }\n`;
