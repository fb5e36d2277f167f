import type { SourceFile } from '../../model/sample.js';
import { describeFileContent } from '../file-content.js';
import { findLanguageByName } from '../kattis/languages.js';
import type { PackageFile } from '../kattis/package-files.js';
import type { PolygonProgram, PolygonResource } from './problem-xml.js';

/** Headers beside checkers, interactors and generators, including the package's testlib.h. */
export function findHeaders(
    resources: readonly PolygonResource[],
    files: ReadonlyMap<string, PackageFile>,
): PackageFile[] {
    const paths = new Set([...resources.map(({ path }) => path), 'files/testlib.h']);
    return [...paths].flatMap((path) => {
        const file = files.get(path);
        return file !== undefined && /\.(h|hpp|inc)$/i.test(path) ? [file] : [];
    });
}

/** The file with its base name, without its folder. */
export async function sourceFile({ name, path }: PackageFile): Promise<SourceFile> {
    return { name: name.split('/').at(-1) ?? name, content: await describeFileContent(path) };
}

/** By type (`python.2`, `cpp.g++17`), otherwise by the file's name. */
export function findPolygonLanguage({ path, type }: PolygonProgram): string | null {
    const byName = findLanguageByName(path);
    if (byName === 'PYTHON3' && /python\.?(2|pypy2)/.test(type)) return 'PYTHON';
    if (byName !== null && byName !== 'PROLOG') return byName;
    return path.endsWith('.pl') ? 'PERL' : byName;
}
