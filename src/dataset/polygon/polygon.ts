import { readFile, realpath } from 'node:fs/promises';
import type { Checker, CheckerProgram, ProgramInput, Sample } from '../../model/sample.js';
import { readNamedFiles } from '../../model/named-files.js';
import type { TestScoring } from '../../model/scoring.js';
import { PROGRAM_VERDICTS, type Verdict } from '../../model/verdict.js';
import { UserError } from '../../util/user-error.js';
import type { ProblemPackage } from '../kattis/package.js';
import { listPackage, fingerprintPackage, type PackageFile } from '../kattis/package-files.js';
import { type LoadOptions, packageFormat } from '../package-dataset.js';
import { findPolygonLanguage, findHeaders, sourceFile } from './polygon-programs.js';
import { readPolygonScoring, scoreByChecker } from './polygon-scoring.js';
import { PolygonTests } from './polygon-tests.js';
import {
    type PolygonProblem,
    type PolygonProgram,
    type PolygonSolution,
    readProblemXml,
} from './problem-xml.js';

/** Packages as downloaded from Polygon: problem.xml, tests, files, solutions. */
export const polygon = packageFormat({
    format: 'polygon',
    manifest: 'problem.xml',
    version: 1,
    async find(folder, place, { bounds }) {
        await realpath(folder);
        const files = await listPackage(folder, bounds, ROOTS);
        return { folder, place, files, script: null, fingerprint: fingerprintPackage(files) };
    },
    async countTasks(found) {
        const solutions = findKnownTally(await readPackage(found));
        const solution = solutions.filter(({ tag }) => GOOD_TAGS.has(tag)).length;
        return { solution, incorrect: solutions.length - solution, hasSamplesAlone: false };
    },
    load: loadPackage,
});

/** The parts of a package that are read; statements and scripts are not among them. */
const ROOTS = ['problem.xml', 'files', 'pretests', 'solutions', 'tests'];

const CRASHED: readonly Verdict[] = ['RuntimeError', 'MemoryLimitExceeded', 'OutputLimitExceeded'];
const REJECTED = PROGRAM_VERDICTS.filter((verdict) => verdict !== 'Accepted');

/** Expected verdicts by the tags of solutions. */
const TAGS: Readonly<Record<string, readonly Verdict[]>> = {
    main: ['Accepted'],
    accepted: ['Accepted'],
    rejected: REJECTED,
    failed: REJECTED,
    'wrong-answer': ['WrongAnswer'],
    'presentation-error': ['WrongAnswer'],
    'memory-limit-exceeded': CRASHED,
    'time-limit-exceeded': ['TimeLimitExceeded'],
    'time-limit-exceeded-or-accepted': ['Accepted', 'TimeLimitExceeded'],
    'time-limit-exceeded-or-memory-limit-exceeded': ['TimeLimitExceeded', ...CRASHED],
};
const GOOD_TAGS: ReadonlySet<string> = new Set(['main', 'accepted']);

/** Solutions whose tag states an expectation, sorted by name; `do-not-run` and similar tags do not. */
const findKnownTally = ({ solutions }: PolygonProblem): PolygonSolution[] =>
    solutions
        .filter(({ tag }) => Object.hasOwn(TAGS, tag))
        .sort((a, b) => (a.path < b.path ? -1 : a.path > b.path ? 1 : 0));

function readPackage(found: ProblemPackage): Promise<PolygonProblem> {
    const file = found.files.find(({ name }) => name === 'problem.xml');
    const place = `${found.place}/problem.xml`;
    if (file === undefined) throw new UserError(`${place}: no longer exists`);
    return readProblemXml(file, place);
}

async function loadPackage(found: ProblemPackage, id: string, { maker }: LoadOptions): Promise<Sample> {
    const problem = await readPackage(found);
    const files = new Map(found.files.map((file) => [file.name, file]));
    const { testset } = problem;
    const scoring =
        readPolygonScoring(testset) ??
        ((await givesPoints(problem.checker, files)) ? scoreByChecker(testset) : null);
    const tests = await new PolygonTests(problem, files).load(found.place, maker);
    const checker = await loadJudge(problem.checker, problem, files);
    const interactor = await loadJudge(problem.interactor, problem, files);
    const solutions = await Promise.all(
        findKnownTally(problem).map((each) => loadSolution(each, problem, files, scoring)),
    );
    const namedFiles = readNamedFiles(problem.inputFile, problem.outputFile);
    const skip =
        (namedFiles !== null && 'skip' in namedFiles ? namedFiles.skip : null) ??
        (namedFiles !== null && interactor !== null ? TALKS_BY_FILES : null) ??
        (typeof tests === 'string' ? tests : null) ??
        [checker, interactor].find((each) => typeof each === 'string') ??
        null;
    return {
        id,
        origin: found.place,
        groups: {
            solution: solutions.flatMap(({ isGood, input }) => (isGood ? [input] : [])),
            incorrect_solution: solutions.flatMap(({ isGood, input }) => (isGood ? [] : [input])),
        },
        judging: {
            tests: typeof tests === 'string' ? [] : tests,
            checker: isProgram(checker) ? checker : TOKENS,
            isFormatChecker: false,
            limits: { time: testset.timeLimit, memory: testset.memoryLimit, output: null },
            limitPolicy: 'own',
            computedLimit: null,
            ...(isProgram(interactor) ? { interactive: true, interactor } : {}),
            ...(scoring === null ? {} : { scoring }),
            ...(namedFiles === null || 'skip' in namedFiles ? {} : { namedFiles }),
        },
        skip: typeof skip === 'string' ? skip : null,
    };
}

const TOKENS: Checker = { kind: 'tokens' };

const isProgram = (loaded: CheckerProgram | string | null): loaded is CheckerProgram =>
    loaded !== null && typeof loaded !== 'string';

const TALKS_BY_FILES = 'its programs are to talk to an interactor by named files';

/** Checker or interactor with the package's headers, including testlib.h; a string with the reason if it cannot be used. */
async function loadJudge(
    program: PolygonProgram | null,
    { resources }: PolygonProblem,
    files: ReadonlyMap<string, PackageFile>,
): Promise<CheckerProgram | string | null> {
    if (program === null) return null;
    const main = files.get(program.path);
    if (main === undefined) return `its ${program.path} is missing`;
    const headers = findHeaders(resources, files);
    const refused = [main, ...headers].find((file) => file.refused !== null);
    if (refused !== undefined) return `its ${refused.name} cannot be read: ${refused.refused}`;
    return {
        kind: 'program',
        convention: 'testlib',
        language: findPolygonLanguage(program),
        files: [await sourceFile(main), ...(await Promise.all(headers.map(sourceFile)))],
        flags: [],
        time: null,
        memory: null,
    };
}

/** Whether a checker may assign points instead of a verdict. */
async function givesPoints(
    checker: PolygonProgram | null,
    files: ReadonlyMap<string, PackageFile>,
): Promise<boolean> {
    const file = checker === null ? undefined : files.get(checker.path);
    if (file === undefined || file.refused !== null || file.size > MAX_SEARCHED_BYTES) return false;
    const code = (await readFile(file.path, 'utf8')).replace(/\/\/.*|\/\*[^]*?\*\//g, '');
    return /\b(?:quitpi?\s*\(|_points\b)/.test(code);
}

/** In bytes. No checker written by people is larger. */
const MAX_SEARCHED_BYTES = 1024 ** 2;

interface LoadedSolution {
    readonly isGood: boolean;
    readonly input: ProgramInput;
}

async function loadSolution(
    solution: PolygonSolution,
    { resources }: PolygonProblem,
    files: ReadonlyMap<string, PackageFile>,
    scoring: TestScoring | null,
): Promise<LoadedSolution> {
    const beside = resources.filter(({ forSolutions }) => forSolutions).map(({ path }) => path);
    const found = [solution.path, ...beside].map((path) => files.get(path));
    const usable = found.filter((file) => file !== undefined && file.refused === null);
    const sources = await Promise.all(usable.map((file) => sourceFile(file as PackageFile)));
    const [main, ...rest] = sources;
    const expected = TAGS[solution.tag] ?? REJECTED;
    const isVague = scoring !== null && expected.length > 2;
    return {
        isGood: GOOD_TAGS.has(solution.tag),
        input: {
            kind: 'program',
            language: findPolygonLanguage(solution) ?? 'UNKNOWN',
            files: [main ?? { name: solution.path, content: { text: '', digest: '' } }, ...rest],
            expected: isVague ? [...expected, 'PartiallyAccepted'] : expected,
            name: solution.path,
            ...(usable.length < found.length
                ? { skip: `${solution.path} or a file that it needs is missing` }
                : {}),
        },
    };
}
