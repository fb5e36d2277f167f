import { lstat } from 'node:fs/promises';
import type { MadeTest } from '../../model/test-recipe.js';
import { UserError } from '../../util/user-error.js';
import type { TestMakerSource } from '../dataset.js';
import type { Field } from '../field.js';
import { GENERATORS_YAML, type GeneratedTests, readGenerators } from './generators.js';
import type { ProblemPackage } from './package.js';
import type { PackageFile } from './package-files.js';
import type { ProblemSettings } from './problem-yaml.js';
import { readYamlFile } from './yaml-file.js';

/** What a package is judged by: its own files, and tests that its generators made. */
export interface TestFiles {
    readonly files: readonly PackageFile[];
    readonly settings: ReadonlyMap<string, Field>;
    /** Why it cannot be judged: samples alone would let nearly every wrong program pass. */
    readonly skip: string | null;
}

/** Adds the tests that the package describes, where it holds no secret ones. */
export async function findTestFiles(
    found: ProblemPackage,
    problem: ProblemSettings,
    settings: ReadonlyMap<string, Field>,
    maker: TestMakerSource | null,
): Promise<TestFiles> {
    const own = { files: found.files, settings, skip: null };
    if (found.files.some(({ name }) => SECRET_INPUT.test(name))) return own;
    const file = found.files.find(({ name }) => name === GENERATORS_YAML);
    if (file === undefined) {
        const hasSamples = found.files.some(({ name }) => /^data\/sample\/.*\.in$/.test(name));
        // A package without any test says so in its own words.
        return hasSamples
            ? { ...own, skip: 'its secret tests are not in the package, only its samples' }
            : own;
    }
    if (file.refused !== null) return { ...own, skip: `${GENERATORS_YAML} cannot be read: ${file.refused}` };
    const described = await readDescription(found, file, problem);
    if (typeof described === 'string') return { ...own, skip: cannotBeMade(described) };
    if (!described.recipes.some(({ name }) => name.startsWith('secret/')))
        return { ...own, skip: 'its secret tests are not in the package, only its samples' };
    const ready = await maker?.();
    if (ready === undefined || ready === null)
        return {
            ...own,
            skip: 'its tests are made by generators, which run on this machine alone (--executor judge)',
        };
    const present = new Set(found.files.map(({ name }) => name));
    const missing = described.recipes.filter(({ name }) => !present.has(`data/${name}.in`));
    const made = await ready.make(found.place, missing);
    if (typeof made === 'string') return { ...own, skip: cannotBeMade(made) };
    const files = [...found.files];
    for (const test of made) files.push(...(await listFiles(test)));
    return { files, settings: new Map([...described.settings, ...settings]), skip: null };
}

/** A package with a broken generators.yaml is one that cannot be judged, not the end of a run. */
async function readDescription(
    found: ProblemPackage,
    file: PackageFile,
    problem: ProblemSettings,
): Promise<GeneratedTests | string> {
    try {
        const yaml = await readYamlFile(file, GENERATORS_YAML);
        return await readGenerators(found.files, yaml, problem);
    } catch (error) {
        if (error instanceof UserError) return error.message;
        throw error;
    }
}

const SECRET_INPUT = /^data\/secret\/.*\.in$/;

const cannotBeMade = (why: string): string => `its secret tests could not be made by its generators: ${why}`;

/** A test that was made, as if it lay in the package. */
async function listFiles({ name, input, answer }: MadeTest): Promise<PackageFile[]> {
    const file = async (path: string, extension: string): Promise<PackageFile> => {
        const stats = await lstat(path, { bigint: true });
        return {
            name: `data/${name}.${extension}`,
            path,
            size: Number(stats.size),
            mtime: String(stats.mtimeNs),
            refused: null,
        };
    };
    return [await file(input, 'in'), await file(answer, 'ans')];
}
