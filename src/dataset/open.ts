import { relative } from 'node:path';
import { shortenPath } from '../util/shown-path.js';
import { UserError } from '../util/user-error.js';
import type { Dataset, DatasetSource, ListOptions, OpenOptions } from './dataset.js';
import {
    findPackages,
    type FoundSources,
    findSources,
    holdsMatrix,
    holdsRows,
    detectListFormat,
} from './find-sources.js';
import { recogniseFile } from './recognise.js';
import { DATASET_FORMATS, type DatasetFormatName, isDatasetFormat, isListFormat } from './registry.js';

export interface OpenDatasetsOptions extends OpenOptions {
    /** `--format`; null: the format is detected. */
    readonly format: string | null;
    /** Called for each file beside packages that is not a dataset, with a one-line message. */
    readonly onLeftOut: (line: string) => void;
}

/**
 * Opens what the user named: files, folders, globs. Files of rows found under one name become one dataset for each format among
 * them; packages found under one name become one dataset.
 * @throws UserError for a name that matches nothing, or something that is not a dataset
 */
export async function openDatasets(
    names: readonly string[],
    options: OpenDatasetsOptions,
): Promise<Dataset[]> {
    const forced = checkFormat(options.format);
    const datasets: Dataset[] = [];
    for (const name of names) {
        const found = await findSources(name, forced);
        for (const line of found.leftOut) options.onLeftOut(line);
        const groups = new Map<DatasetFormatName, string[]>();
        // JSON files beside packages are settings of tools more often than rows, so each is examined separately.
        const places = found.packages.length + found.polygons.length + found.archives.length;
        const hasPackages = places > 0;
        const rowFiles = hasPackages ? found.rowFiles.flat().map((file) => [file] as const) : found.rowFiles;
        for (const files of rowFiles) {
            const [first] = files;
            try {
                const format = forced ?? (await findFormat(first, options));
                if (isListFormat(format)) checkAccepted(format, first, options.lists);
                groups.set(format, [...(groups.get(format) ?? []), ...files]);
            } catch (error) {
                if (!(error instanceof UserError)) throw error;
                if (!hasPackages) throw explainStrayFiles(error, found, name);
                options.onLeftOut(error.message);
            }
        }
        if (found.packages.length > 0) groups.set('kattis', [...found.packages]);
        if (found.polygons.length > 0) groups.set('polygon', [...found.polygons]);
        const isOneOfMany = places > 1;
        for (const archive of found.archives)
            datasets.push(...(await openArchive(archive, found, { ...options, isOneOfMany })));
        for (const [format, items] of groups) {
            checkFits(format, forced, found, name);
            const [only = found.path] = items;
            const path = items.length === 1 ? only : found.path;
            const source: DatasetSource = {
                path,
                items,
                root: found.root,
                named: found.path,
                forced: forced !== null,
                isOneOfMany,
            };
            datasets.push((await DATASET_FORMATS[format]()).open(source, options));
        }
    }
    return datasets;
}

/** JSON files alone in a folder may be anything, so the message says that a dataset is missing. */
function explainStrayFiles(error: UserError, { path, rowFiles }: FoundSources, name: string): UserError {
    const isJsonAlone =
        rowFiles.length === 1 && rowFiles[0]?.[0] !== path && /\.json$/i.test(rowFiles[0]?.[0] ?? '');
    if (!isJsonAlone) return error;
    return new UserError(
        `${name}: holds neither problem packages (folders with a problem.yaml or a problem.xml) nor rows of problems: ${error.message}`,
        error.exitCode,
        { cause: error, code: error.code },
    );
}

/** The packages in an archive. If it holds a single one, the package's id is the archive's name without `.zip`. */
async function openArchive(
    archive: string,
    tree: Pick<FoundSources, 'path' | 'root'>,
    options: OpenDatasetsOptions & { readonly isOneOfMany: boolean },
): Promise<Dataset[]> {
    const { root } = tree;
    const own = relative(root, archive)
        .replaceAll('\\', '/')
        .replace(/\.zip$/i, '');
    try {
        const folder = await options.files.unpacked(archive);
        const found = await findPackages(folder);
        const all = [...found.packages, ...found.polygons];
        const name = (item: string, whole: string): string =>
            all.length === 1 ? whole : `${whole}/${relative(folder, item).replaceAll('\\', '/')}`;
        const ids = new Map(all.map((item) => [item, name(item, own)]));
        const names = new Map(all.map((item) => [item, name(item, shortenPath(archive))]));
        const datasets: Dataset[] = [];
        for (const [format, items] of [
            ['kattis', found.packages],
            ['polygon', found.polygons],
        ] as const) {
            if (items.length === 0) continue;
            const { isOneOfMany } = options;
            const source: DatasetSource = {
                path: archive,
                archive: { unpacked: folder, isNamed: tree.path === archive },
                items,
                root,
                ids,
                names,
                forced: false,
                isOneOfMany,
            };
            datasets.push((await DATASET_FORMATS[format]()).open(source, options));
        }
        return datasets;
    } catch (error) {
        if (!(error instanceof UserError) || !options.isOneOfMany) throw error;
        options.onLeftOut(error.message);
        return [];
    }
}

/** The format of a file, from its name and its first row, if `--format` is not given. */
async function findFormat(
    file: string,
    { lists, files }: Pick<OpenOptions, 'lists' | 'files'>,
): Promise<DatasetFormatName> {
    const named = detectListFormat(file);
    if (named !== null) return named;
    if (!(await holdsRows(file))) return 'lines';
    if (await holdsMatrix(file)) return 'matrix';
    const format = await recogniseFile(file, { mayBeList: lists.accepted, files });
    return format === null ? 'rows' : rowFormatName(format.key);
}

function checkAccepted(format: string, file: string, { accepted }: ListOptions): void {
    if (accepted) return;
    throw new UserError(
        `${shortenPath(file)}: is a list (${format}), not a dataset of problems; run it with --executor exec, module or chat; ` +
            'expected JSONL, JSON, or a problem package (a folder with a problem.yaml)',
    );
}

function checkFormat(format: string | null): DatasetFormatName | null {
    if (format === null) return null;
    if (isDatasetFormat(format)) return format;
    throw new UserError(`--format ${format}: expected one of ${Object.keys(DATASET_FORMATS).join(', ')}`);
}

function rowFormatName(key: string): DatasetFormatName {
    if (isDatasetFormat(key)) return key;
    throw new Error(`bug in resume-run: format ${key} is not in the registry`);
}

function checkFits(format: string, forced: string | null, found: FoundSources, name: string): void {
    if (forced === null) return;
    if (PACKAGE_FORMATS.includes(format) && forced !== format) {
        throw new UserError(`${name}: contains problem packages, not ${forced} rows; omit --format`);
    }
    const manifest = forced === 'kattis' ? 'problem.yaml' : 'problem.xml';
    const packages = forced === 'kattis' ? found.packages : found.polygons;
    if (PACKAGE_FORMATS.includes(forced) && packages.length === 0) {
        throw new UserError(
            `${name}: has no ${manifest} in it; --format ${forced} expects a problem package or a folder of them`,
        );
    }
}

const PACKAGE_FORMATS: readonly string[] = ['kattis', 'polygon'];
