import { open, readFile } from 'node:fs/promises';
import { makeTextContent } from '../../model/fingerprint.js';
import type { Content, SourceFile } from '../../model/sample.js';
import { describeFileContent } from '../file-content.js';
import { findLanguageByName, type SourceText } from './languages.js';
import type { PackageFile } from './package-files.js';

/** A file of a program, with its name within the program. */
export interface ProgramFile {
    readonly name: string;
    readonly file: PackageFile;
}

/** The `build` and `run` scripts of a program define how it is built and started. */
export const isScript = ({ name }: ProgramFile): boolean => name === 'build' || name === 'run';

/**
 * The script by which a program is built or started; null where its source files are compiled as their language is. The
 * format gives scripts precedence over sources, and DOMjudge needs no `build` beside a `run`. A `run` that is no script is
 * what a `build` once left there.
 */
export async function findScript(files: readonly ProgramFile[]): Promise<ProgramFile | null> {
    const build = files.find(({ name }) => name === 'build');
    if (build !== undefined) return build;
    const run = files.find(({ name }) => name === 'run');
    return run !== undefined && (await startsWithShebang(run.file)) ? run : null;
}

async function startsWithShebang({ path, refused }: PackageFile): Promise<boolean> {
    if (refused !== null) return false;
    const handle = await open(path);
    try {
        const { buffer, bytesRead } = await handle.read(Buffer.alloc(2), 0, 2, 0);
        return buffer.toString('latin1', 0, bytesRead) === '#!';
    } finally {
        await handle.close();
    }
}

/** The row of the language table for programs that bring their own scripts. */
export const SCRIPTED = 'SCRIPTED';

/** Larger files are not source code: they are passed on, but not inspected. */
const MAX_SOURCE_BYTES = 4 * 1024 * 1024;

/** Texts of a program's source files, for detecting its language. */
export async function readSourceTexts(files: readonly ProgramFile[]): Promise<SourceText[]> {
    const sources: SourceText[] = [];
    for (const { name, file } of files) {
        if (findLanguageByName(name) === null || file.refused !== null || file.size > MAX_SOURCE_BYTES)
            continue;
        sources.push({ name, text: await readFile(file.path, 'utf8') });
    }
    return sources;
}

/** Why a program cannot be read; null if it can. */
export function findRefusedFile(files: readonly ProgramFile[]): string | null {
    const refused = files.find(({ file }) => file.refused !== null);
    return refused === undefined ? null : `${refused.file.name} cannot be read: ${refused.file.refused}`;
}

/** The hashed files, the main one first, with the problem's constants filled in. */
export async function readSourceFiles(
    files: readonly ProgramFile[],
    main: string,
    constants: ReadonlyMap<string, string>,
): Promise<[SourceFile, ...SourceFile[]]> {
    const sorted = [...files].sort((a, b) => Number(b.name === main) - Number(a.name === main));
    const [first, ...rest] = sorted;
    if (first === undefined) throw new Error('bug in resume-run: a program without files');
    const result: [SourceFile, ...SourceFile[]] = [await sourceFile(first, constants)];
    for (const each of rest) result.push(await sourceFile(each, constants));
    return result;
}

async function sourceFile(
    { name, file }: ProgramFile,
    constants: ReadonlyMap<string, string>,
): Promise<SourceFile> {
    if (file.refused !== null) return { name, content: makeTextContent('') };
    return { name, content: await readContent(file, constants) };
}

/** A file as content; if the problem has constants, its text with `{{name}}` replaced. */
async function readContent(file: PackageFile, constants: ReadonlyMap<string, string>): Promise<Content> {
    if (constants.size === 0 || file.size > MAX_SOURCE_BYTES) return describeFileContent(file.path);
    const text = await readFile(file.path, 'utf8');
    const filled = text.replace(
        /\{\{([A-Za-z_]\w*(?:\.[A-Za-z_]\w*)?)\}\}/g,
        (tag, name: string) => constants.get(name) ?? tag,
    );
    return filled === text ? describeFileContent(file.path) : makeTextContent(filled);
}
