import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { ProgramInput, SourceFile } from '../../model/sample.js';
import { makeTextContent } from '../../model/fingerprint.js';
import type { PlacedFile } from '../sandbox/wire.js';
import { findJavaClass } from './java-class.js';
import type { Language } from './language.js';
import { encodeSource } from './source-encoding.js';

/** A submission's files on disk, ready to be placed in a box. */
export interface PlacedSubmission {
    readonly files: readonly (PlacedFile & { readonly digest: string })[];
    /** Name of the main file. */
    readonly main: string;
    /** Java's main class; empty for other languages. */
    readonly mainClass: string;
}

const READ_ONLY = 0o444;

/**
 * Writes the texts of a submission below `folder` (created if needed); files that are already on disk stay where they are. A Java
 * source without a file name gets the one that its public class requires.
 */
export async function layOut(
    input: Pick<ProgramInput, 'files'>,
    language: Language,
    folder: string,
): Promise<PlacedSubmission> {
    const java = language.tag === 'JAVA' ? await detectJavaClass(input.files) : null;
    const names = input.files.map((file, i) => {
        if (i > 0 || language.extensions.length === 0) return file.name;
        if (java !== null && input.files.length === 1) return java.fileName;
        return mainName(file.name, language);
    });
    const files: (PlacedFile & { digest: string })[] = [];
    for (const [i, file] of input.files.entries()) {
        const name = names[i] ?? file.name;
        const host = await placeFile(file, join(folder, name), language.tag);
        files.push({ host, name, mode: READ_ONLY, digest: file.content.digest });
    }
    if (language.beside !== undefined) {
        const { name, text } = language.beside;
        const content = makeTextContent(text);
        files.push({
            host: await placeFile({ name, content }, join(folder, name), language.tag),
            name,
            mode: READ_ONLY,
            digest: content.digest,
        });
    }
    return { files, main: names[0] ?? language.source, mainClass: java?.mainClass ?? '' };
}

/** The name given by the dataset, if a compiler accepts it: compilers go by extensions, and unusual characters break commands. */
function mainName(name: string, language: Language): string {
    const fits =
        name === language.source || language.extensions.some((extension) => name.endsWith(extension));
    return fits && /^(?:[\w+][\w.+-]*\/)*[\w+][\w.+-]*$/.test(name) ? name : language.source;
}

async function placeFile(file: SourceFile, target: string, tag: string): Promise<string> {
    if (file.content.path !== undefined) return file.content.path;
    await mkdir(dirname(target), { recursive: true, mode: 0o700 });
    await writeFile(target, await encodeSource(file.content.text, tag));
    return target;
}

async function readText(file: SourceFile): Promise<string> {
    return file.content.text ?? readFile(file.content.path, 'utf8');
}

/** The main file's class, or that of the first other file that has a `main`. */
async function detectJavaClass(
    files: readonly [SourceFile, ...SourceFile[]],
): Promise<{ fileName: string; mainClass: string }> {
    const first = findJavaClass(await readText(files[0]), baseName(files[0].name));
    let { mainClass } = first;
    for (const file of files.slice(1)) {
        if (mainClass !== null) break;
        if (file.name.endsWith('.java')) mainClass = findJavaClass(await readText(file)).mainClass;
    }
    const fallback = first.fileName.replace(/\.java$/, '');
    return { fileName: first.fileName, mainClass: mainClass ?? fallback };
}

function baseName(name: string): string {
    return /^\w+\.java$/.test(name) ? name : 'Main.java';
}
