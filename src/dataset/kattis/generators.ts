import { createHash } from 'node:crypto';
import { makeTextContent } from '../../model/fingerprint.js';
import type { Content } from '../../model/sample.js';
import type { TestRecipe } from '../../model/test-recipe.js';
import { UserError } from '../../util/user-error.js';
import type { Field } from '../field.js';
import { describeFileContent } from '../file-content.js';
import { type DescribedTest, GeneratorTests, readText } from './generator-tests.js';
import { MakerPrograms } from './maker-programs.js';
import type { PackageFile } from './package-files.js';
import type { ProblemSettings } from './problem-yaml.js';
import { normalizePath, RecipeError, rootGeneratorPath } from './recipe-error.js';
import { parseYaml, readYamlFile } from './yaml-file.js';

/*
 * generators/generators.yaml, which describes how the tests of a package are made. Source: doc/generators.md and
 * doc/generators.yaml of BAPCtools.
 */

export const GENERATORS_YAML = 'generators/generators.yaml';

/** The tests in data/sample and data/secret that the file describes. */
export interface GeneratedTests {
    /** `secret/02-big` */
    readonly names: readonly string[];
    /** Whether the file lists samples and declares `secret` as empty. */
    readonly samplesAreAll: boolean;
    /**
     * How to make the wanted tests. Programs of other tests are not read.
     * @returns a string with the reason if they cannot be made
     */
    readRecipes(isWanted: (name: string) => boolean): Promise<Recipes | string>;
}

export interface Recipes {
    readonly tests: readonly TestRecipe[];
    /** Settings of folders and tests by the name of the file that would hold them: `data/secret/group/testdata.yaml`. */
    readonly settings: ReadonlyMap<string, Field>;
}

/** The parts of problem.yaml that affect how tests are made. */
export type MakingSettings = Pick<ProblemSettings, 'constants' | 'interactive' | 'passes'>;

/** @returns a string with the reason if the file describes no tests */
export function readGenerators(
    files: readonly PackageFile[],
    yaml: Field,
    problem: MakingSettings,
): GeneratedTests | string {
    try {
        const { tests, settings } = new GeneratorTests(yaml, readSolution, chooseSolution(files));
        const names = tests.map(({ name }) => name);
        return {
            names,
            // The file that BAPCtools writes for a new package lists neither; its tests are not known yet.
            samplesAreAll:
                names.length > 0 &&
                names.every((name) => name.startsWith('sample/')) &&
                isEmptyList(yaml.get('data').get('secret').get('data')),
            readRecipes: async (isWanted) => {
                const reader = new RecipeReader(files, yaml, problem);
                const wanted = tests.filter(({ name }) => isWanted(name));
                return explainErrors(() => reader.read(wanted, settings));
            },
        };
    } catch (error) {
        return explain(error);
    }
}

/** A broken generators.yaml makes its package impossible to judge, but does not end the run. */
async function explainErrors<T>(read: () => Promise<T>): Promise<T | string> {
    try {
        return await read();
    } catch (error) {
        return explain(error);
    }
}

/** @throws the error itself, if the file is not to blame */
function explain(error: unknown): string {
    if (error instanceof RecipeError || error instanceof UserError) return error.message;
    throw error;
}

/** Whether the key is given and holds nothing. A key without a value does not count. */
function isEmptyList({ value }: Field): boolean {
    return typeof value === 'object' && value !== null && Object.keys(value).length === 0;
}

class RecipeReader {
    readonly #byName: ReadonlyMap<string, PackageFile>;
    readonly #programs: MakerPrograms;
    readonly #settings = new Map<string, Field>();

    constructor(
        files: readonly PackageFile[],
        yaml: Field,
        private readonly problem: MakingSettings,
    ) {
        this.#byName = new Map(files.map((file) => [file.name, file]));
        this.#programs = new MakerPrograms(files, yaml.get('generators'), problem.constants);
    }

    async read(wanted: readonly DescribedTest[], settings: ReadonlyMap<string, Field>): Promise<Recipes> {
        const tests: TestRecipe[] = [];
        for (const test of wanted) {
            const recipe = await this.#readRecipe(test);
            if (recipe !== null) tests.push(recipe);
        }
        return { tests, settings: new Map([...settings, ...this.#settings]) };
    }

    async #readRecipe(test: DescribedTest): Promise<TestRecipe | null> {
        const { name, field } = test;
        const { copied, command } = readSources(field);
        const given = (key: string): Content | null => readContent(field.get(key));
        const input = given('in') ?? (await this.#copied(copied, 'in'));
        const own = given('ans') ?? (await this.#copied(copied, 'ans'));
        await this.#keepSettings(name, field, copied);
        // If the validator talks to the program, the answer is not used unless one is given.
        const { interactive, passes } = this.problem;
        const answer = own === null && (interactive || passes !== null) ? makeTextContent('') : own;
        const { solution } = test.scope;
        const common = {
            name,
            answer,
            solution: answer !== null || solution === null ? null : await this.#programs.load(solution),
        };
        if (input !== null) return { ...common, input: { kind: 'content', content: input } };
        if (command !== null) return { ...common, input: await this.#readCommand(command, test) };
        // A sample that appears only in the statement.
        if (
            name.startsWith('sample/') &&
            (field.get('in.statement').present || field.get('interaction').present)
        )
            return null;
        throw new RecipeError(
            copied === null
                ? `its test ${name} has neither a text nor a generator`
                : `it copies generators/${copied}.in, which is not in the package`,
        );
    }

    async #readCommand(command: string, test: DescribedTest): Promise<TestRecipe['input']> {
        const { name, field, scope, count } = test;
        const text = this.#fillIn(command, field.get('count').present ? count : null);
        const [program = '', ...args] = text.split(/\s+/).filter((word) => word !== '');
        const base = name.slice(name.lastIndexOf('/') + 1);
        const seed = computeSeed(scope.salt, text, count);
        const isSeeded = args.some((arg) => SEED.test(arg));
        const tries = Array.from({ length: isSeeded ? scope.tries : 1 }, (_, i) => {
            const value = String((seed + BigInt(i)) % SEEDS);
            return args.map((arg) => arg.replaceAll('{name}', base).replaceAll(SEEDS_IN_TEXT, value));
        });
        return { kind: 'program', program: await this.#programs.loadGenerator(program), tries };
    }

    #fillIn(command: string, count: number | null): string {
        const text = command.replace(
            /\{\{([A-Za-z_]\w*(?:\.[A-Za-z_]\w*)?)\}\}/g,
            (all, name: string) => this.problem.constants.get(name) ?? all,
        );
        return (count === null ? text : text.replaceAll('{count}', String(count))).trim();
    }

    #copiedFile(base: string | null, extension: 'in' | 'ans' | 'yaml'): PackageFile | null {
        if (base === null) return null;
        const file = this.#byName.get(normalizePath(`generators/${base}.${extension}`));
        return file === undefined || file.refused !== null ? null : file;
    }

    async #copied(base: string | null, extension: 'in' | 'ans'): Promise<Content | null> {
        const file = this.#copiedFile(base, extension);
        return file === null ? null : describeFileContent(file.path);
    }

    /** `yaml` of a test has the content of its settings file. */
    async #keepSettings(name: string, field: Field, copied: string | null): Promise<void> {
        const given = field.get('yaml');
        const file = this.#copiedFile(copied, 'yaml');
        const settings =
            typeof given.value === 'string'
                ? parseYaml(given.value, `${given.place}: ${given.path}`)
                : given.present
                  ? given
                  : file === null
                    ? null
                    : await readYamlFile(file, file.name);
        if (settings !== null) this.#settings.set(`data/${name}.yaml`, settings);
    }
}

/** The default solution: an accepted one, preferably compiled. Tools may choose any. */
function chooseSolution(files: readonly PackageFile[]): string | null {
    const accepted = files
        .map(({ name }) => /^(submissions\/accepted\/[^/]+)/.exec(name)?.[1])
        .filter((name) => name !== undefined);
    return accepted.find((name) => /\.(cpp|cc|c)$/.test(name)) ?? accepted[0] ?? null;
}

const SEED = /\{seed(?::\d+)?\}/;
const SEEDS_IN_TEXT = /\{seed(?::\d+)?\}/g;
/** Seeds are below this number. */
const SEEDS = 2n ** 31n;

/**
 * What makes the input of a test: files to copy, or a command. Instead of a map, a test may be just a command or, in older files,
 * a file name with its extension.
 */
function readSources(field: Field): { readonly copied: string | null; readonly command: string | null } {
    if (typeof field.value === 'string')
        return field.value.endsWith('.in')
            ? { copied: field.value.slice(0, -'.in'.length), command: null }
            : { copied: null, command: field.value === '' ? null : field.value };
    return {
        copied: field.get('copy').optionalString(),
        // `input` is an older name.
        command: field.get('generate').optionalString() ?? field.get('input').optionalString(),
    };
}

function readContent(field: Field): Content | null {
    if (!field.present) return null;
    const text = readText(field);
    return makeTextContent(text === '' || text.endsWith('\n') ? text : `${text}\n`);
}

/** `solution` of a folder or test; an empty one cancels that of the folder above. */
function readSolution(field: Field, above: string | null): string | null {
    if (field.value === null || typeof field.value !== 'object' || Array.isArray(field.value)) return above;
    if (!Object.hasOwn(field.value, 'solution')) return above;
    const named = field.get('solution').optionalString();
    // An older form adds arguments, which no solution takes.
    return named === null ? null : rootGeneratorPath(named.trim().split(/\s+/)[0] ?? '');
}

/** The seed of a command: the last 31 bits of its SHA-512. */
function computeSeed(salt: string, command: string, count: number): bigint {
    const text = `${salt}${count === 1 ? '' : `:${count - 1}`}${command}`;
    return BigInt(`0x${createHash('sha512').update(text).digest('hex')}`) % SEEDS;
}
