import { stat } from 'node:fs/promises';
import { basename, dirname, join, resolve } from 'node:path';
import picomatch from 'picomatch';
import { describeKind } from '../util/regular-file.js';
import { MATRIX_FORMAT } from '../model/matrix.js';
import { shortenPath } from '../util/shown-path.js';
import { UserError } from '../util/user-error.js';
import { holdsPackages } from './archives.js';
import { isNamedAsRows, detectPacking, readStart } from './packed/packing.js';
import { getIoCode, readReason } from '../util/io-error.js';

/** What a name on the command line stands for. All paths are absolute and sorted. */
export interface FoundSources {
    /** The name as an absolute path. */
    readonly path: string;
    /** Files of rows grouped by shared format: each JSONL file alone, all `.json` files together. */
    readonly rowFiles: readonly (readonly [string, ...string[]])[];
    /** `packages`: folders with a problem.yaml. `polygons`: folders of Polygon packages, with a problem.xml. */
    readonly packages: readonly string[];
    readonly polygons: readonly string[];
    /** Zip archives that hold packages. */
    readonly archives: readonly string[];
    /** The folder that ids of packages are relative to. */
    readonly root: string;
    /** What else was found but left out, with the reason: one line each. */
    readonly leftOut: readonly string[];
}

/** Found by a pattern or by name only, not by naming a folder, since folders of problems hold many such files. */
const LIST_FILES = /\.(csv|tsv|txt)$/i;
/** Never searched: these hold no datasets and are often huge. */
const IGNORED = ['**/node_modules/**', '**/.git/**'];
/** How many folder levels are searched: enough for every archive, and a bound for links that form a cycle. */
const MAX_DEPTH = 10;

/**
 * Finds the files and packages that a file, folder or glob names.
 * @throws UserError if it names nothing, or nothing that can be a dataset
 */
export async function findSources(name: string, forcedFormat: string | null): Promise<FoundSources> {
    const path = resolve(name);
    const kind = await detectKind(path);
    if (typeof kind === 'object' && kind !== null && 'why' in kind)
        throw new UserError(`${name}: cannot be read: ${kind.why}`);
    if (typeof kind === 'object' && kind !== null) {
        throw new UserError(
            `${name}: is ${kind.other}; a dataset must be a file, since every start reads it again (use "-" to read from stdin)`,
        );
    }
    if (kind === 'file') return findOneFile(path, name, forcedFormat);
    if (kind === 'folder') return findInFolder(path, name);
    if (!(await loadGlob()).isDynamicPattern(name)) {
        throw new UserError(
            `no such dataset: ${name}; expected a file, a folder, or a pattern such as "data/**/*.jsonl"`,
        );
    }
    return findByPattern(path, name);
}

/** Loaded only if a folder or a pattern is named: a single file does not need it. */
const loadGlob = async () => (await import('fast-glob')).default;

type Kind = 'file' | 'folder' | { readonly other: string } | { readonly why: string };

/**
 * `other`: it is something other than a file or folder; `why`: the reason why its kind cannot be determined (a link cycle, no
 * permission). null: nothing exists there.
 */
async function detectKind(path: string): Promise<Kind | null> {
    try {
        const stats = await stat(path);
        if (stats.isDirectory()) return 'folder';
        return stats.isFile() ? 'file' : { other: describeKind(stats) };
    } catch (error) {
        const code = getIoCode(error);
        return code === 'ELOOP' || code === 'EACCES' ? { why: readReason(error) } : null;
    }
}

async function findOneFile(path: string, name: string, forcedFormat: string | null): Promise<FoundSources> {
    if (MANIFESTS.includes(basename(path)) && forcedFormat === null) return findInFolder(dirname(path), name);
    const root = dirname(path);
    if (/\.zip$/i.test(path)) {
        if (await holdsPackages(path))
            return { path, rowFiles: [], packages: [], polygons: [], archives: [path], root, leftOut: [] };
        throw new UserError(
            `${name}: is not a zip archive that holds a problem package (problem.yaml or problem.xml)`,
        );
    }
    refuseCompressed(path, name);
    return { path, rowFiles: [[path]], packages: [], polygons: [], archives: [], root, leftOut: [] };
}

/** Whether a folder has a package's content besides its manifest. Templates and settings of tools lack it. */
async function holdsContent(folder: string): Promise<boolean> {
    for (const name of ['data', 'submissions', 'generators', 'solutions', 'tests'])
        if ((await detectKind(join(folder, name))) === 'folder') return true;
    return false;
}

/** The folder itself, if it is a package. A folder without content is one only if no packages lie below it. */
async function findOnePackage(folder: string): Promise<FoundSources | null> {
    const manifests: string[] = [];
    for (const manifest of MANIFESTS) {
        const file = join(folder, manifest);
        if ((await detectKind(file)) === 'file') manifests.push(file);
    }
    if (manifests.length === 0) return null;
    const found = (await holdsContent(folder))
        ? await groupByManifest(manifests)
        : await findPackages(folder);
    const isItself = [...found.packages, ...found.polygons].includes(folder);
    return isItself ? { path: folder, rowFiles: [], ...found, archives: [], root: dirname(folder) } : null;
}

/** The package that the folder is, or everything usable in it. */
async function findInFolder(folder: string, name: string): Promise<FoundSources> {
    const itself = await findOnePackage(folder);
    if (itself !== null) return itself;
    const packages = await findPackages(folder);
    const glob = await loadGlob();
    const files = await glob('**/*.{jsonl,ndjson,json,jsonl.gz,ndjson.gz,jsonl.zst,ndjson.zst,parquet,zip}', {
        cwd: folder,
        absolute: true,
        onlyFiles: true,
        deep: MAX_DEPTH,
        caseSensitiveMatch: false,
        ignore: [
            ...IGNORED,
            ...[...packages.packages, ...packages.polygons].map((each) => `${glob.escapePath(each)}/**`),
        ],
    });
    const found = await group(folder, files, packages, folder);
    if (isEmpty(found)) {
        const other = found.leftOut.length === 0 ? '' : `; ${found.leftOut.join('; ')}`;
        throw new UserError(
            `${name}: no dataset in this folder; expected .jsonl, .json or .parquet files, or problem packages ` +
                `(folders with a problem.yaml or a problem.xml)${other}`,
        );
    }
    return found;
}

/** A package may have DOMjudge's settings file in place of a problem.yaml. */
const MANIFESTS = ['problem.yaml', 'domjudge-problem.ini', 'problem.xml'];

/** The manifest of CMS tasks, which are recognised but not supported. */
const CMS_TASK = 'task.yaml';

type FoundPackages = Pick<FoundSources, 'packages' | 'polygons' | 'leftOut'>;

const isEmpty = ({ rowFiles, packages, polygons, archives }: FoundSources): boolean =>
    rowFiles.length + packages.length + polygons.length + archives.length === 0;

/** Folders of packages. Folders inside a package are never packages of their own. */
export async function findPackages(folder: string): Promise<FoundPackages> {
    const glob = await loadGlob();
    const files = await glob(`**/{${[...MANIFESTS, CMS_TASK].join(',')}}`, {
        cwd: folder,
        absolute: true,
        onlyFiles: true,
        deep: MAX_DEPTH,
        ignore: IGNORED,
    });
    const isTask = (file: string): boolean => basename(file) === CMS_TASK;
    const found = await groupByManifest(files.filter((file) => !isTask(file)));
    const tasks = await describeCmsTasks(files.filter(isTask).sort(compareByPath));
    return { ...found, leftOut: [...found.leftOut, ...tasks] };
}

/**
 * Groups manifests by package. Folders inside a package are not packages of their own, but a manifest without any other package
 * content beside it does not hide the packages below it.
 * @param files manifests
 */
async function groupByManifest(files: readonly string[]): Promise<FoundPackages> {
    const withYaml = new Set(files.filter((file) => !file.endsWith('.xml')).map((file) => dirname(file)));
    const folders = [...new Set(files.map((file) => dirname(file)))].sort(compareByPath);
    const kept: string[] = [];
    const leftOut: string[] = [];
    for (const [i, folder] of folders.entries()) {
        const isOuter = folders[i + 1]?.startsWith(`${folder}/`) === true;
        if (!isOuter || (await holdsContent(folder))) kept.push(folder);
        else
            leftOut.push(
                `${shortenPath(folder)}: left out: it has a manifest but no data or submissions; using the packages below it`,
            );
    }
    const all = keepOutermost(kept);
    return {
        packages: all.filter((each) => withYaml.has(each)),
        polygons: all.filter((each) => !withYaml.has(each)),
        leftOut,
    };
}

/** One line for all CMS tasks; empty if there are none. Other tools have files of this name too, so the content is checked. */
async function describeCmsTasks(files: readonly string[]): Promise<string[]> {
    const tasks: string[] = [];
    for (const file of files) {
        const text = (await readStart(file)).toString('utf8');
        if (/^(time_limit|n_input|infile|outfile|title|score_type|token_mode):/m.test(text)) tasks.push(file);
    }
    const [first] = tasks;
    if (first === undefined) return [];
    const which = shortenPath(first);
    return [
        tasks.length === 1
            ? `${which} is a CMS task, which is not supported`
            : `${which} and ${tasks.length - 1} more are CMS tasks, which are not supported`,
    ];
}

function keepOutermost(folders: readonly string[]): string[] {
    const kept: string[] = [];
    for (const folder of [...folders].sort(compareByPath)) {
        const last = kept.at(-1);
        if (last === undefined || !folder.startsWith(`${last}/`)) kept.push(folder);
    }
    return kept;
}

async function findByPattern(path: string, name: string): Promise<FoundSources> {
    const glob = await loadGlob();
    const matches = await glob(name, {
        absolute: true,
        onlyFiles: false,
        markDirectories: true,
        ignore: IGNORED,
    });
    const folders = matches.filter((match) => match.endsWith('/')).map((match) => match.slice(0, -1));
    const all = matches.filter((match) => !match.endsWith('/'));
    const manifests = all.filter((file) => MANIFESTS.includes(basename(file)));
    for (const folder of folders) {
        for (const manifest of MANIFESTS)
            if ((await detectKind(join(folder, manifest))) === 'file') manifests.push(join(folder, manifest));
    }
    const found = await groupByManifest([...new Set(manifests)]);
    const kept = [...found.packages, ...found.polygons];
    const files = all.filter(
        (file) =>
            (isNamedAsRows(file) || LIST_FILES.test(file) || /\.zip$/i.test(file)) &&
            !kept.some((each) => file.startsWith(`${each}/`)),
    );
    const root = resolve(picomatch.scan(name).base);
    const grouped = await group(path, files, found, root);
    if (isEmpty(grouped)) {
        throw new UserError(
            `no dataset matches ${name}; expected .jsonl, .json or .parquet files, or folders with a problem.yaml or a problem.xml`,
        );
    }
    return grouped;
}

async function group(
    path: string,
    files: readonly string[],
    packages: FoundPackages,
    root: string,
): Promise<FoundSources> {
    const sorted = [...files].sort(compareByPath);
    const archives: string[] = [];
    // Archives of other things may lie beside problems too.
    for (const file of sorted) if (/\.zip$/i.test(file) && (await holdsPackages(file))) archives.push(file);
    const rowFiles: [string, ...string[]][] = sorted
        .filter((file) => !/\.(json|zip)$/i.test(file))
        .map((file) => [file]);
    const [first, ...rest] = sorted.filter((file) => /\.json$/i.test(file));
    if (first !== undefined) rowFiles.push([first, ...rest]);
    return { path, rowFiles, ...packages, archives, root };
}

/** Compares folder by folder, by UTF-16 code unit, so that the order is the same on every machine. */
function compareByPath(a: string, b: string): number {
    const [left, right] = [a.replaceAll('/', '\0'), b.replaceAll('/', '\0')];
    return left < right ? -1 : left > right ? 1 : 0;
}

/** `csv` or `tsv` according to the file's name; null for other names. */
export function detectListFormat(file: string): 'csv' | 'tsv' | null {
    const extension = /\.(csv|tsv)$/i.exec(file)?.[1]?.toLowerCase();
    return extension === 'csv' || extension === 'tsv' ? extension : null;
}

/** Whether a file holds JSON rows, compressed or not, judging by its name or its first bytes. */
export async function holdsRows(path: string): Promise<boolean> {
    if (isNamedAsRows(path) || (await detectPacking(path)) !== 'none') return true;
    return /^[\s\uFEFF]*[[{]/.test((await readStart(path)).toString('utf8'));
}

/** Other compressed files would be read as lists of garbled lines. */
function refuseCompressed(path: string, name: string): void {
    if (isNamedAsRows(path) || !/\.(gz|zst|bz2|xz|zip)$/i.test(path)) return;
    throw new UserError(
        `${name}: only JSONL may be compressed (.jsonl.gz, .jsonl.zst); decompress this file first`,
    );
}

/** Whether a file is an evaluation matrix, as `resume-run matrix` writes it. */
export async function holdsMatrix(path: string): Promise<boolean> {
    return /\.json$/i.test(path) && MATRIX_START.test((await readStart(path)).toString('utf8'));
}

const MATRIX_START = new RegExp(`^\\s*\\{\\s*"format":\\s*"${MATRIX_FORMAT}"`);
