import type { Field } from '../field.js';
import { RecipeError } from './recipe-error.js';

/*
 * The tests that generators.yaml describes, with the names that BAPCtools gives them. Source: doc/generators.md and
 * bapctools/generate.py of BAPCtools.
 */

/** Settings that apply in a folder, from its own keys and those of the folders above. */
export interface Scope {
    readonly salt: string;
    /** Path relative to the package's folder; null: none. */
    readonly solution: string | null;
    /** Most attempts at running a generator that fails, each with the next seed. */
    readonly tries: number;
}

/** A test whose programs have not been read yet. */
export interface DescribedTest {
    /** `secret/02-big` */
    readonly name: string;
    readonly field: Field;
    readonly scope: Scope;
    /** 1 unless the test is one of several made from one entry with `count`. */
    readonly count: number;
}

/** Tests, and folders with the tests that they hold or include, by key, as `include` names them. */
type Known = Map<string, DescribedTest[] | 'ambiguous'>;

/** More tests than this are a mistake, or an attempt to fill the disk. */
const MAX_TESTS = 5000;
const MAX_COUNT = 1000;
const MAX_TRIES = 100;
/** Most levels of nested folders; file systems allow no longer paths. */
const MAX_DEPTH = 32;
const ROOTS = ['sample', 'secret'];

/** Walks the file once, since BAPCtools numbers tests in the order in which it meets them, over all folders. */
export class GeneratorTests {
    readonly tests: DescribedTest[] = [];
    /** Settings of folders by the name of the file that would hold them: `data/secret/group/testdata.yaml`. */
    readonly settings = new Map<string, Field>();
    readonly #known: Known = new Map();
    readonly #names = new Set<string>();
    readonly #digits: number;
    #numbered = 0;

    /** @throws RecipeError, UserError for values of the wrong type */
    constructor(
        yaml: Field,
        private readonly readSolution: (field: Field, above: string | null) => string | null,
        solution: string | null,
    ) {
        this.#digits = String(countNumbered(yaml, 0)).length;
        const scope = this.#scopeIn(yaml, { salt: '', solution, tries: 1 });
        this.#keepSettings('data', yaml);
        const data = yaml.get('data');
        if (Array.isArray(data.value)) throw new RecipeError('its data is a list, where it must be a map');
        if (!data.present) return;
        for (const name of ROOTS) {
            const folder = data.get(name);
            if (folder.present && !isTest(folder)) this.#readFolder(name, name, folder, scope, 1);
        }
    }

    /** @returns the tests of the folder, including those named by `include` */
    #readFolder(key: string, folder: string, field: Field, above: Scope, depth: number): DescribedTest[] {
        if (depth > MAX_DEPTH) throw new RecipeError('its folders are nested too deeply');
        const scope = this.#scopeIn(field, above);
        this.#keepSettings(`data/${folder}`, field);
        const included = this.#findIncluded(field.get('include'));
        const inside: DescribedTest[] = [];
        const data = field.get('data');
        const isNumbered = Array.isArray(data.value);
        const entries = listEntries(data);
        const groupDigits = String(entries.filter(([, entry]) => !isTest(entry)).length).length;
        let groups = 0;
        for (const [child, entry] of entries) {
            if (isTest(entry)) inside.push(...this.#describe(folder, child, entry, scope, isNumbered));
            else {
                const number = isNumbered ? padNumber(++groups, groupDigits) : '';
                const name = joinName(number, child);
                checkName(name);
                inside.push(...this.#readFolder(child, `${folder}/${name}`, entry, scope, depth + 1));
            }
        }
        for (const test of included) {
            const name = `${folder}/${test.name.slice(test.name.lastIndexOf('/') + 1)}`;
            if (!this.#names.has(name)) inside.push(this.#add({ ...test, name }));
        }
        this.#remember(key, inside);
        return inside;
    }

    #describe(folder: string, key: string, field: Field, scope: Scope, isNumbered: boolean): DescribedTest[] {
        const counts = readCounts(field);
        const numbers = counts ?? [1];
        // Consecutive numbers are padded to the width of the widest.
        const isRange = Math.max(...numbers) - Math.min(...numbers) === numbers.length - 1;
        const digits = isRange ? Math.max(...numbers.map((count) => String(count).length)) : 0;
        const tests: DescribedTest[] = [];
        for (const count of numbers) {
            const number = isNumbered ? padNumber(++this.#numbered, this.#digits) : '';
            const base = joinName(number, key);
            checkName(base);
            const name = `${folder}/${base}${counts === null ? '' : `-${padNumber(count, digits)}`}`;
            if (this.#names.has(name)) continue;
            const test = { name, field, scope: this.#scopeIn(field, scope), count };
            tests.push(this.#add(test));
            this.#remember(key, [test]);
        }
        return tests;
    }

    #add(test: DescribedTest): DescribedTest {
        this.#names.add(test.name);
        this.tests.push(test);
        if (this.tests.length > MAX_TESTS) throw new RecipeError(`it describes more than ${MAX_TESTS} tests`);
        return test;
    }

    #remember(key: string, tests: DescribedTest[]): void {
        this.#known.set(key, this.#known.has(key) ? 'ambiguous' : tests);
    }

    /** A key names an entry that comes earlier in the file. */
    #findIncluded(include: Field): DescribedTest[] {
        const keys = typeof include.value === 'string' ? [include] : include.optionalList();
        return keys.map(readText).flatMap((key) => {
            const tests = this.#known.get(key);
            if (tests === undefined) throw new RecipeError(`it includes ${key} before defining it`);
            if (tests === 'ambiguous') throw new RecipeError(`it includes ${key}, which it defines twice`);
            return tests;
        });
    }

    #scopeIn(field: Field, above: Scope): Scope {
        const retries = field.get('retries');
        const tries = retries.present ? retries.number() : above.tries;
        if (!Number.isInteger(tries) || tries < 1 || tries > MAX_TRIES)
            throw new RecipeError(`its ${retries.path} is not a number from 1 to ${MAX_TRIES}`);
        return {
            salt: field.get('random_salt').optionalString() ?? above.salt,
            solution: this.readSolution(field, above.solution),
            tries,
        };
    }

    #keepSettings(folder: string, field: Field): void {
        for (const file of ['testdata.yaml', 'test_group.yaml']) {
            const settings = field.get(file);
            if (settings.present) this.settings.set(`${folder}/${file}`, settings);
        }
    }
}

/** YAML reads `1` as a number where its text is meant. */
export const readText = (field: Field): string =>
    typeof field.value === 'number' ? String(field.value) : field.string();

const joinName = (number: string, key: string): string =>
    [number, key].filter((part) => part !== '').join('-');

/** Pads like Python: a sign counts as a digit, and stays in front. */
function padNumber(value: number, width: number): string {
    const sign = value < 0 ? '-' : '';
    return `${sign}${String(Math.abs(value)).padStart(width - sign.length, '0')}`;
}

/** @throws RecipeError if it cannot be a file name */
function checkName(name: string): void {
    if (!/^[\w+-][\w.+-]{0,199}$/.test(name))
        throw new RecipeError(`its test ${JSON.stringify(name.slice(0, 80))} has no usable name`);
}

/** Tests and folders of a folder, given as a map or as a list of maps. */
function listEntries(data: Field): readonly (readonly [string, Field])[] {
    if (!data.present) return [];
    const maps = Array.isArray(data.value) ? data.list() : [data];
    return maps.flatMap((each) =>
        [...each.entries()].sort(compareKeys).map(([key, field]) => [readKey(key), field] as const),
    );
}

const compareKeys = ([a]: readonly [string, Field], [b]: readonly [string, Field]): number =>
    a < b ? -1 : a > b ? 1 : 0;
/** `~`, an empty key and '' all mean that the entry has no name of its own. */
const readKey = (key: string): string => (key === '~' || key === 'null' ? '' : key);

/** Keys that mark a map as a test; `input`, `desc` and `hint` are older names. */
const TEST_KEYS =
    'generate copy count match in ans out yaml interaction in.statement ans.statement in.download ans.download input desc hint'.split(
        ' ',
    );

function isTest(field: Field): boolean {
    const { value } = field;
    if (value === null || value === undefined || typeof value !== 'object') return true;
    return !Array.isArray(value) && TEST_KEYS.some((key) => Object.hasOwn(value, key));
}

/** Number of tests that are numbered, over all folders. Numbers are padded to the width of the largest. */
function countNumbered(folder: Field, depth: number): number {
    const data = folder.get('data');
    if (!data.present || typeof data.value !== 'object' || depth > MAX_DEPTH) return 0;
    return listEntries(data).reduce((sum, [, entry]) => {
        if (!isTest(entry)) return sum + countNumbered(entry, depth + 1);
        return sum + (Array.isArray(data.value) ? (readCounts(entry)?.length ?? 1) : 0);
    }, 0);
}

/** The numbers that a test with `count` is made for: from 1 to a number, a list, or a range `3..=5`; null without `count`. */
function readCounts(field: Field): readonly number[] | null {
    if (typeof field.value !== 'object') return null;
    const count = field.get('count');
    if (!count.present) return null;
    const numbers = readNumbers(count);
    if (numbers.length === 0 || numbers.length > MAX_COUNT || !numbers.every(Number.isSafeInteger))
        throw new RecipeError(`its ${count.path} is not a number from 1 to ${MAX_COUNT}`);
    return numbers;
}

function readNumbers(count: Field): readonly number[] {
    if (Array.isArray(count.value)) return count.list().map((each) => each.number());
    const text = typeof count.value === 'string' ? count.value : '';
    const [, from, to] = /^(-?\d+)\.\.=(-?\d+)$/.exec(text) ?? [];
    const [first, last] = from === undefined ? [1, count.number()] : [Number(from), Number(to)];
    const length = Math.min(MAX_COUNT + 1, Math.max(0, Math.floor(last - first + 1)));
    return Array.from({ length }, (_, i) => first + i);
}
