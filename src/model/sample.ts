import type { Content, SourceFile } from './content.js';
import type { Json, JsonObject } from './json.js';
import type { LimitPolicy, OwnLimits } from './limits.js';
import type { NamedFiles } from './named-files.js';
import { readOnSamples } from './sample-tests.js';
import type { ExpectedScore, TestScoring } from './scoring.js';
import type { Verdict } from './verdict.js';

export type { Content, SourceFile } from './content.js';

/** One unit of a dataset, loaded: it becomes one result file. It stays loaded only while tasks of it run. */
export interface Sample {
    readonly id: string;
    /** Where it stands, for messages: `problems.jsonl:12`, `packages/hello`. */
    readonly origin: string;
    /** Groups in the order of their keys in the result file; a task's `index` is its position in the list. */
    readonly groups: Readonly<Record<string, readonly TaskInput[]>>;
    /** How programs of this sample are judged; null if its tasks are not programs. */
    readonly judging: Judging | null;
    /** Why none of its tasks can run (an interactive problem, a function-call task); null if they can. */
    readonly skip: string | null;
}

export type TaskInput = ProgramInput | DataInput;

/** A submission: a program to be judged. */
export interface ProgramInput {
    readonly kind: 'program';
    /** Upper-case tag as in result files: PYTHON (2), PYTHON3, CPP, C, JAVA, ...; unknown ones are skipped with a reason. */
    readonly language: string;
    /** The dataset's own name for an unknown language, for messages; absent for known ones. */
    readonly unknownName?: string;
    /** Tag of the toolchain that runs it on this machine if installed; otherwise, or if absent, that of `language`. */
    readonly preferred?: string;
    /** One file, or a folder of them; the first is the main one. */
    readonly files: readonly [SourceFile, ...SourceFile[]];
    /** Verdicts that the dataset expects of it (packages state them); null: those that its group implies. */
    readonly expected: readonly Verdict[] | null;
    /** Scores that the dataset expects of it; absent: none. */
    readonly expectedScores?: readonly ExpectedScore[];
    /** Its name for users (`submissions/accepted/fast.cpp`), if it has one. */
    readonly name: string | null;
    /** Why it cannot run, according to the dataset (an unknown language); absent if it can. */
    readonly skip?: string;
}

/** A task that is not a program: any JSON, handed to a command or a module. */
export interface DataInput {
    readonly kind: 'data';
    readonly data: Json;
    /** `data` as JSON with numbers as the dataset writes them; absent if `JSON.stringify(data)` is the same. */
    readonly text?: string;
    /** True for a row of a list, whose fields a command may name (`{url}`). Not in the fingerprint. */
    readonly isRow?: true;
    /** Its position in an evaluation matrix: fields of its record in the results database. Not in the fingerprint. */
    readonly cell?: JsonObject;
    /** Why it need not run; absent if it must. An existing result stays. Not in the fingerprint. */
    readonly skip?: string;
}

export interface TestCase {
    /** `public-1`, `secret/02-big`: for display. */
    readonly name: string;
    readonly input: Content;
    readonly output: Content;
    /** Flags of the checker for this test only, added to the checker's own `flags` (problem packages set them by folder). */
    readonly checkerFlags: readonly string[] | null;
    /** Command-line arguments of the program; absent: none. */
    readonly args?: readonly string[];
    /** Files that the program finds in its working directory; absent: none. */
    readonly files?: readonly SourceFile[];
    /** Set if the static validator judges the submission's source and nothing is run: the validator's arguments. */
    readonly staticFlags?: readonly string[];
}

export interface Judging {
    readonly tests: readonly TestCase[];
    readonly checker: Checker;
    /** How tests are scored; absent: a submission passes all tests, or fails. */
    readonly scoring?: TestScoring;
    /** True if `checker` talks to the program while both run. */
    readonly interactive?: true;
    /**
     * Talks to the program instead of the validator, by testlib's convention; `checker` then judges what the interactor wrote.
     */
    readonly interactor?: CheckerProgram;
    /** Maximum number of times that a program runs for one test, if the validator may ask for another pass; absent: once. */
    readonly passes?: number;
    /** Judges the source of submissions, in tests with `staticFlags`. */
    readonly staticValidator?: CheckerProgram;
    /** Absent: programs use stdin and stdout. */
    readonly namedFiles?: NamedFiles;
    /** True if the sample names no checker, so that `checker` is the default comparison of its format. */
    readonly isFormatChecker: boolean;
    readonly limits: OwnLimits;
    /** The default of `--limits`, by format. */
    readonly limitPolicy: LimitPolicy;
    /**
     * Set if a package states no limit: it is computed from the accepted group. See `computed_limits` in docs/result-files.md.
     */
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
    /** Lines, ignoring trailing white space and empty lines at the end. */
    | { readonly kind: 'lines' }
    /** Bytes. */
    | { readonly kind: 'exact' }
    /** Tokens; if both are numbers they may differ by `absolute` or (if given) relatively by `relative`: either suffices. */
    | { readonly kind: 'float'; readonly absolute: number; readonly relative: number | null }
    /** The default validator of problem packages, with its flags. */
    | { readonly kind: 'kattis'; readonly flags: readonly string[] }
    /** Like the tester published with code_contests. */
    | { readonly kind: 'codecontests' }
    /** As SandboxFusion's CommonOJ. */
    | { readonly kind: 'sandboxfusion' }
    /** As Judge0. */
    | { readonly kind: 'judge0' }
    /** Like the graders published with APPS and TACO. */
    | { readonly kind: 'apps' }
    /** Like LiveCodeBench's grader for programs that read stdin. */
    | { readonly kind: 'livecodebench' }
    /** Return values of called functions; see dataset/calls. */
    | { readonly kind: 'calls' }
    | CheckerProgram;

/** A checker that this program implements itself: every kind but a program. */
export type BuiltInChecker = Exclude<Checker, { readonly kind: 'program' }>;

/** A program that decides: testlib (`checker in out ans`) or Kattis (`validator in ans feedbackdir flags < out`) convention. */
export interface CheckerProgram {
    readonly kind: 'program';
    readonly convention: 'testlib' | 'kattis';
    /** Language tag; null: detected from the main file's name. */
    readonly language: string | null;
    readonly files: readonly [SourceFile, ...SourceFile[]];
    readonly flags: readonly string[];
    /** Seconds; null: the executor's default. */
    readonly time: number | null;
    /** Bytes; null: the executor's default. */
    readonly memory: number | null;
    /** Bytes that it may print, and leave in its feedback folder, if more than the executor's default; absent: the default. */
    readonly output?: number;
    /** Further validators that must accept too, each with its own flags; absent: none. */
    readonly also?: readonly CheckerProgram[];
}

/** The `expected` verdicts of a program whose dataset names none. */
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
 * A sample written to scratch files for workers: they receive paths, and programs receive tests as stdin. `StagedSample` is the
 * JSON of `<stage>/sample.json`; all its paths are absolute.
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

/** A sample on disk, which exists as long as its tasks run. */
export interface Stage {
    /** Absolute folder; holds `sample.json`, a `StagedSample`. */
    readonly path: string;
    /** The last release of a sample removes its folder. Further calls do nothing. */
    release(): Promise<void>;
}

/** The group of the rows of a list: each of its tasks has an input of its own. */
export const LIST_GROUP = 'main';
