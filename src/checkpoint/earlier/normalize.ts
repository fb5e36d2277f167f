import type { StoredEntry } from '../../model/checkpoint.js';
import { isJsonObject, type Json, type JsonObject } from '../../model/json.js';
import type { Verdict } from '../../model/verdict.js';

/*
 * Result files of the earlier tools: entries have `language`, `solution` (the full source) and `result` (a SandboxFusion answer,
 * or a server's error stored as if it were one); no index, no fingerprint, in the order in which they finished. This file
 * converts them to our format. Matching entries to tasks by their source is left to plan/.
 */

/** What one entry of an earlier tool becomes. `result.verdict` is there only if the entry really holds a verdict. */
export function normalizeEarlierEntry(raw: JsonObject): StoredEntry {
    const { language, solution, result, ...rest } = raw;
    return {
        entry: {
            // Keep the entry's other fields, except those that only we write.
            ...omit(rest, OURS),
            index: null,
            ...(typeof language === 'string' ? { language } : {}),
            ...(typeof solution === 'string' ? { solution } : {}),
            result: normalizeResult(result ?? null),
            attempts: [],
            fingerprint: null,
        },
    };
}

/** Key of a result whose verdict comes from an earlier checker file, whatever its tests say. */
const JUDGED_BY = 'judged_by';
const EARLIER_CHECKER = 'earlier checker';

const OURS = [
    'index',
    'fingerprint',
    'attempts',
    'limits',
    'name',
    'expected',
    'occurrence',
    'revision',
] as const;

/**
 * The same for an entry of `<id>_checker.json`, where a checker had the last word: `accepted` decides even if tests say that the
 * output differs, or that none failed. A test that was cut off or got no answer gives no verdict here either.
 */
export function normalizeCheckedEntry(raw: JsonObject): StoredEntry {
    const stored = normalizeEarlierEntry(raw);
    const result: unknown = stored.entry.result;
    const earlier = isJsonObject(raw.result) ? raw.result : {};
    const { accepted } = earlier;
    if (!isJsonObject(result) || result.verdict !== undefined || typeof accepted !== 'boolean') return stored;
    const tests = Array.isArray(earlier.tests) ? earlier.tests.filter(isJsonObject) : [];
    if (tests.length === 0 || !tests.every(hasRunToItsEnd)) return stored;
    const kept = omit(result, ['earlier_accepted', 'tests']);
    const judged = (Array.isArray(result.tests) ? result.tests.filter(isJsonObject) : []).map((test) =>
        accepted ? { ...omit(test, ['verdict']), passed: true } : test,
    );
    const verdict: Verdict = accepted ? 'Accepted' : 'WrongAnswer';
    return {
        ...stored,
        entry: {
            ...stored.entry,
            result: { accepted, verdict, [JUDGED_BY]: EARLIER_CHECKER, tests: judged, ...kept },
        },
    };
}

function hasRunToItsEnd(test: JsonObject): boolean {
    if (typeof test.passed !== 'boolean') return false;
    if (!isJsonObject(test.exec_info) || test.exec_info.status === 'SandboxError') return false;
    return test.passed || readFailedTestVerdict(test) === 'WrongAnswer';
}

function normalizeResult(raw: Json): JsonObject {
    if (!isJsonObject(raw)) return raw === null ? {} : { earlier_result: raw };
    const kept = omit(raw, ['extracted_code', 'test_info', 'accepted', 'verdict', 'tests', JUDGED_BY]);
    const tests = Array.isArray(raw.tests) ? raw.tests.filter(isJsonObject).map(normalizeTest) : [];
    const verdict = readEarlierVerdict(raw);
    if (verdict === null) {
        // Neither `accepted` nor `verdict`: without them the entry cannot pass for a finished task.
        const said: JsonObject = raw.accepted === undefined ? {} : { earlier_accepted: raw.accepted };
        return { ...said, tests, ...kept };
    }
    return { accepted: verdict === 'Accepted', verdict, tests, ...kept };
}

function normalizeTest(raw: JsonObject): JsonObject {
    const { passed, exec_info: info, ...rest } = raw;
    const verdict = passed === true ? null : readFailedTestVerdict(raw);
    const run = isJsonObject(info) && isJsonObject(info.run_result) ? info.run_result : null;
    return {
        passed: passed === true,
        ...(verdict === null ? {} : { verdict }),
        cpu_time: null,
        wall_time: typeof run?.execution_time === 'number' ? run.execution_time : null,
        memory: null,
        exec_info: isJsonObject(info) ? info : {},
        ...omit(rest, [
            'test_info',
            'extracted_code',
            'verdict',
            'cpu_time',
            'wall_time',
            'memory',
            'near_limit',
        ]),
    };
}

/**
 * The verdict of an earlier tool's `result`; null if it holds none: `accepted` is not a boolean, there are no tests, a test
 * reports SandboxError or got no answer, or nothing explains why it was not accepted.
 */
export function readEarlierVerdict(result: JsonObject): Verdict | null {
    if (typeof result.accepted !== 'boolean') return null;
    const tests = Array.isArray(result.tests) ? result.tests.filter(isJsonObject) : [];
    // The server answers `accepted: true` to a submission without tests: nothing was judged.
    if (tests.length === 0) return null;
    if (tests.some((test) => typeof test.passed !== 'boolean')) return null;
    if (tests.some((test) => isJsonObject(test.exec_info) && test.exec_info.status === 'SandboxError'))
        return null;
    const failed = tests.find((test) => test.passed === false);
    if (result.accepted) return failed === undefined ? 'Accepted' : null;
    return failed === undefined ? null : readFailedTestVerdict(failed);
}

/**
 * An entry that an earlier version imported, whose attempts are unknown. That version recorded Accepted or WrongAnswer for some
 * results that hold no verdict; those lose it, so that their tasks run.
 */
export function dropFalseVerdict(entry: StoredEntry['entry']): StoredEntry['entry'] {
    const result: unknown = entry.result;
    if (!isJsonObject(result) || readEarlierVerdict(result) !== null) return entry;
    if (result[JUDGED_BY] === EARLIER_CHECKER && Array.isArray(result.tests) && result.tests.length > 0) {
        return entry;
    }
    const { accepted, verdict: _, ...rest } = result;
    return { ...entry, result: { earlier_accepted: accepted ?? null, ...rest } };
}

function readFailedTestVerdict(test: JsonObject): Verdict | null {
    const info = isJsonObject(test.exec_info) ? test.exec_info : null;
    if (info === null || info.status === 'SandboxError') return null;
    const compile = isJsonObject(info.compile_result) ? info.compile_result : null;
    const run = isJsonObject(info.run_result) ? info.run_result : null;
    if ([compile, run].some((step) => step !== null && isJavaNameFault(step))) return null;
    if (compile !== null && hasStepFailed(compile)) return 'CompileError';
    // The program did not run, yet its compiler did not fail: the fault is the machine's, not the program's.
    if (run === null) return null;
    if (run.status === 'TimeLimitExceeded') return 'TimeLimitExceeded';
    return hasStepFailed(run) ? 'RuntimeError' : 'WrongAnswer';
}

/** The earlier tools sent every Java program as Main.java, whatever its class was called. */
function isJavaNameFault(step: JsonObject): boolean {
    return [step.stdout, step.stderr].some(
        (text) => typeof text === 'string' && JAVA_NAME_FAULTS.some((fault) => fault.test(text)),
    );
}

const JAVA_NAME_FAULTS = [
    /\bclass \S+ is public, should be declared in a file named\b/,
    /\bCould not find or load main class Main\b/,
];

function hasStepFailed(step: JsonObject): boolean {
    if (typeof step.return_code === 'number') return step.return_code !== 0;
    return step.status === 'Error' || step.status === 'TimeLimitExceeded';
}

function omit(object: JsonObject, keys: readonly string[]): JsonObject {
    return Object.fromEntries(Object.entries(object).filter(([key]) => !keys.includes(key)));
}
