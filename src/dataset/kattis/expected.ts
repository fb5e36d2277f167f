import picomatch from 'picomatch';
import type { ExpectedScore } from '../../model/scoring.js';
import { PROGRAM_VERDICTS, type Verdict } from '../../model/verdict.js';
import type { Field } from '../field.js';

/*
 * What a package expects of a submission. The format knows four verdicts. Its tools count a program that uses too much memory or
 * prints too much as crashed, so both verdicts match where a run-time error is expected.
 */

const CRASHED = ['RuntimeError', 'MemoryLimitExceeded', 'OutputLimitExceeded'] as const satisfies Verdict[];
const REJECTED = PROGRAM_VERDICTS.filter((verdict) => verdict !== 'Accepted');

/** Folders of submissions/: those that the format defines, and others found in real packages. */
const FOLDERS: Readonly<Record<string, readonly Verdict[]>> = {
    accepted: ['Accepted'],
    brute_force: ['TimeLimitExceeded', ...CRASHED],
    compile_error: ['CompileError'],
    compiler_error: ['CompileError'],
    memory_limit_exceeded: CRASHED,
    output_limit_exceeded: ['OutputLimitExceeded'],
    partially_accepted: REJECTED,
    rejected: REJECTED,
    run_time_error: CRASHED,
    runtime_error: CRASHED,
    slow_accepted: ['Accepted', 'TimeLimitExceeded'],
    // A program that prints without end is stopped by whichever limit it reaches first.
    time_limit_exceeded: ['TimeLimitExceeded', 'OutputLimitExceeded'],
    wrong_answer: ['WrongAnswer'],
};
/** Folders whose submissions state what is expected of them; without such a statement, any verdict is fine. */
const OPEN_FOLDERS = new Set(['mixed', 'multiple']);
/** Folders that leave the verdict open: what their submissions state is more exact. */
const VAGUE_FOLDERS = new Set(['brute_force', 'partially_accepted', 'rejected', 'slow_accepted']);

/** Words of `@EXPECTED_RESULTS@:` comments, in upper case with `-` between words. */
const WORDS: Readonly<Record<string, readonly Verdict[]>> = {
    AC: ['Accepted'],
    ACCEPTED: ['Accepted'],
    CORRECT: ['Accepted'],
    CE: ['CompileError'],
    'COMPILE-ERROR': ['CompileError'],
    'COMPILER-ERROR': ['CompileError'],
    MLE: CRASHED,
    'MEMORY-LIMIT': CRASHED,
    'MEMORY-LIMIT-EXCEEDED': CRASHED,
    'NO-OUTPUT': ['WrongAnswer'],
    OLE: ['OutputLimitExceeded'],
    'OUTPUT-LIMIT': ['OutputLimitExceeded'],
    'OUTPUT-LIMIT-EXCEEDED': ['OutputLimitExceeded'],
    'PRESENTATION-ERROR': ['WrongAnswer'],
    RTE: CRASHED,
    'RUN-ERROR': CRASHED,
    'RUN-TIME-ERROR': CRASHED,
    'RUNTIME-ERROR': CRASHED,
    'TIME-LIMIT': ['TimeLimitExceeded'],
    'TIME-LIMIT-EXCEEDED': ['TimeLimitExceeded'],
    TIMELIMIT: ['TimeLimitExceeded'],
    'TIMELIMIT-EXCEEDED': ['TimeLimitExceeded'],
    TLE: ['TimeLimitExceeded'],
    WA: ['WrongAnswer'],
    'WRONG-ANSWER': ['WrongAnswer'],
};

/**
 * Verdicts that a source expects by `@EXPECTED_RESULTS@: A, B`; null without such a comment, or if none of its words are known.
 */
export function readAnnotatedVerdicts(text: string): readonly Verdict[] | null {
    const [, list] = /@EXPECTED_RESULTS@\s*:[ \t]*([^\r\n]*)/i.exec(text) ?? [];
    if (list === undefined) return null;
    const verdicts = list.split(',').flatMap((part) => {
        const [word = ''] = /^[A-Za-z_ -]*/.exec(part.trim()) ?? [];
        const key = word.trim().toUpperCase().replace(/[_ ]+/g, '-').replace(/-+$/, '');
        return Object.hasOwn(WORDS, key) ? (WORDS[key] ?? []) : [];
    });
    return verdicts.length === 0 ? null : inOrder(verdicts);
}

/** The score that a source expects by `@EXPECTED_SCORE@: 30`; null without such a comment. */
export function readAnnotatedScore(text: string): number | null {
    const [, score] = /@EXPECTED_SCORE@\s*:[ \t]*(-?\d+(?:\.\d+)?)/i.exec(text) ?? [];
    return score === undefined ? null : Number(score);
}

/**
 * Verdicts expected of a submission to a problem with scores. Comments and most folders name only acceptance or failures, whereas
 * a submission that scores less than the best is partially accepted. Every format separates verdict and score, so a submission
 * that is expected to be accepted and states no score need not reach the best one: problemtools only warns of that in
 * `accepted/`, and 2025-09 requires only accepted tests there.
 * @param best the best score; null if the problem sets none, so that a partial score cannot be told from a full one
 */
export function combineExpected(
    found: {
        readonly name: string;
        readonly expected: readonly Verdict[];
        readonly expectedScores: readonly ExpectedScore[];
    },
    { modern }: { readonly modern: boolean },
    best: number | null,
): readonly Verdict[] {
    const [, folder = ''] = found.name.split('/');
    const wanted = found.expectedScores.find(({ group }) => group === undefined);
    const inPart: readonly Verdict[] = ['PartiallyAccepted'];
    if (folder === 'partially_accepted') {
        if (wanted !== undefined) return [...PROGRAM_VERDICTS, ...inPart];
        if (modern) return [...inPart, ...REJECTED];
        return best === null ? ['Accepted', ...inPart] : inPart;
    }
    const isVague = VAGUE_FOLDERS.has(folder) || found.expected.length === PROGRAM_VERDICTS.length;
    const isLess = wanted !== undefined && best !== null && wanted.min < best;
    const isAnyScore = wanted === undefined && best !== null && found.expected.includes('Accepted');
    return isVague || isLess || isAnyScore ? [...found.expected, ...inPart] : found.expected;
}

/**
 * Verdicts expected of a submission by its folder and its comments; null if neither says anything (it is not a submission). In a
 * folder that names one verdict, a comment can only add others: one that contradicts the folder was left over from a copy.
 * Elsewhere the comment alone decides, as in BAPCtools.
 */
export function chooseExpectedByFolder(
    folder: string,
    comment: readonly Verdict[] | null,
): readonly Verdict[] | null {
    const byFolder = Object.hasOwn(FOLDERS, folder) ? (FOLDERS[folder] ?? null) : null;
    if (byFolder === null) return comment ?? (OPEN_FOLDERS.has(folder) ? PROGRAM_VERDICTS : null);
    if (VAGUE_FOLDERS.has(folder)) return comment ?? byFolder;
    const agrees = comment?.some((verdict) => byFolder.includes(verdict)) ?? false;
    return agrees ? inOrder([...byFolder, ...(comment ?? [])]) : byFolder;
}

const inOrder = (verdicts: readonly Verdict[]): Verdict[] =>
    PROGRAM_VERDICTS.filter((verdict) => verdicts.includes(verdict));

/** A rule of submissions.yaml that applies to a submission. */
interface Rule {
    readonly permitted: readonly Verdict[];
    readonly required: readonly Verdict[];
}

export interface SubmissionSettings {
    readonly language: string | null;
    readonly entrypoint: string | null;
    /** null if submissions.yaml expects nothing of it. */
    readonly expected: readonly Verdict[] | null;
    readonly scores: readonly ExpectedScore[];
}

/**
 * What submissions.yaml says about a submission.
 * @param name within submissions/, such as `accepted/fast.cpp`
 */
export function readSubmissionSettings(yaml: Field | null, name: string): SubmissionSettings {
    const matching = (yaml?.entries() ?? [])
        .filter(([pattern, value]) => value.present && matches(pattern, name))
        .map(([, value]) => value);
    const last = (key: string): string | null =>
        matching.map((each) => each.get(key).optionalString()).findLast((value) => value !== null) ?? null;
    const rules = matching.flatMap((each) => readRules(each));
    return {
        language: last('language'),
        entrypoint: last('entrypoint'),
        expected: rules.length === 0 ? null : verdictsUnder(rules),
        scores: matching.flatMap((each) => readScores(each)),
    };
}

/** A pattern matches a submission or a folder that contains it. `*` stays within a name; braces hold alternatives. */
function matches(pattern: string, name: string): boolean {
    if (pattern === '') return false;
    const isMatch = picomatch(pattern, { noglobstar: true, nobracket: true, noextglob: true });
    const parts = name.split('/');
    return parts.some((_, i) => isMatch(parts.slice(0, i + 1).join('/')));
}

/** The rule itself. Rules for some of the tests count only in one way: a required failure makes acceptance impossible. */
function readRules(rule: Field): Rule[] {
    const own = readRule(rule);
    const parts = rule
        .entries()
        .filter(([key, part]) => /^(sample|secret|\*)/.test(key) && typeof part.value === 'object')
        .map(([, part]) => readRule(part))
        .filter((part) => part !== null && !part.required.includes('Accepted'))
        .map(() => ({ permitted: PROGRAM_VERDICTS, required: REJECTED }));
    return own === null ? parts : [own, ...parts];
}

/** `score: 30` or `score: [10, 30]`, for the submission and for named groups. */
function readScores(rule: Field): ExpectedScore[] {
    const groups = rule
        .entries()
        .filter(([key, part]) => /^(sample|secret)\b[^*{]*$/.test(key) && typeof part.value === 'object')
        .flatMap(([group, part]) => readScore(part.get('score')).map((score) => ({ group, ...score })));
    return [...readScore(rule.get('score')), ...groups];
}

function readScore(field: Field): ExpectedScore[] {
    if (!field.present) return [];
    if (!Array.isArray(field.value)) return [{ min: field.number(), max: field.number() }];
    const [min, max] = field.list().map((each) => each.number());
    return min === undefined || max === undefined ? field.fail('a score, or two') : [{ min, max }];
}

function readRule(rule: Field): Rule | null {
    const [permitted, required] = [rule.get('permitted'), rule.get('required')];
    if (!permitted.present && !required.present) return null;
    return { permitted: readVerdicts(permitted), required: readVerdicts(required) };
}

function readVerdicts(field: Field): readonly Verdict[] {
    if (!field.present) return PROGRAM_VERDICTS;
    const words = Array.isArray(field.value) ? field.list() : [field];
    return words.flatMap((word) => {
        const key = word.string();
        return ['AC', 'WA', 'TLE', 'RTE'].includes(key)
            ? (WORDS[key] ?? [])
            : word.fail('one of AC, WA, TLE, RTE');
    });
}

/**
 * The verdicts that are possible if all tests obey the rules: a first failure, which every rule must permit; or acceptance, which
 * every rule must permit and no rule may exclude by requiring a failure.
 */
function verdictsUnder(rules: readonly Rule[]): Verdict[] {
    return PROGRAM_VERDICTS.filter(
        (verdict) =>
            rules.every((rule) => rule.permitted.includes(verdict)) &&
            (verdict !== 'Accepted' || rules.every((rule) => rule.required.includes('Accepted'))),
    );
}
