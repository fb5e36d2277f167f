import { lstat } from 'node:fs/promises';
import type { MadeTest } from '../../model/test-recipe.js';
import { UserError } from '../../util/user-error.js';
import type { TestMakerSource } from '../dataset.js';
import type { Field } from '../field.js';
import { describeFileContent } from '../file-content.js';
import { findHalfTest, findUnansweredSamples } from './half-test.js';
import { GENERATORS_YAML, type GeneratedTests, readGenerators, type Recipes } from './generators.js';
import type { ProblemPackage } from './package.js';
import type { PackageFile } from './package-files.js';
import { testSettingsFiles } from './tests.js';
import { lacksSecretTests, readScriptRecipe, type TestScript } from './test-script.js';
import type { ProblemSettings } from './problem-yaml.js';
import { readYamlFile } from './yaml-file.js';

/** What a package is judged by: its own files, and the tests that its generators made. */
export interface TestFiles {
    readonly files: readonly PackageFile[];
    readonly settings: ReadonlyMap<string, Field>;
    /** Why it cannot be judged: only samples, or only part of the tests, would let wrong programs pass. */
    readonly skip: string | null;
    /** Whether it is skipped because it holds only samples and does not describe how to make other tests. */
    readonly hasSamplesAlone?: true;
}

/** Whether only its samples can judge it. Makes no tests. */
export async function hasOnlySamples(found: ProblemPackage, problem: ProblemSettings): Promise<boolean> {
    if (found.script !== null || found.files.some(({ name }) => SECRET_INPUT.test(name))) return false;
    return (await findDescribedTests(found, problem, new Map(), null)).hasSamplesAlone === true;
}

/** Adds the tests that the package describes but does not contain. @param id of the package */
export async function findTestFiles(
    found: ProblemPackage,
    id: string,
    problem: ProblemSettings,
    settings: ReadonlyMap<string, Field>,
    maker: TestMakerSource | null,
): Promise<TestFiles> {
    const described = await findDescribedTests(found, problem, settings, maker);
    const { script } = found;
    const isDescribed = found.files.some(({ name }) => name === GENERATORS_YAML) && described.skip === null;
    if (script === null || isDescribed) return described;
    const made = await runTestScript(found, id, script, maker);
    if (typeof made !== 'string') return made;
    const { files, settings: own } = described;
    const which = lacksSecretTests(files) ? 'secret tests' : 'samples';
    return { files, settings: own, skip: `its ${which} ${made}` };
}

/** The package with all of `data` as its script leaves it. */
async function runTestScript(
    found: ProblemPackage,
    id: string,
    script: TestScript,
    maker: TestMakerSource | null,
): Promise<TestFiles | string> {
    const cannot = `could not be made by ${script.name}: `;
    if (script.refused !== null) return cannot + script.refused;
    const ready = await maker?.();
    if (ready === undefined || ready === null)
        return `are made by ${script.name}, which runs only on this machine (--executor judge)`;
    const made = await ready.runScript(found.place, await readScriptRecipe(script, id));
    if (typeof made === 'string') return cannot + made;
    const files = found.files.filter(({ name }) => !name.startsWith('data/'));
    for (const { name, path } of made) files.push(await listFile(path, name));
    files.sort((a, b) => (a.name < b.name ? -1 : 1));
    const half = findHalfTest(new Set(files.map(({ name }) => name)));
    if (half !== null) return `are not all made by ${script.name}: ${half}`;
    const settings = new Map<string, Field>();
    try {
        for (const file of testSettingsFiles(files))
            settings.set(file.name, await readYamlFile(file, `${found.place}/${file.name}`));
    } catch (error) {
        if (error instanceof UserError) return cannot + error.message;
        throw error;
    }
    return { files, settings, skip: null };
}

/** Adds the tests that generators.yaml describes. */
async function findDescribedTests(
    found: ProblemPackage,
    problem: ProblemSettings,
    settings: ReadonlyMap<string, Field>,
    maker: TestMakerSource | null,
): Promise<TestFiles> {
    const own = { files: found.files, settings, skip: null };
    const inPackage = new Set(found.files.map(({ name }) => name));
    const hasSecretTests = found.files.some(({ name }) => SECRET_INPUT.test(name));
    const onlySamples = { ...own, skip: ONLY_SAMPLES, hasSamplesAlone: true as const };
    const file = found.files.find(({ name }) => name === GENERATORS_YAML);
    if (file === undefined) {
        const hasSamples = found.files.some(({ name }) => /^data\/sample\/.*\.in$/.test(name));
        // A package without any tests is reported elsewhere.
        return hasSecretTests || !hasSamples ? { ...own, skip: findHalfTest(inPackage) } : onlySamples;
    }
    const described = await readDescription(found, file, problem);
    // An unreadable file does not tell whether tests are missing beside the existing ones.
    if (typeof described === 'string')
        return hasSecretTests
            ? { ...own, skip: findHalfTest(inPackage) }
            : { ...own, skip: `its secret tests ${CANNOT_BE_MADE}: ${described}` };
    const isMissing = (name: string): boolean =>
        !inPackage.has(`data/${name}.in`) || !inPackage.has(`data/${name}.ans`);
    const unanswered = new Set(findUnansweredSamples(inPackage));
    const missing = described.names.filter(
        (name) => (name.startsWith('secret/') && isMissing(name)) || unanswered.has(name),
    );
    if (missing.length === 0) {
        const hasAllSamples = described.samplesAreAll && !described.names.some(isMissing);
        return hasSecretTests || hasAllSamples ? own : onlySamples;
    }
    const all = await completeTests(own, found.place, await described.readRecipes(isMissing), problem, maker);
    if (typeof all !== 'string') return all;
    return { ...own, skip: `${describeMissing(missing, hasSecretTests)} ${all}` };
}

/** Beginning of a sentence that continues with `could not be made` or `are made`. */
function describeMissing(missing: readonly string[], hasSecretTests: boolean): string {
    if (!hasSecretTests) return 'its secret tests';
    const secret = missing.filter((name) => name.startsWith('secret/'));
    return secret.length === 0
        ? `${missing.length} of its samples have no answers, which`
        : `${secret.length} of its secret tests are not in the package, and`;
}

/** @returns a text that follows "its secret tests" if they are incomplete, with the reason */
async function completeTests(
    own: TestFiles,
    place: string,
    recipes: Recipes | string,
    problem: ProblemSettings,
    maker: TestMakerSource | null,
): Promise<TestFiles | string> {
    if (typeof recipes === 'string') return `${CANNOT_BE_MADE}: ${recipes}`;
    const ready = await maker?.();
    if (ready === undefined || ready === null)
        return 'are made by generators, which run only on this machine (--executor judge)';
    const made = await ready.make(place, recipes.tests);
    if (typeof made === 'string') return `${CANNOT_BE_MADE}: ${made}`;
    const isKnown = await recogniseInputs(own.files, problem.scoring === null);
    // The package may hold half of a test that was made.
    const halves = new Set(made.flatMap(({ name }) => [`data/${name}.in`, `data/${name}.ans`]));
    const files = own.files.filter(({ name }) => !halves.has(name));
    const settings = new Map(recipes.settings);
    for (const test of made) {
        const [input, answer] = await listFiles(test);
        if (await isKnown(input)) continue;
        files.push(input, answer);
        const written = await readSettings(test, place);
        if (typeof written === 'string') return `${CANNOT_BE_MADE}: ${written}`;
        const name = `data/${test.name}.yaml`;
        if (written !== null && !settings.has(name)) settings.set(name, written);
    }
    return { files, settings: new Map([...settings, ...own.settings]), skip: null };
}

const ONLY_SAMPLES = 'the package has samples but no secret tests (--sample-tests judges by the samples)';
const CANNOT_BE_MADE = 'could not be made by its generators';
const SECRET_INPUT = /^data\/secret\/.*\.in$/;

/** A broken generators.yaml makes its package impossible to judge, but does not end the run. */
async function readDescription(
    found: ProblemPackage,
    file: PackageFile,
    problem: ProblemSettings,
): Promise<GeneratedTests | string> {
    try {
        return readGenerators(found.files, await readYamlFile(file, GENERATORS_YAML), problem);
    } catch (error) {
        if (error instanceof UserError) return error.message;
        throw error;
    }
}

/**
 * Packages may hold tests under names from other versions of the tools: a test that is already there must not count twice.
 * @param anywhere whether a test in any folder counts as the same; without scores, folders have no meaning
 */
async function recogniseInputs(
    files: readonly PackageFile[],
    anywhere: boolean,
): Promise<(made: PackageFile) => Promise<boolean>> {
    const bySize = new Map<number, PackageFile[]>();
    const names = new Set(files.map(({ name }) => name));
    const isWhole = ({ name, refused }: PackageFile): boolean =>
        SECRET_INPUT.test(name) && refused === null && names.has(name.replace(/in$/, 'ans'));
    for (const file of files.filter(isWhole)) bySize.set(file.size, [...(bySize.get(file.size) ?? []), file]);
    return async (made) => {
        if (!SECRET_INPUT.test(made.name)) return false;
        const alike = (bySize.get(made.size) ?? []).filter(
            ({ name }) => anywhere || folderOf(name) === folderOf(made.name),
        );
        if (alike.length === 0) return false;
        const { digest } = await describeFileContent(made.path);
        for (const file of alike) if ((await describeFileContent(file.path)).digest === digest) return true;
        return false;
    };
}

const folderOf = (name: string): string => name.slice(0, name.lastIndexOf('/'));

/** Settings that a generator wrote; a string with the reason if they cannot be read. */
async function readSettings({ name, settings }: MadeTest, place: string): Promise<Field | string | null> {
    if (settings === null) return null;
    try {
        return await readYamlFile(await listFile(settings, name), `${place}: ${name}.yaml`);
    } catch (error) {
        if (error instanceof UserError) return error.message;
        throw error;
    }
}

/** The files of a test that was made, as if they were part of the package. */
async function listFiles({ name, input, answer }: MadeTest): Promise<[PackageFile, PackageFile]> {
    return [await listFile(input, `data/${name}.in`), await listFile(answer, `data/${name}.ans`)];
}

async function listFile(path: string, name: string): Promise<PackageFile> {
    const stats = await lstat(path, { bigint: true });
    return { name, path, size: Number(stats.size), mtime: String(stats.mtimeNs), refused: null };
}
