import type { TestCase } from '../../model/sample.js';
import type { MakerProgram, TestRecipe } from '../../model/test-recipe.js';
import type { TestMakerSource } from '../dataset.js';
import { describeFileContent } from '../file-content.js';
import type { PackageFile } from '../kattis/package-files.js';
import { RecipeError } from '../kattis/recipe-error.js';
import { findPolygonLanguage, findHeaders, sourceFile } from './polygon-programs.js';
import type { PolygonProblem, PolygonProgram, PolygonTest } from './problem-xml.js';
import { splitCommand } from './split-command.js';

/*
 * The tests of a Polygon package. A full package holds all of them. A standard one holds the inputs that its authors wrote; its
 * script `doall` makes the other inputs with generators and the answers with the main solution. The commands of that script are
 * also in problem.xml.
 */

/** A test with its files; null for those that the package does not hold. */
interface Slot {
    readonly test: PolygonTest;
    /** `tests/01` */
    readonly name: string;
    readonly input: PackageFile | null;
    readonly answer: PackageFile | null;
}

export class PolygonTests {
    readonly #programs = new Map<string, Promise<MakerProgram>>();

    constructor(
        private readonly problem: PolygonProblem,
        private readonly files: ReadonlyMap<string, PackageFile>,
    ) {}

    /** @param place of the package, for messages @returns a string with the reason if there are none */
    async load(place: string, maker: TestMakerSource | null): Promise<TestCase[] | string> {
        const slots = this.#findSlots();
        if (slots.length === 0) return 'its testset holds no tests';
        const refused = slots
            .flatMap(({ input, answer }) => [input, answer])
            .find((file) => typeof file?.refused === 'string');
        if (refused !== null && refused !== undefined)
            return `its test ${refused.name} cannot be read: ${refused.refused}`;
        const incomplete = slots.filter(({ input, answer }) => input === null || answer === null);
        const made =
            incomplete.length === 0 ? new Map<string, Paths>() : await this.#make(incomplete, place, maker);
        if (typeof made === 'string') return `${countMissing(incomplete.length)}, and ${made}`;
        const tests: TestCase[] = [];
        for (const { name, input, answer } of slots) {
            const paths = made.get(name);
            tests.push({
                name,
                input: await describeFileContent(paths?.input ?? input?.path ?? ''),
                output: await describeFileContent(paths?.answer ?? answer?.path ?? ''),
                checkerFlags: null,
            });
        }
        return tests;
    }

    #findSlots(): Slot[] {
        const { tests, inputPattern, answerPattern } = this.problem.testset;
        return tests.map((test, i) => {
            const name = fillIn(inputPattern, i + 1);
            const answer = this.files.get(fillIn(answerPattern, i + 1)) ?? null;
            return { test, name, input: this.files.get(name) ?? null, answer };
        });
    }

    /** @returns a text that follows "2 of its tests are not in the package, and" if they cannot be made */
    async #make(
        slots: readonly Slot[],
        place: string,
        maker: TestMakerSource | null,
    ): Promise<ReadonlyMap<string, Paths> | string> {
        let recipes: TestRecipe[];
        try {
            recipes = await Promise.all(slots.map((slot) => this.#readRecipe(slot)));
        } catch (error) {
            if (!(error instanceof RecipeError)) throw error;
            return `${CANNOT_BE_MADE}: ${error.message}; ${ADVICE}`;
        }
        const ready = await maker?.();
        if (ready === undefined || ready === null)
            return 'are made by its generators and its main solution, which run only on this machine (--executor judge)';
        const made = await ready.make(place, recipes);
        if (typeof made === 'string') return `${CANNOT_BE_MADE}: ${made}; ${ADVICE}`;
        return new Map(made.map(({ name, input, answer }) => [name, { input, answer }]));
    }

    async #readRecipe({ test, name, input, answer }: Slot): Promise<TestRecipe> {
        return {
            name,
            input:
                input === null
                    ? await this.#readCommand(test, name)
                    : { kind: 'content', content: await describeFileContent(input.path) },
            answer: answer === null ? null : await describeFileContent(answer.path),
            solution: answer === null ? await this.#findSolution() : null,
        };
    }

    async #readCommand({ command, isFromFile }: PolygonTest, name: string): Promise<TestRecipe['input']> {
        if (command === null) throw new RecipeError(`its input ${name} is not in the package`);
        if (isFromFile) throw new RecipeError('its input is one of several files that its generator writes');
        const [word = '', ...args] = splitCommand(command);
        const program = this.problem.executables.find(({ path }) => nameProgram(path) === word);
        if (program === undefined) throw new RecipeError(`its generator ${word} is not in the package`);
        return { kind: 'program', program: await this.#load(program), tries: [args] };
    }

    #findSolution(): Promise<MakerProgram> {
        const { solutions, interactor, inputFile, outputFile } = this.problem;
        if (interactor !== null) throw new RecipeError('its answer is made by its interactor');
        if (inputFile !== '' || outputFile !== '')
            throw new RecipeError('its answer is made by a solution that reads and writes named files');
        const main = solutions.find(({ tag }) => tag === 'main');
        if (main === undefined) throw new RecipeError('no solution is marked as the main one');
        return this.#load(
            main,
            this.problem.resources.filter(({ forSolutions }) => forSolutions).map(({ path }) => path),
        );
    }

    #load(program: PolygonProgram, beside: readonly string[] = []): Promise<MakerProgram> {
        let loaded = this.#programs.get(program.path);
        if (loaded === undefined) {
            loaded = this.#read(program, beside);
            this.#programs.set(program.path, loaded);
            loaded.catch(() => {});
        }
        return loaded;
    }

    async #read(program: PolygonProgram, beside: readonly string[]): Promise<MakerProgram> {
        const main = this.files.get(program.path);
        const language = findPolygonLanguage(program);
        if (main === undefined) throw new RecipeError(`${program.path} is not in the package`);
        if (language === null) throw new RecipeError(`the language of ${program.path} is not known`);
        const others = [
            ...findHeaders(this.problem.resources, this.files),
            ...beside.flatMap((path) => this.files.get(path) ?? []),
        ];
        const refused = [main, ...others].find((file) => file.refused !== null);
        if (refused !== undefined)
            throw new RecipeError(`${refused.name} cannot be read: ${refused.refused}`);
        const files = await Promise.all([...new Set(others)].map(sourceFile));
        return { language, files: [await sourceFile(main), ...files] };
    }
}

const CANNOT_BE_MADE = 'could not be made by its generators';
const ADVICE = 'download the full package, or run doall first';

interface Paths {
    readonly input: string;
    readonly answer: string;
}

const countMissing = (count: number): string =>
    count === 1 ? '1 of its tests is not in the package' : `${count} of its tests are not in the package`;

/** `files/gen.cpp` is called `gen` in commands. */
const nameProgram = (path: string): string => path.slice(path.lastIndexOf('/') + 1).replace(/\.[^.]*$/, '');

/** `tests/%02d` with a number. */
const fillIn = (pattern: string, number: number): string =>
    pattern.replace(/%(0?)(\d*)d/, (_, zero: string, width: string) =>
        String(number).padStart(Number(width || '0'), zero === '' ? ' ' : '0'),
    );
