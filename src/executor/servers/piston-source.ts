import type { ProgramInput } from '../../model/sample.js';
import { findJavaClass } from '../judge/java-class.js';
import { readSourceBytes } from './fusion-source.js';
import { asText } from './load.js';
import type { PistonFile } from './piston-protocol.js';

/** Name of the main file; Piston's scripts add the extension that the compiler wants. */
const MAIN = 'main';

/**
 * A submission in the form of Piston. Its scripts rename every file sent as text, so additional files are sent in base64, which
 * keeps their names.
 */
export async function pistonFiles(
    input: Pick<ProgramInput, 'files' | 'language'>,
): Promise<readonly PistonFile[]> {
    const [main, ...others] = input.files;
    const bytes = await readSourceBytes(main.content, input.language);
    const beside = await Promise.all(
        others.map(async ({ name, content }) =>
            inBase64(name, await readSourceBytes(content, input.language)),
        ),
    );
    const text = asText(bytes);
    if (input.language === 'JAVA') return [...javaFiles(text ?? bytes.toString('latin1')), ...beside];
    if (text !== null) return [{ name: MAIN, content: text, encoding: 'utf8' }, ...beside];
    // At least one file must be text.
    const starter = `import runpy\nrunpy.run_path('${ENCODED}', run_name='__main__')\n`;
    return [{ name: MAIN, content: starter, encoding: 'utf8' }, inBase64(ENCODED, bytes), ...beside];
}

const ENCODED = 'resume_run_program.py';

const inBase64 = (name: string, bytes: Buffer): PistonFile => ({
    name,
    content: bytes.toString('base64'),
    encoding: 'base64',
});

/** The exit code and message with which our starter reports that a Java program did not compile. */
const JAVA_NOT_COMPILED = 113;
const JAVA_NOT_COMPILED_WORDS = 'resume-run: the program did not compile';

/** Whether a run of a Java program is really a failed compilation. */
export const isJavaNotCompiled = ({
    code,
    stderr,
}: {
    readonly code: number | null;
    readonly stderr: string;
}): boolean => code === JAVA_NOT_COMPILED && stderr.trimEnd().endsWith(JAVA_NOT_COMPILED_WORDS);

/**
 * Piston passes a Java file to `java` directly, which runs the first class of the file, whatever it is, and reports compile
 * errors like a crash. So we send a starter that compiles the program and calls its main class.
 */
function javaFiles(source: string): readonly PistonFile[] {
    const { fileName, mainClass } = findJavaClass(source);
    const starter = `import java.io.*;
import java.lang.reflect.*;
import java.net.*;
import java.nio.file.*;
import javax.tools.*;

class ResumeRunStarter {
    public static void main(String[] arguments) throws Throwable {
        Path classes = Files.createTempDirectory("classes");
        JavaCompiler compiler = ToolProvider.getSystemJavaCompiler();
        int code = compiler.run(null, System.err, System.err, "-cp", ".", "-d", classes.toString(), ${JSON.stringify(fileName)});
        if (code != 0) {
            System.err.println(${JSON.stringify(JAVA_NOT_COMPILED_WORDS)});
            System.exit(${JAVA_NOT_COMPILED});
        }
        ClassLoader loader = new URLClassLoader(new URL[] { classes.toUri().toURL() });
        Thread.currentThread().setContextClassLoader(loader);
        Method program = loader.loadClass(${JSON.stringify(mainClass ?? fileName.replace(/\.java$/, ''))}).getDeclaredMethod("main", String[].class);
        program.setAccessible(true);
        try {
            program.invoke(null, (Object) new String[0]);
        } catch (InvocationTargetException error) {
            throw error.getCause();
        }
    }
}
`;
    return [{ name: MAIN, content: starter, encoding: 'utf8' }, inBase64(fileName, Buffer.from(source))];
}
