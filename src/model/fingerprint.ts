import { hash } from 'node:crypto';
import { canonicalizeExactJson, losesNumbers, parseExactJson } from './exact-json.js';
import type { Json } from './json.js';
import type {
    Checker,
    Content,
    DataInput,
    Judging,
    ProgramInput,
    Sample,
    TaskInput,
    TestCase,
} from './sample.js';
import type { TestScoring } from './scoring.js';

/*
 * Fingerprints, version 1. test/model/fingerprint.test.ts pins them with golden vectors.
 *
 *   text(x)     = JSON.stringify(x) of nested arrays of strings, UTF-8
 *   digest(b)   = SHA-256 of bytes, hex
 *   tests       = digest(text(["v1", "tests", [[input digest, output digest, ...checker flags], ...]]))
 *   checker     = digest(text(["v1", "checker", kind, ...settings in the order of the type, files as [name, digest]]))
 *   program     = digest(text(["v1", "program", language, [[name, digest], ...], tests, checker]))
 *               | digest(text(["v2", "program", language, [[name, digest], ...], judging]))
 *   judging     = digest(text(["v2", "judging", tests, checker, ["scoring", rules]?, ["interactive"]?, ["interactor", checker]?, ["passes", n]?,
 *                 ["given", [[[argument, ...], [[name, digest], ...]], ...]]?, ["static", checker, ["none" | [flag, ...], ...]]?,
 *                 ["named", input, output]?]))
 *   rules       = canonical JSON of groups and their rules, the grader's files as digests
 *   data        = digest(text(["v1", "data", executor identity, canonical JSON of the data]))
 *               | digest(text(["v1", "data-v2", executor identity, canonical JSON of the data with exact decimals]))
 *   fingerprint = "v1-sha256-" + digest
 *
 * `v2` stands only for problems with scores, interactive and multi-pass ones, those whose tests give programs arguments or
 * files, those with a static validator, and those whose programs use named files; all others keep `v1`. `given` and `static` have an item for each test.
 *
 * A submission of one file has the name "" (renaming it changes nothing); several files are sorted by name after the main one.
 * Canonical JSON has its keys sorted by UTF-16 code unit. `data-v2` stands only where a number of the data is lost in a
 * double (9007199254740993, 1e400); its numbers are written as `exactDecimal` does. Limits, toolchains, worker counts and paths are not in it.
 */

const PREFIX = 'v1-sha256-';

/** SHA-256 of bytes (a string counts as UTF-8), hex. */
export function digest(content: string | Uint8Array): string {
    return hash('sha256', content);
}

export function makeTextContent(text: string): Content {
    return { text, digest: digest(text) };
}

type Nested = string | readonly Nested[];

const digestNested = (value: Nested): string => digest(JSON.stringify(value));

const digestNamedFiles = (files: readonly { readonly name: string; readonly content: Content }[]): Nested =>
    files.map((file) => [files.length === 1 ? '' : file.name, file.content.digest]);

/** JSON with sorted keys: the same data gives the same text, however it was written. */
export function canonicalizeJson(value: Json): string {
    if (value === null || typeof value !== 'object') return JSON.stringify(value);
    if (Array.isArray(value)) return `[${(value as readonly Json[]).map(canonicalizeJson).join(',')}]`;
    const object = value as { readonly [key: string]: Json };
    const parts = Object.keys(object)
        .sort()
        .map((key) => `${JSON.stringify(key)}:${canonicalizeJson(object[key] as Json)}`);
    return `{${parts.join(',')}}`;
}

export function digestChecker(checker: Checker): string {
    return digestNested(['v1', 'checker', checker.kind, ...listCheckerSettings(checker)]);
}

function listCheckerSettings(checker: Checker): Nested[] {
    switch (checker.kind) {
        case 'tokens':
        case 'lines':
        case 'exact':
        case 'codecontests':
        case 'sandboxfusion':
        case 'judge0':
        case 'apps':
        case 'livecodebench':
        case 'calls':
            return [];
        case 'float':
            return [String(checker.absolute), String(checker.relative)];
        case 'kattis':
            return [checker.flags];
        case 'program':
            return [
                checker.convention,
                checker.language ?? '',
                digestNamedFiles(checker.files),
                checker.flags,
                ...(checker.also === undefined ? [] : [checker.also.map(digestChecker)]),
            ];
    }
}

function digestTests(judging: Judging): string {
    const tests = judging.tests.map((test) => [
        test.input.digest,
        test.output.digest,
        ...(test.checkerFlags ?? []),
    ]);
    return digestNested(['v1', 'tests', tests]);
}

/**
 * Fingerprints of every task of a sample, by group.
 * @param executorIdentity what performs a `data` task: an argv template, or a module's relative path and export
 */
export function fingerprintSample(
    sample: Sample,
    executorIdentity: string,
): Record<string, readonly string[]> {
    const judged = sample.judging === null ? null : digestJudging(sample.judging);
    const result: Record<string, readonly string[]> = Object.create(null) as Record<
        string,
        readonly string[]
    >;
    for (const [group, inputs] of Object.entries(sample.groups)) {
        result[group] = inputs.map((input) => PREFIX + digestInput(input, judged, executorIdentity));
    }
    return result;
}

/** The parts of a program's fingerprint that describe how it is judged: the version, and what comes last. */
interface JudgedDigests {
    readonly version: 'v1' | 'v2';
    readonly parts: readonly string[];
}

function digestJudging(judging: Judging): JudgedDigests {
    const parts = [digestTests(judging), digestChecker(judging.checker)];
    const { scoring, interactive, interactor, passes, staticValidator, namedFiles, tests } = judging;
    const rules: Nested[] = [];
    if (scoring !== undefined) rules.push(['scoring', formatScoring(scoring)]);
    if (interactive !== undefined) rules.push(['interactive']);
    if (interactor !== undefined) rules.push(['interactor', digestChecker(interactor)]);
    if (passes !== undefined) rules.push(['passes', String(passes)]);
    if (tests.some(({ args, files }) => args !== undefined || files !== undefined))
        rules.push(['given', tests.map(({ args = [], files = [] }) => [args, digestTestFiles(files)])]);
    if (staticValidator !== undefined) {
        const flags = tests.map(({ staticFlags }) => staticFlags ?? 'none');
        rules.push(['static', digestChecker(staticValidator), flags]);
    }
    if (namedFiles !== undefined) rules.push(['named', namedFiles.input ?? '', namedFiles.output ?? '']);
    if (rules.length === 0) return { version: 'v1', parts };
    return { version: 'v2', parts: [digestNested(['v2', 'judging', ...parts, ...rules])] };
}

const digestTestFiles = (files: NonNullable<TestCase['files']>): Nested =>
    files.map(({ name, content }) => [name, content.digest]);

/** Rules as one text; the grader's files are represented by their digests, wherever they are. */
function formatScoring({ grader, ...rules }: TestScoring): string {
    const program =
        grader === null
            ? null
            : { language: grader.language, files: JSON.stringify(digestNamedFiles(grader.files)) };
    return canonicalizeJson(JSON.parse(JSON.stringify({ ...rules, grader: program })) as Json);
}

function digestInput(input: TaskInput, judged: JudgedDigests | null, executorIdentity: string): string {
    switch (input.kind) {
        case 'data':
            return digestData(input, executorIdentity);
        case 'program':
            return digestProgram(input, judged ?? { version: 'v1', parts: ['', ''] });
    }
}

function digestData({ data, text }: DataInput, executorIdentity: string): string {
    const exact = text === undefined ? null : parseExactJson(text);
    return exact === null || !losesNumbers(exact)
        ? digestRounded(data, executorIdentity)
        : digestNested(['v1', 'data-v2', executorIdentity, canonicalizeExactJson(exact)]);
}

const digestRounded = (data: Json, executorIdentity: string): string =>
    digestNested(['v1', 'data', executorIdentity, canonicalizeJson(data)]);

/**
 * The fingerprint that 0.1 gave to a task whose numbers it rounded: its entry was made from another input. Null if nothing was
 * lost, so that the fingerprint is the same.
 */
export function fingerprintRounded(input: TaskInput, executorIdentity: string): string | null {
    if (input.kind !== 'data' || input.text === undefined) return null;
    if (!losesNumbers(parseExactJson(input.text))) return null;
    return PREFIX + digestRounded(input.data, executorIdentity);
}

function digestProgram(input: ProgramInput, { version, parts }: JudgedDigests): string {
    const [main, ...rest] = input.files;
    const files = [main, ...rest.sort((a, b) => (a.name < b.name ? -1 : a.name > b.name ? 1 : 0))];
    return digestNested([version, 'program', input.language, digestNamedFiles(files), ...parts]);
}
