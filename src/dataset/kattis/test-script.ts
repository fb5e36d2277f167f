import { readdir, readFile, realpath, stat } from 'node:fs/promises';
import { basename, dirname, join, posix } from 'node:path';
import type { ScriptFile, ScriptRecipe } from '../../model/test-recipe.js';
import { describeFileContent, isInside } from '../file-content.js';
import { findHalfTest, findUnansweredSamples } from './half-test.js';
import {
    listOutside,
    listPackage,
    listRoots,
    type PackageFile,
    type PackagePlace,
    type PackageReach,
} from './package-files.js';

/*
 * Packages in the Swedish style make their tests with a shell script in `data`, mostly using the functions of a gen.sh in a
 * folder beside the packages. Source: README.md and generator_example.sh of Kodsport/testdata_tools.
 */

/** A script that makes the tests of a package, and all files that it may read. */
export interface TestScript {
    /** `data/generator.sh` */
    readonly name: string;
    /** The package's files, and files outside of it that the script names: `../testdata_tools/gen.sh`. */
    readonly files: readonly PackageFile[];
    /** Why it cannot be run; null if it can. */
    readonly refused: string | null;
}

/** Whether a package has no secret tests, only one half of some, or broken links in place of some. */
export const lacksSecretTests = (files: readonly PackageFile[]): boolean =>
    !files.some(({ name, refused }) => SECRET_INPUT.test(name) && refused === null) ||
    files.some(({ name, refused }) => SECRET_FILE.test(name) && refused !== null) ||
    findHalfTest(new Set(files.map(({ name }) => name))) !== null;

/** The same, or only one half of some samples. */
export const lacksTests = (files: readonly PackageFile[]): boolean =>
    lacksSecretTests(files) || findUnansweredSamples(new Set(files.map(({ name }) => name))).length > 0;

const SECRET_INPUT = /^data\/secret\/.*\.in$/;
const SECRET_FILE = /^data\/secret\/.*\.(in|ans)$/;

/** The names in use, the most common one first. */
const NAMES = ['generator.sh', 'generate.sh', 'gen.sh', 'generator', 'generate'].map(
    (name) => `data/${name}`,
);
const SHELL = /^#!\s*\/\S*\b(bash|sh|env\s+(bash|sh))\b/;
/** Larger files are not scripts. */
const MAX_SCRIPT_BYTES = 1024 * 1024;
/** Most files that are copied for a script. */
const MAX_FILES = 5000;
const MAX_BYTES = 512 * 1024 * 1024;

/**
 * The script of a package that lacks tests; null: it has none.
 * @param reach what may be read besides the package
 */
export async function findTestScript(
    folder: string,
    reach: PackageReach,
    files: readonly PackageFile[],
): Promise<TestScript | null> {
    for (const name of NAMES) {
        const file = files.find((each) => each.name === name && each.refused === null);
        if (file === undefined) continue;
        const text = await readScript(file.path, file.size);
        if (text === null || (!name.endsWith('.sh') && !SHELL.test(text))) continue;
        return new ScriptReader(await realpath(folder), reach).read(name, text);
    }
    return null;
}

/** @param id of the package; its last part is the name of its folder, whatever folder it was unpacked into */
export async function readScriptRecipe({ name, files }: TestScript, id: string): Promise<ScriptRecipe> {
    const read: ScriptFile[] = [];
    for (const file of files) {
        if (file.refused !== null) continue;
        const { path } = file;
        const { digest } = await describeFileContent(path);
        const isExecutable = ((await stat(path)).mode & 0o111) !== 0;
        read.push({ name: file.name, content: { path, digest }, isExecutable });
    }
    return { script: name, folder: posix.basename(id), files: read };
}

/** `. ../../testdata_tools/gen.sh`, at the start of a line, so that it is certain to run. */
const SOURCED = /^[ \t]*(?:\.|source)[ \t]+(?:"([^"\n]+)"|'([^'\n]+)'|([^\s;&|#]+))/gm;
/** The script's own folder, as scripts spell it; they are run from there. */
const OWN_FOLDER =
    /^(?:\$\(dirname "?(?:\$0|\$\{?BASH_SOURCE(?:\[0\]\})?)"?\)|\$\{0%\/\*\}|\$PWD|\$\(pwd\))\//;
/** Other files outside of the package that a script may name. */
const OUTSIDE = /(?:\.\.\/){2,}[\w.+@/-]*\w/g;

class ScriptReader {
    readonly #files = new Map<string, PackageFile>();
    readonly #read = new Set<string>();
    #refused: string | null = null;
    readonly #bounds: string;
    /** Where the package is: on disk and, if it was unpacked from an archive, where it would be in the tree. */
    readonly #places: readonly PackagePlace[];

    constructor(
        /** Real path of the package's folder. */
        private readonly root: string,
        { bounds, beside }: PackageReach,
    ) {
        this.#bounds = bounds;
        this.#places = [{ folder: root, bounds }, ...(beside === null ? [] : [beside])];
    }

    async read(name: string, text: string): Promise<TestScript> {
        this.#add(await listPackage(this.root, this.#bounds, await listRoots(this.root)));
        await this.#follow(text, true);
        for (const [path] of text.matchAll(OUTSIDE)) await this.#addOutside(posix.normalize(`data/${path}`));
        const files = [...this.#files.values()].sort((a, b) => (a.name < b.name ? -1 : 1));
        const bytes = files.reduce((sum, { size }) => sum + size, 0);
        if (files.length > MAX_FILES || bytes > MAX_BYTES)
            this.#refused ??= `it has more than ${MAX_FILES} files or ${MAX_BYTES / 1024 ** 2} MiB to read`;
        return { name, files: this.#refused === null ? files : [], refused: this.#refused };
    }

    #add(files: readonly PackageFile[]): void {
        for (const file of files) this.#files.set(file.name, file);
    }

    /** @param isNeeded whether the text belongs to the package itself: shared tools may look for files that do not exist */
    async #follow(text: string, isNeeded: boolean): Promise<void> {
        for (const [, double, single, plain] of text.matchAll(SOURCED)) {
            const path = (double ?? single ?? plain ?? '').replace(OWN_FOLDER, '');
            // The value of a variable is known only to the shell.
            if (path === '' || path.startsWith('/') || /[$`*?[\\~]/.test(path)) continue;
            const name = posix.normalize(`data/${path}`);
            if (this.#read.has(name)) continue;
            this.#read.add(name);
            const found = this.#files.get(name) ?? (await this.#addTool(name));
            if (found === null) {
                if (isNeeded) this.#refused ??= `it needs ${path}, which is not in the folder that you named`;
                continue;
            }
            const sourced = await readScript(found.path, found.size);
            if (sourced !== null) await this.#follow(sourced, !name.startsWith('../') && isNeeded);
        }
    }

    /** The sourced file, with the files beside it, since tools consist of several scripts. */
    async #addTool(name: string): Promise<PackageFile | null> {
        if (!name.startsWith('../')) return null;
        const place = await this.#findTool(name);
        if (place === null) return null;
        const { folder, bounds } = place;
        for (const each of await readdir(folder)) {
            const file = await stat(join(folder, each)).catch(() => null);
            if (file?.isFile() !== true || file.size > MAX_SCRIPT_BYTES) continue;
            const beside = posix.join(posix.dirname(name), each);
            this.#add(await listOutside(beside, join(folder, each), bounds));
        }
        const found = this.#files.get(name) ?? null;
        return found?.refused === null ? found : null;
    }

    /** The folder of a sourced file. */
    async #findTool(name: string): Promise<PackagePlace | null> {
        for (const { folder, bounds } of this.#places) {
            const path =
                (await findInside(join(folder, name), bounds)) ?? (await findFurtherUp(name, folder, bounds));
            if (path !== null) return { folder: dirname(path), bounds };
        }
        return null;
    }

    async #addOutside(name: string): Promise<void> {
        if (!name.startsWith('../') || this.#files.has(name)) return;
        for (const { folder, bounds } of this.#places) {
            const path = join(folder, name);
            const real = await realpath(path).catch(() => null);
            // A path to the folder that holds this package among others must not include the others.
            if (real === null || !isInside(bounds, real) || isInside(real, folder)) continue;
            this.#add(await listOutside(name, path, bounds));
            return;
        }
    }
}

/** Packages that were copied out of their repository have its tools' folder inside them, or in a folder above. */
async function findFurtherUp(name: string, from: string, bounds: string): Promise<string | null> {
    const last = name.split('/').filter((part) => part !== '..');
    if (last.length < 2) return null;
    for (let folder = from; isInside(bounds, folder); folder = dirname(folder)) {
        const found = await findInside(join(folder, ...last), bounds);
        if (found !== null) return found;
        if (folder === dirname(folder)) break;
    }
    return null;
}

async function findInside(path: string, bounds: string): Promise<string | null> {
    const real = await realpath(path).catch(() => null);
    if (real === null || !isInside(bounds, real)) return null;
    // The folder of a linked file is searched under the name that the script uses.
    return basename(real) === basename(path) ? real : path;
}

async function readScript(path: string, size: number): Promise<string | null> {
    return size > MAX_SCRIPT_BYTES ? null : readFile(path, 'utf8').catch(() => null);
}
