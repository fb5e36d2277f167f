import type { Content, SourceFile } from './content.js';
import type { Json, JsonObject } from './json.js';
import type { LimitPolicy, OwnLimits } from './limits.js';
import type { NamedFiles } from './named-files.js';
import { readOnSamples } from './sample-tests.js';
import type { ExpectedScore, TestScoring } from './scoring.js';
import type { Verdict } from './verdict.js';

export type { Content, SourceFile } from './content.js';

/**
 * One unit of a dataset, loaded: it becomes one result file. Loaded for as long as tasks of it run, never longer.
 */
export interface Sample {
    readonly id: string;
    /** Where it stands, for messages: `problems.jsonl:12`, `packages/hello`. */
    readonly origin: string;
    /** Groups in the order of their keys in the result file; position in a list is the task's `index`. */
    readonly groups: Readonly<Record<string, readonly TaskInput[]>>;
    /** How programs of this sample are judged; null for samples whose tasks are not programs. */
    readonly judging: Judging | null;
    /** Why none of its tasks can run (an interactive problem, a function-call task); null if they can. */
    readonly skip: string | null;
}

export type TaskInput = ProgramInput | DataInput;

/** A submission: a program to be judged. */
export interface ProgramInput {
    readonly kind: 'program';
    /** Upper-case tag as in result files: PYTHON (2), PYTHON3, CPP, C, JAVA, ...; what no table knows is skipped with a reason. */
    readonly language: string;
    /** How the dataset spells a language that no table knows, for messages; absent for others. */
    readonly unknownName?: string;
    /** Tag of the toolchain that runs it on this machine where it is found; without it, and without this, that of `language`. */
    readonly preferred?: string;
    /** One file, or a folder of them; the first is the main one. */
    readonly files: readonly [SourceFile, ...SourceFile[]];
    /** Verdicts that the dataset expects of it (packages say so); null means: what its group implies. */
    readonly expected: readonly Verdict[] | null;
    /** Scores that the dataset expects of it; absent: none. */
    readonly expectedScores?: readonly ExpectedScore[];
    /** A name that people know it by (`submissions/accepted/fast.cpp`), if it has one. */
    readonly name: string | null;
    /** Why this one cannot run, by the dataset's own facts (an unknown language); absent if it can. */
    readonly skip?: string;
}

/** A task that is not a program: any JSON, handed to a command or a module. */
export interface DataInput {
    readonly kind: 'data';
    readonly data: Json;
    /** `data` as JSON whose numbers are as the dataset writes them; absent where `JSON.stringify(data)` is the same. */
    readonly text?: string;
    /** True for a row of a list, whose fields a command may name (`{url}`). Not in the fingerprint. */
    readonly isRow?: true;
    /** Where it lies in an evaluation matrix: fields of its record in the results database. Not in the fingerprint. */
    readonly cell?: JsonObject;
    /** Why this one need not run; absent if it must. A result that is there stays. Not in the fingerprint. */
    readonly skip?: string;
}

export interface TestCase {
    /** `public-1`, `secret/02-big`: for people. */
    readonly name: string;
    readonly input: Content;
    readonly output: Content;
    /** Flags of the checker for this test alone, after the checker's own `flags` (problem packages set them by folder). */
    readonly checkerFlags: readonly string[] | null;
    /** Command-line arguments of the program; absent: none. */
    readonly args?: readonly string[];
    /** Files that the program finds in its working directory; absent: none. */
    readonly files?: readonly SourceFile[];
    /** Set where the static validator judges the submission's source, and nothing is run: the validator's arguments. */
    readonly staticFlags?: readonly string[];
}

export interface Judging {
    readonly tests: readonly TestCase[];
    readonly checker: Checker;
    /** How tests are scored; absent: a submission passes all tests, or fails. */
    readonly scoring?: TestScoring;
    /** True where `checker` talks to the program while both run. */
    readonly interactive?: true;
    /** Talks to the program in the validator's place, by testlib's convention; `checker` then judges what it wrote down. */
    readonly interactor?: CheckerProgram;
    /** Most times that a program runs for one test, where the validator may ask for another pass; absent: once. */
    readonly passes?: number;
    /** Judges the source of submissions, in tests with `staticFlags`. */
    readonly staticValidator?: CheckerProgram;
    /** Absent: programs use stdin and stdout. */
    readonly namedFiles?: NamedFiles;
    /** True where the sample names no checker, so that `checker` is the comparison of its format. */
    readonly isFormatChecker: boolean;
    readonly limits: OwnLimits;
    /** What `--limits` means when it is not given; by format. */
    readonly limitPolicy: LimitPolicy;
    /** Set where a package states no limit: it is computed from the accepted group. See result-files, `computed_limits`. */
    readonly computedLimit: ComputedLimitRule | null;
}

/** limit = max(`atLeast`, `multiplier` x the slowest accepted run of `group`), rounded up to a multiple of `resolution`; seconds. */
export interface ComputedLimitRule {
    readonly group: string;
    readonly multiplier: number;
    readonly atLeast: number;
    readonly resolution: number;
}

/** How output is compared with the expected one. Plain data: it crosses to workers and into fingerprints. */
export type Checker =
    /** Whitespace-separated tokens, compared exactly; integers of any size. */
    | { readonly kind: 'tokens' }
    /** Lines, trailing white space ignored, and empty lines at the end. */
    | { readonly kind: 'lines' }
    /** Bytes. */
    | { readonly kind: 'exact' }
    /** Tokens; where both are numbers they may differ by `absolute` or (if given) relatively by `relative`: either suffices. */
    | { readonly kind: 'float'; readonly absolute: number; readonly relative: number | null }
    /** The default validator of problem packages, with its flags. */
    | { readonly kind: 'kattis'; readonly flags: readonly string[] }
    /** As the tester published with code_contests. */
    | { readonly kind: 'codecontests' }
    /** As SandboxFusion's CommonOJ. */
    | { readonly kind: 'sandboxfusion' }
    /** As Judge0. */
    | { readonly kind: 'judge0' }
    /** As the graders published with APPS and TACO. */
    | { readonly kind: 'apps' }
    /** As LiveCodeBench grades programs that read stdin. */
    | { readonly kind: 'livecodebench' }
    /** What called functions return; see dataset/calls. */
    | { readonly kind: 'calls' }
    | CheckerProgram;

/** A checker that compares by itself: every kind but a program. */
export type BuiltInChecker = Exclude<Checker, { readonly kind: 'program' }>;

/** A program that decides: testlib (`checker in out ans`) or Kattis (`validator in ans feedbackdir flags < out`) convention. */
export interface CheckerProgram {
    readonly kind: 'program';
    readonly convention: 'testlib' | 'kattis';
    /** Language tag; null: recognised by the main file's name. */
    readonly language: string | null;
    readonly files: readonly [SourceFile, ...SourceFile[]];
    readonly flags: readonly string[];
    /** Seconds; null: the executor's default. */
    readonly time: number | null;
    /** Bytes; null: the executor's default. */
    readonly memory: number | null;
    /** Bytes that it may print, and leave in its feedback folder, where that is more than the executor's default; absent: no more. */
    readonly output?: number;
    /** Validators that must accept as well, each with its own flags; absent: none. */
    readonly also?: readonly CheckerProgram[];
}

/** `expected` of a program whose dataset names none. */
export function chooseExpected(group: string, named: readonly Verdict[] | null): readonly Verdict[] | null {
    if (named !== null) return named;
    switch (readOnSamples(group) ?? group) {
        case 'solution':
            return ['Accepted'];
        case 'incorrect_solution':
            return [
                'PartiallyAccepted',
                'WrongAnswer',
                'TimeLimitExceeded',
                'MemoryLimitExceeded',
                'OutputLimitExceeded',
                'RuntimeError',
                'CompileError',
            ];
        default:
            return null;
    }
}

/**
 * A sample written to scratch files for workers: they get paths, and programs get tests as stdin.
 * `StagedSample` is the JSON of `<stage>/sample.json`; all paths in it are absolute.
 */
export interface StagedSample {
    readonly id: string;
    readonly tests: readonly StagedTest[];
    readonly checker: Checker;
    readonly scoring?: TestScoring;
    readonly interactive?: true;
    readonly interactor?: CheckerProgram;
    readonly passes?: number;
    readonly staticValidator?: CheckerProgram;
    readonly namedFiles?: NamedFiles;
}

export interface StagedTest {
    readonly name: string;
    /** Path of the test's stdin. */
    readonly input: string;
    /** Path of the expected output. */
    readonly answer: string;
    readonly checkerFlags: readonly string[] | null;
    readonly args?: readonly string[];
    readonly files?: readonly SourceFile[];
    readonly staticFlags?: readonly string[];
}

/** A sample on disk, for as long as its tasks run. */
export interface Stage {
    /** Absolute folder; holds `sample.json`, a `StagedSample`. */
    readonly path: string;
    /** The last one to release a sample removes its folder. Calling it again does nothing. */
    release(): Promise<void>;
}

/** The group of the rows of a list: each of its tasks asks something of its own. */
export const LIST_GROUP = 'main';
