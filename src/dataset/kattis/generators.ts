import { createHash } from 'node:crypto';
import { makeTextContent } from '../../model/fingerprint.js';
import type { Content } from '../../model/sample.js';
import type { Field } from '../field.js';
import { describeFileContent } from '../file-content.js';
import type { MakerProgram, TestRecipe } from '../../model/test-recipe.js';
import { findLanguageOfProgram, findMainFile } from './languages.js';
import type { PackageFile } from './package-files.js';
import type { ProblemSettings } from './problem-yaml.js';
import { type ProgramFile, readSourceTexts, findRefusedFile, readSourceFiles } from './program.js';

/*
 * generators/generators.yaml: how the tests of a package are made. Source: doc/generators.md and doc/generators.yaml of BAPCtools.
 */

export const GENERATORS_YAML = 'generators/generators.yaml';

/** What the file says of the tests in data/sample and data/secret. */
export interface GeneratedTests {
    readonly recipes: readonly TestRecipe[];
    /** Settings of folders by the name of the file they would stand in: `data/secret/group/testdata.yaml`. */
    readonly settings: ReadonlyMap<string, Field>;
}

/** Why a package's tests cannot be made. */
class RecipeError extends Error {}

/** @returns a text that says why the tests cannot be made */
export async function readGenerators(
    files: readonly PackageFile[],
    yaml: Field,
    problem: Pick<ProblemSettings, 'constants' | 'interactive'>,
): Promise<GeneratedTests | string> {
    try {
        return await new Recipes(files, yaml, problem).read();
    } catch (error) {
        if (error instanceof RecipeError) return error.message;
        throw error;
    }
}

/** What holds in a folder, from its own keys and those of the folders above. */
interface Scope {
    readonly salt: string;
    /** Path from the package's folder; null: none. */
    readonly solution: string | null;
}

/** A test before its programs are read. */
interface Described {
    readonly name: string;
    readonly key: string;
    readonly field: Field;
    readonly scope: Scope;
    /** From 1; of a test that stands for several. */
    readonly count: number | null;
}

class Recipes {
    readonly #byName: ReadonlyMap<string, PackageFile>;
    readonly #programs = new Map<string, Promise<MakerProgram>>();
    readonly #described: Described[] = [];
    readonly #settings = new Map<string, Field>();
    /** Names of tests by the key of the test, or of a folder that they are in: what `include` names. */
    readonly #byKey = new Map<string, Described[]>();
    readonly #includes: { readonly folder: string; readonly keys: readonly string[] }[] = [];
    #numbered = 0;
    #digits = 1;

    constructor(
        private readonly files: readonly PackageFile[],
        private readonly yaml: Field,
        private readonly problem: Pick<ProblemSettings, 'constants' | 'interactive'>,
    ) {
        this.#byName = new Map(files.map((file) => [file.name, file]));
    }

    async read(): Promise<GeneratedTests> {
        const data = this.yaml.get('data');
        this.#digits = String(countNumbered(data)).length;
        const scope: Scope = {
            salt: this.yaml.get('random_salt').optionalString() ?? '',
            solution: this.#solutionIn(this.yaml, this.#anySolution()),
        };
        for (const [name, field] of folderEntries(data)) {
            if (name === 'sample' || name === 'secret') this.#readFolder(name, field, scope, [name]);
        }
        for (const { folder, keys } of this.#includes) this.#include(folder, keys);
        const recipes: TestRecipe[] = [];
        for (const described of this.#described) recipes.push(...(await this.#readRecipes(described)));
        return { recipes, settings: this.#settings };
    }

    #readFolder(folder: string, field: Field, above: Scope, keys: readonly string[]): void {
        const scope: Scope = {
            salt: field.get('random_salt').optionalString() ?? above.salt,
            solution: this.#solutionIn(field, above.solution),
        };
        for (const file of ['testdata.yaml', 'test_group.yaml']) {
            const settings = field.get(file);
            if (settings.present) this.#settings.set(`data/${folder}/${file}`, settings);
        }
        const data = field.get('data');
        const isNumbered = Array.isArray(data.value);
        let groups = 0;
        const groupDigits = String(folderEntries(data).length).length;
        for (const [key, entry] of folderEntries(data)) {
            if (isTest(entry)) {
                const number = isNumbered ? String(++this.#numbered).padStart(this.#digits, '0') : '';
                this.#describe(folder, joined(number, key), { key, field: entry, scope }, keys);
            } else {
                const number = isNumbered ? String(++groups).padStart(groupDigits, '0') : '';
                const name = joined(number, key);
                checkName(name);
                this.#readFolder(`${folder}/${name}`, entry, scope, [...keys, key]);
            }
        }
        const include = field.get('include');
        if (include.present) this.#includes.push({ folder, keys: include.list().map(readText) });
    }

    #describe(
        folder: string,
        name: string,
        test: Pick<Described, 'key' | 'field' | 'scope'>,
        keys: readonly string[],
    ): void {
        const counts = readCounts(test.field);
        const digits = Math.max(...(counts ?? [0]).map((count) => String(count).length));
        for (const count of counts ?? [null]) {
            const suffix = count === null ? '' : `-${String(count).padStart(digits, '0')}`;
            const full = `${folder}/${name}${suffix}`;
            checkName(name);
            const described = { ...test, name: full, count };
            this.#described.push(described);
            if (this.#described.length > MOST_TESTS)
                throw new RecipeError(`it describes more than ${MOST_TESTS} tests`);
            for (const key of new Set([...keys, test.key]))
                this.#byKey.set(key, [...(this.#byKey.get(key) ?? []), described]);
        }
    }

    #include(folder: string, keys: readonly string[]): void {
        for (const key of keys) {
            const tests = this.#byKey.get(key);
            if (tests === undefined) throw new RecipeError(`it includes ${key}, which it does not describe`);
            for (const test of tests) {
                const base = test.name.slice(test.name.lastIndexOf('/') + 1);
                const name = `${folder}/${base}`;
                if (!this.#described.some((one) => one.name === name))
                    this.#described.push({ ...test, name });
            }
        }
    }

    async #readRecipes({ name, field, scope, count }: Described): Promise<readonly TestRecipe[]> {
        const command = buildCommand(field);
        const given = (key: string): Content | null =>
            field.get(key).present ? makeTextContent(withNewline(readText(field.get(key)))) : null;
        const copied = field.get('copy').optionalString();
        const input = given('in') ?? (await this.#copied(copied, 'in'));
        const solution = this.#solutionIn(field, scope.solution);
        const own = given('ans') ?? (await this.#copied(copied, 'ans'));
        // Nobody reads the answer of a problem whose validator talks to the program, unless it says one.
        const answer = own === null && this.problem.interactive ? makeTextContent('') : own;
        const common = {
            name,
            answer,
            solution: answer !== null || solution === null ? null : await this.#program(solution),
        };
        if (input !== null) return [{ ...common, input: { kind: 'content', content: input } }];
        if (command === null) throw new RecipeError(`its test ${name} has neither a text nor a generator`);
        const salt = field.get('random_salt').optionalString() ?? scope.salt;
        const text = this.#filledIn(command, count);
        const [program = '', ...args] = text.split(/\s+/).filter((word) => word !== '');
        const base = name.slice(name.lastIndexOf('/') + 1);
        const seed = String(computeSeed(salt, text, count ?? 1));
        const filled = args.map((arg) => arg.replaceAll('{name}', base).replace(/\{seed(?::\d+)?\}/g, seed));
        const maker = await this.#program(this.#generatorPath(program));
        return [{ ...common, input: { kind: 'program', program: maker, args: filled } }];
    }

    #filledIn(command: string, count: number | null): string {
        const text = command.replace(
            /\{\{(\w+)\}\}/g,
            (all, name: string) => this.problem.constants.get(name) ?? all,
        );
        return (count === null ? text : text.replaceAll('{count}', String(count))).trim();
    }

    async #copied(base: string | null, extension: 'in' | 'ans'): Promise<Content | null> {
        if (base === null) return null;
        const file = this.#byName.get(normal(`generators/${base}.${extension}`));
        if (file !== undefined && file.refused === null) return describeFileContent(file.path);
        if (extension === 'ans') return null;
        throw new RecipeError(`it copies generators/${base}.in, which is not in the package`);
    }

    #solutionIn(field: Field, above: string | null): string | null {
        if (field.value === null || typeof field.value !== 'object' || Array.isArray(field.value))
            return above;
        if (!Object.hasOwn(field.value, 'solution')) return above;
        const named = field.get('solution').optionalString();
        // An old form gives it arguments, which no solution takes.
        return named === null ? null : rooted(named.split(/\s+/)[0] ?? '');
    }

    /** Where none is named: an accepted one, compiled ones first, as tools may choose. */
    #anySolution(): string | null {
        const accepted = this.files
            .map(({ name }) => /^(submissions\/accepted\/[^/]+)/.exec(name)?.[1])
            .filter((name) => name !== undefined);
        return accepted.find((name) => /\.(cpp|cc|c)$/.test(name)) ?? accepted[0] ?? null;
    }

    /** A name of `generators:` stands for the files that it lists; any other is a file or a folder. */
    #generatorPath(name: string): string {
        return this.yaml.get('generators').get(name).present ? `${LISTED}${name}` : rooted(name);
    }

    #program(path: string): Promise<MakerProgram> {
        let program = this.#programs.get(path);
        if (program === undefined) {
            program = this.#load(path);
            this.#programs.set(path, program);
            program.catch(() => {});
        }
        return program;
    }

    async #load(path: string): Promise<MakerProgram> {
        const listed = path.startsWith(LISTED) ? path.slice(LISTED.length) : null;
        const files = listed === null ? this.#filesAt(path) : this.#listedFiles(listed);
        const label = listed ?? path;
        if (files.length === 0) throw new RecipeError(`${label} is not in the package`);
        const script = files.find(({ name }) => name === 'build' || name === 'run');
        if (script !== undefined)
            throw new RecipeError(`${label} is built or run by a script of its own, which is not supported`);
        const refused = findRefusedFile(files);
        if (refused !== null) throw new RecipeError(refused);
        const sources = await readSourceTexts(files);
        const language = findLanguageOfProgram(sources);
        const first = listed === null ? null : (files[0]?.name ?? null);
        const base = path.slice(path.lastIndexOf('/') + 1);
        const main = language === null ? null : findMainFile(sources, language, base, first);
        if (language === null || main === null)
            throw new RecipeError(`the language of ${label} cannot be told from its files`);
        return { language, files: await readSourceFiles(files, main, this.problem.constants) };
    }

    #filesAt(path: string): ProgramFile[] {
        const file = this.#byName.get(path);
        if (file !== undefined) return [{ name: path.slice(path.lastIndexOf('/') + 1), file }];
        return this.files
            .filter(({ name }) => name.startsWith(`${path}/`))
            .map((each) => ({ name: each.name.slice(path.length + 1), file: each }));
    }

    #listedFiles(name: string): ProgramFile[] {
        const names = this.yaml.get('generators').get(name).strings();
        return names.flatMap((each) => this.#filesAt(rooted(each)));
    }
}

/** Marks a program of `generators:` among paths. */
const LISTED = 'listed:';
/** More are a mistake, or an attack on the disk. */
const MOST_TESTS = 5000;
const MOST_COUNT = 1000;

const joined = (number: string, key: string): string => [number, key].filter((part) => part !== '').join('-');
/** @throws RecipeError for what is not the name of a file */
function checkName(name: string): void {
    if (!/^[\w+-][\w.+-]*$/.test(name)) throw new RecipeError(`its test ${name} has no usable name`);
}

const withNewline = (text: string): string => (text === '' || text.endsWith('\n') ? text : `${text}\n`);

/** From the package's folder: absolute paths are from there, relative ones from generators/. */
const rooted = (path: string): string => normal(path.startsWith('/') ? path.slice(1) : `generators/${path}`);

/** @throws RecipeError for a path that leads out of the package */
function normal(path: string): string {
    const parts: string[] = [];
    for (const part of path.split('/')) {
        if (part === '' || part === '.') continue;
        if (part !== '..') parts.push(part);
        else if (parts.pop() === undefined) throw new RecipeError(`${path} leads out of the package`);
    }
    return parts.join('/');
}

/** YAML reads `1` as a number; what is meant is its text. */
const readText = (field: Field): string =>
    typeof field.value === 'number' ? String(field.value) : field.string();

/** The seed of a command: the last 31 bits of its SHA-512. */
function computeSeed(salt: string, command: string, count: number): bigint {
    const text = `${salt}${count === 1 ? '' : `:${count - 1}`}${command}`;
    return BigInt(`0x${createHash('sha512').update(text).digest('hex')}`) % 2n ** 31n;
}

/** Tests and folders of a folder: a map of them, or a list of maps. */
function folderEntries(data: Field): readonly (readonly [string, Field])[] {
    if (!data.present) return [];
    if (!Array.isArray(data.value)) return [...data.entries()].sort(byKey);
    return data.list().flatMap((each) => each.entries().map(([key, field]) => [tilde(key), field] as const));
}

const byKey = ([a]: readonly [string, Field], [b]: readonly [string, Field]): number =>
    a < b ? -1 : a > b ? 1 : 0;
const tilde = (key: string): string => (key === '~' || key === 'null' ? '' : key);

const TEST_KEYS = ['generate', 'input', 'copy', 'count', 'match', 'in', 'ans', 'out', 'desc', 'hint', 'yaml'];

function isTest(field: Field): boolean {
    const { value } = field;
    if (value === null || value === undefined || typeof value !== 'object') return true;
    return !Array.isArray(value) && TEST_KEYS.some((key) => Object.hasOwn(value, key));
}

/** `generate`, `input` as it was called before, or the test itself. */
function buildCommand(field: Field): string | null {
    if (typeof field.value === 'string') return field.value === '' ? null : field.value;
    return field.get('generate').optionalString() ?? field.get('input').optionalString();
}

function countNumbered(data: Field): number {
    return folderEntries(data).reduce((sum, [, entry]) => {
        if (!isTest(entry)) return sum + countNumbered(entry.get('data'));
        return sum + (Array.isArray(data.value) ? 1 : 0);
    }, 0);
}

/** The numbers that a test with `count` is made for: up to a number, a list, or a range `3..=5`; null without it. */
function readCounts(field: Field): readonly number[] | null {
    if (typeof field.value !== 'object') return null;
    const count = field.get('count');
    if (!count.present) return null;
    const numbers = readNumbers(count);
    if (numbers.length === 0 || numbers.length > MOST_COUNT)
        throw new RecipeError(`its ${count.path} is not a number from 1 to ${MOST_COUNT}`);
    return numbers;
}

function readNumbers(count: Field): readonly number[] {
    if (Array.isArray(count.value)) return count.list().map((each) => each.number());
    const text = typeof count.value === 'string' ? count.value : '';
    const [, from, to] = /^(-?\d+)\.\.=(-?\d+)$/.exec(text) ?? [];
    const [first, last] = from === undefined ? [1, count.number()] : [Number(from), Number(to)];
    const length = Math.min(MOST_COUNT + 1, Math.max(0, Math.floor(last - first + 1)));
    return Array.from({ length }, (_, i) => first + i);
}
