import { readFile } from 'node:fs/promises';
import { XMLParser } from 'fast-xml-parser';
import { getMessage } from '../../util/message.js';
import { UserError } from '../../util/user-error.js';

/*
 * What problem.xml of a Polygon package says about judging. Irrelevant attributes and elements are left out.
 */

export interface PolygonProblem {
    /** Files that programs read and write; '' means stdin and stdout. */
    readonly inputFile: string;
    readonly outputFile: string;
    readonly testset: PolygonTestset;
    readonly checker: PolygonProgram | null;
    readonly interactor: PolygonProgram | null;
    readonly solutions: readonly PolygonSolution[];
    /** Includes generators. */
    readonly executables: readonly PolygonProgram[];
    readonly resources: readonly PolygonResource[];
}

/** A header or similar file. */
export interface PolygonResource {
    readonly path: string;
    /** Whether it is added to every solution. */
    readonly forSolutions: boolean;
}

export interface PolygonTestset {
    /** Seconds; null: not stated. */
    readonly timeLimit: number | null;
    /** Bytes; null: not stated. */
    readonly memoryLimit: number | null;
    /** `tests/%02d` */
    readonly inputPattern: string;
    readonly answerPattern: string;
    readonly tests: readonly PolygonTest[];
    readonly groups: readonly PolygonGroup[];
}

export interface PolygonTest {
    /** The command that makes its input, a generator with arguments in shell syntax; null if its author wrote it. */
    readonly command: string | null;
    /** Whether the command writes its input as one of several files instead of printing it. */
    readonly isFromFile: boolean;
    readonly points: number;
    /** Name of its group; null: none. */
    readonly group: string | null;
}

export interface PolygonGroup {
    readonly name: string;
    /** null: the sum of the points of its tests. */
    readonly points: number | null;
    readonly policy: 'complete-group' | 'each-test';
    readonly dependencies: readonly string[];
}

export interface PolygonProgram {
    /** `files/check.cpp` */
    readonly path: string;
    /** `cpp.g++17` */
    readonly type: string;
}

export interface PolygonSolution extends PolygonProgram {
    /** `main`, `wrong-answer`, ... */
    readonly tag: string;
}

/** Far larger than any problem.xml, even with statements in many languages. */
const MAX_BYTES = 4 * 1024 * 1024;

/** An element: attributes as `@name`, children by name; several children of the same name form a list. */
interface Element {
    readonly [key: string]: unknown;
}

const parser = new XMLParser({
    ignoreAttributes: false,
    attributeNamePrefix: '@',
    parseAttributeValue: false,
    parseTagValue: false,
    processEntities: false,
});

/** @param place for messages @throws UserError if the file is not a problem.xml */
export async function readProblemXml(
    file: { readonly path: string; readonly size: number; readonly refused: string | null },
    place: string,
): Promise<PolygonProblem> {
    if (file.refused !== null) throw new UserError(`${place}: ${file.refused}`);
    if (file.size > MAX_BYTES) throw new UserError(`${place}: is larger than 4 MiB`);
    let top: Element;
    try {
        top = elementIn(parser.parse(await readFile(file.path, 'utf8'), true), 'problem');
    } catch (error) {
        throw new UserError(`${place}: not valid XML: ${getMessage(error).split('\n', 1)[0]}`);
    }
    const judging = elementIn(top, 'judging');
    const sets = listChildren(judging, 'testset');
    const set = sets.find((each) => readText(each, '@name') === 'tests') ?? sets.at(-1);
    if (set === undefined) throw new UserError(`${place}: has no <testset>; expected a Polygon package`);
    const assets = elementIn(top, 'assets');
    return {
        inputFile: readText(judging, '@input-file'),
        outputFile: readText(judging, '@output-file'),
        testset: readTestset(set),
        checker: readProgram(elementIn(assets, 'checker')),
        interactor: readProgram(elementIn(assets, 'interactor')),
        solutions: listChildren(elementIn(assets, 'solutions'), 'solution').flatMap((solution) => {
            const program = readProgram(solution);
            return program === null ? [] : [{ ...program, tag: readText(solution, '@tag') }];
        }),
        executables: listChildren(elementIn(elementIn(top, 'files'), 'executables'), 'executable').flatMap(
            (executable) => readProgram(executable) ?? [],
        ),
        resources: listChildren(elementIn(elementIn(top, 'files'), 'resources'), 'file').map((resource) => ({
            path: readText(resource, '@path'),
            forSolutions: listChildren(elementIn(resource, 'assets'), 'asset').some(
                (asset) => readText(asset, '@name') === 'solution',
            ),
        })),
    };
}

function readTestset(set: Element): PolygonTestset {
    return {
        timeLimit: readNumber(readText(set, 'time-limit'), 1 / 1000),
        memoryLimit: readNumber(readText(set, 'memory-limit'), 1),
        inputPattern: readText(set, 'input-path-pattern') || 'tests/%02d',
        answerPattern: readText(set, 'answer-path-pattern') || 'tests/%02d.a',
        tests: listChildren(elementIn(set, 'tests'), 'test').map((test) => ({
            command:
                readText(test, '@method') === 'generated' ? decodeEntities(readText(test, '@cmd')) : null,
            isFromFile: readText(test, '@from-file') !== '',
            points: readNumber(readText(test, '@points'), 1) ?? 0,
            group: readText(test, '@group') || null,
        })),
        groups: listChildren(elementIn(set, 'groups'), 'group').map((group) => ({
            name: readText(group, '@name'),
            points: readNumber(readText(group, '@points'), 1),
            policy: readText(group, '@points-policy') === 'each-test' ? 'each-test' : 'complete-group',
            dependencies: listChildren(elementIn(group, 'dependencies'), 'dependency').map((each) =>
                readText(each, '@group'),
            ),
        })),
    };
}

function readProgram(element: Element): PolygonProgram | null {
    const source = elementIn(element, 'source');
    const path = readText(source, '@path');
    return path === '' ? null : { path, type: readText(source, '@type') };
}

function isElement(value: unknown): value is Element {
    return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** Empty if there is no such element. */
function elementIn(parent: unknown, name: string): Element {
    return listChildren(isElement(parent) ? parent : {}, name)[0] ?? {};
}

function listChildren(parent: Element, name: string): Element[] {
    const value = parent[name];
    const list: readonly unknown[] = Array.isArray(value) ? value : [value];
    // An element without attributes and children is parsed as a string.
    return list.flatMap((item) => (isElement(item) ? [item] : typeof item === 'string' ? [{}] : []));
}

function readText(parent: Element, name: string): string {
    const value = parent[name];
    const text = isElement(value) ? value['#text'] : value;
    return typeof text === 'string' ? text.trim() : '';
}

/** Decodes XML's predefined entities and numeric references; entities that the file itself declares are not needed here. */
function decodeEntities(text: string): string {
    return text.replace(
        /&(?:(lt|gt|amp|quot|apos)|#(\d{1,7})|#x([\da-fA-F]{1,6}));/g,
        (all, name, decimal, hex) => {
            if (name !== undefined) return ENTITIES[name as string] ?? all;
            const code = decimal === undefined ? Number.parseInt(hex, 16) : Number(decimal);
            return code > 0 && code <= 0x10ffff ? String.fromCodePoint(code) : all;
        },
    );
}

const ENTITIES: Readonly<Record<string, string>> = { lt: '<', gt: '>', amp: '&', quot: '"', apos: "'" };

/** A positive number times `unit`; null for anything else. */
function readNumber(text: string, unit: number): number | null {
    const value = Number(text) * unit;
    return text !== '' && Number.isFinite(value) && value > 0 ? value : null;
}
