import type { Field } from '../field.js';
import { readFlags } from './flags.js';
import type { PackageFile } from './package-files.js';
import type { ProgramFile } from './program.js';

/** A test of a package whose files have not been hashed yet. */
export interface PackageTest {
    /** `secret/02-big` */
    readonly name: string;
    readonly input: PackageFile;
    readonly answer: PackageFile;
    readonly flags: readonly string[] | null;
    /** Command-line arguments of the program. */
    readonly args: readonly string[];
    /** Files in the program's working directory, with their names there. */
    readonly files: readonly ProgramFile[];
}

export interface PackageTests {
    readonly tests: readonly PackageTest[];
    /** Why the problem cannot be judged with these tests. */
    readonly skip: string | null;
}

const SETTINGS = /^(data(?:\/.*)?)\/(testdata|test_group)\.yaml$/;

/** Settings files of folders and single tests, to be read before `collectTests`. */
export function testSettingsFiles(files: readonly PackageFile[]): PackageFile[] {
    const tests = new Set(files.filter((file) => file.name.endsWith('.in')).map((file) => stem(file.name)));
    return files.filter(
        (file) => SETTINGS.test(file.name) || (file.name.endsWith('.yaml') && tests.has(stem(file.name))),
    );
}

/**
 * The tests of `data/sample` and `data/secret` in judging order.
 * @param settings content of `testSettingsFiles` by file name
 */
export function collectTests(
    files: readonly PackageFile[],
    settings: ReadonlyMap<string, Field>,
): PackageTests {
    const byName = new Map(files.map((file) => [file.name, file]));
    const given = filesByTest(files);
    const tests: PackageTest[] = [];
    let skip: string | null = null;
    for (const input of files) {
        if (!/^data\/(sample|secret)\/.*\.in$/.test(input.name) || input.name.includes('.files/')) continue;
        const base = stem(input.name);
        const answer = byName.get(`${base}.ans`);
        const name = base.slice('data/'.length);
        if (answer === undefined) skip ??= `the test ${name} has no .ans file`;
        else {
            tests.push({
                name,
                input,
                answer,
                flags: collectFlags(base, settings),
                args: readArguments(base, settings),
                files: given.get(base) ?? [],
            });
        }
        skip ??= refusal(name, [input, answer, ...(given.get(base) ?? []).map(({ file }) => file)]);
    }
    skip ??= tests.length === 0 ? 'its data/ folder holds no tests' : null;
    return { tests: tests.sort((a, b) => compareNames(a.name, b.name)), skip };
}

const stem = (name: string): string => name.replace(/\.[^./]*$/, '');

function refusal(name: string, files: readonly (PackageFile | undefined)[]): string | null {
    const refused = files.find((file) => file?.refused != null)?.refused ?? null;
    return refused === null ? null : `the test ${name} cannot be read: ${refused}`;
}

/** Compares names of folders and tests part by part, as the format requires: base names in lexicographical order. */
export function compareNames(a: string, b: string): number {
    const [left, right] = [a.split('/'), b.split('/')];
    for (const [i, part] of left.entries()) {
        const other = right[i];
        if (other === undefined) return 1;
        if (part !== other) return part < other ? -1 : 1;
    }
    return left.length - right.length;
}

/** Settings that apply to a test, nearest first: its own, its folder's, and those of the folders above. */
function* collectSettings(base: string, settings: ReadonlyMap<string, Field>): Iterable<Field> {
    const own = settings.get(`${base}.yaml`);
    if (own !== undefined) yield own;
    for (let folder = base; folder.includes('/'); ) {
        folder = folder.slice(0, folder.lastIndexOf('/'));
        for (const file of ['test_group', 'testdata']) {
            const found = settings.get(`${folder}/${file}.yaml`);
            if (found !== undefined) yield found;
        }
    }
}

function collectFlags(base: string, settings: ReadonlyMap<string, Field>): readonly string[] | null {
    for (const each of collectSettings(base, settings)) {
        for (const key of ['output_validator_args', 'output_validator_flags']) {
            const flags = readFlags(each.get(key));
            if (flags !== null) return flags.length === 0 ? null : flags;
        }
    }
    return null;
}

function readArguments(base: string, settings: ReadonlyMap<string, Field>): readonly string[] {
    for (const each of collectSettings(base, settings)) {
        const args = readFlags(each.get('args'));
        if (args !== null) return args;
    }
    return [];
}

/** `<test>.files/`: files that programs read, by the test's file name without its extension. */
function filesByTest(files: readonly PackageFile[]): ReadonlyMap<string, ProgramFile[]> {
    const given = new Map<string, ProgramFile[]>();
    for (const file of files) {
        const [, base, name] = /^(data\/(?:sample|secret)\/.*?)\.files\/(.+)$/.exec(file.name) ?? [];
        if (base === undefined || name === undefined) continue;
        given.set(base, [...(given.get(base) ?? []), { name, file }]);
    }
    return given;
}

/** A test case that judges the source of a submission instead of running it. */
export interface StaticTest {
    /** `secret/group1/(source)` */
    readonly name: string;
    /** Arguments of the static validator. */
    readonly flags: readonly string[];
    /** The most that it can score; null: it has no score. */
    readonly maximum: number | null;
}

/** The tests of the static validator that test_group.yaml files request: at most one for each folder. */
export function collectStaticTests(settings: ReadonlyMap<string, Field>): StaticTest[] {
    const tests: StaticTest[] = [];
    for (const [file, yaml] of settings) {
        const [, folder] = /^data\/((?:sample|secret)(?:\/.*)?)\/test_group\.yaml$/.exec(file) ?? [];
        const score = yaml.get('static_validation_score');
        if (folder === undefined || !score.present) continue;
        tests.push({
            name: `${folder}/${STATIC_TEST}`,
            flags: readFlags(yaml.get('static_validator_args')) ?? [],
            maximum: score.value === 'pass-fail' ? null : score.number(),
        });
    }
    return tests;
}

/** Sorts before the names of test cases, so that faults of the source are found before anything runs. */
const STATIC_TEST = '(source)';
