import type { StoredEntry } from '../../model/checkpoint.js';
import type { Attempt, OpenTask, RunResult, TestResult } from '../../model/entry.js';
import { isJsonObject, type JsonObject } from '../../model/json.js';
import type {
    AttemptDetail,
    ChatDetail,
    ShownText,
    EntryDetail,
    FailedTestDetail,
    TestDetail,
} from '../../model/page-data.js';

/*
 * Converts an entry of a result file to what the page shows. All input is untrusted: a text may be a megabyte long, and the
 * result of a user's function can have any shape.
 */

/** Characters of a text that are kept; the rest is only counted. */
const MAX_CHARACTERS = 64 * 1024;
const MAX_TESTS = 1000;
const MAX_GROUPS = 200;
const MAX_ATTEMPTS = 50;
const MAX_TURNS = 200;
/** Maximum number of characters in a name or a location. */
const MAX_NAME_LENGTH = 200;

/**
 * The long parts of a finished entry.
 * @param conversation the messages that a model was asked, if the entry itself does not hold them
 */
export function describeEntry(
    entry: StoredEntry['entry'],
    conversation: readonly unknown[] = [],
): EntryDetail {
    const result: JsonObject = isJsonObject(entry.result) ? entry.result : {};
    const tests = readTests(result);
    const chat = tests.length > 0 ? null : describeChat(result, conversation);
    return {
        ...(entry.solution === undefined ? {} : { source: shortenText(entry.solution) }),
        ...(entry.row === undefined ? {} : { row: shortenText(JSON.stringify(entry.row, null, 2)) }),
        ...(entry.limits === undefined ? {} : { limits: entry.limits }),
        attempts: entry.attempts.slice(-MAX_ATTEMPTS).map(describeAttempt),
        ...testParts(tests),
        ...scoreParts(result),
        ...(chat === null ? {} : { chat }),
        ...(tests.length > 0 ? {} : { result: shortenText(JSON.stringify(result, null, 2)) }),
        ...(Array.isArray(result['adapted']) ? { adapted: result['adapted'].slice(0, 20).map(String) } : {}),
        ...(typeof result['compiler'] === 'string' ? { compiler: readName(result['compiler']) } : {}),
        ...(entry.fingerprint === null ? {} : { fingerprint: readName(entry.fingerprint) }),
    };
}

/** The long parts of a task that was given up or is not final yet. */
export function describeOpenTask(task: OpenTask): EntryDetail {
    return {
        message: shortenText(task.message),
        attempts: task.attempts.slice(-MAX_ATTEMPTS).map(describeAttempt),
        ...testParts(task.tests ?? []),
        fingerprint: readName(task.fingerprint),
    };
}

/** Tests of a judge's result; none for any other result. */
export function readTests(result: unknown): readonly TestResult[] {
    if (!isJsonObject(result) || !Array.isArray(result['tests'])) return [];
    return (result['tests'] as readonly unknown[]).filter(isTest);
}

const isTest = (value: unknown): value is TestResult =>
    isJsonObject(value) && typeof value['passed'] === 'boolean' && isJsonObject(value['exec_info']);

/**
 * @param cutFrom original length, if the text was already cut
 * @param most number of characters to keep
 */
export function shortenText(value: unknown, cutFrom?: unknown, most = MAX_CHARACTERS): ShownText {
    const text = typeof value === 'string' ? value : '';
    if (text.length > most) {
        const from = typeof cutFrom === 'number' ? cutFrom : text.length;
        return { text: makeWellFormed(text.slice(0, most)), cutFrom: from };
    }
    return typeof cutFrom === 'number' ? { text, cutFrom } : { text };
}

/** Cutting may have split a surrogate pair. */
const makeWellFormed = (text: string): string => text.replace(/[\ud800-\udbff]$/, '');

const readName = (value: unknown): string =>
    typeof value === 'string' || typeof value === 'number' ? String(value).slice(0, MAX_NAME_LENGTH) : '';

function describeAttempt(attempt: Attempt): AttemptDetail {
    const { verdict, failure, api_used, worker_id, sandbox, message } = attempt;
    return {
        attempt: attempt.attempt,
        ending: readName(verdict ?? failure),
        startedAt: readName(attempt.started_at),
        duration: attempt.duration,
        where: readName(
            [api_used, worker_id, sandbox].filter((part) => part !== undefined && part !== '').join(' '),
        ),
        ...(message === undefined ? {} : { message: shortenText(message) }),
    };
}

function testParts(tests: readonly TestResult[]): Pick<EntryDetail, 'tests' | 'moreTests' | 'failure'> {
    if (tests.length === 0) return {};
    const failed = tests.findIndex((test) => !test.passed);
    const test = tests[failed];
    return {
        tests: tests.slice(0, MAX_TESTS).map(describeTest),
        ...(tests.length > MAX_TESTS ? { moreTests: tests.length - MAX_TESTS } : {}),
        ...(test === undefined ? {} : { failure: describeFailedTest(test, failed + 1) }),
    };
}

function describeTest({ passed, verdict, cpu_time, wall_time, memory, name, score }: TestResult): TestDetail {
    const ending = passed ? '' : readName(verdict ?? 'failed');
    const figures = [ending, cpu_time ?? wall_time ?? null, memory ?? null, readName(name)] as const;
    return typeof score === 'number' ? [...figures, score] : figures;
}

/** The scores of a problem that has them. A model answer's score is shown among the figures instead. */
function scoreParts(result: JsonObject): Pick<EntryDetail, 'points' | 'testGroups'> {
    const { score, best_score: best, groups } = result;
    if (typeof score !== 'number' || !Array.isArray(groups)) return {};
    const testGroups = (groups as readonly unknown[])
        .filter(isJsonObject)
        .slice(0, MAX_GROUPS)
        .map((group) => ({
            name: readName(group['name']),
            verdict: readName(group['verdict']),
            score: typeof group['score'] === 'number' ? group['score'] : null,
        }));
    return { points: { score, ...(typeof best === 'number' ? { best } : {}) }, testGroups };
}

function describeFailedTest(test: TestResult, position: number): FailedTestDetail {
    const info = test.exec_info;
    const run = describeStep(info.run_result);
    const compiling = describeStep(info.compile_result);
    const difference = info.first_difference;
    const compilerOutput =
        compiling === null ? '' : `${readText(compiling.stderr)}${readText(compiling.stdout)}`;
    return {
        position,
        name: readName(test.name),
        verdict: readName(test.verdict),
        ...(difference === undefined
            ? {}
            : {
                  difference: {
                      line: difference.line,
                      expected: shortenText(difference.expected).text,
                      got: shortenText(difference.got).text,
                  },
              }),
        ...(info.checker_message === undefined
            ? {}
            : { checkerMessage: shortenText(info.checker_message, info.checker_message_cut) }),
        ...(info.transcript === undefined
            ? {}
            : { transcript: shortenText(info.transcript, info.transcript_cut) }),
        ...(run === null
            ? {}
            : {
                  ...(typeof run.return_code === 'number' ? { returnCode: run.return_code } : {}),
                  ...(run.signal === undefined ? {} : { signal: readName(run.signal) }),
                  ...(run.stdout === undefined ? {} : { stdout: shortenText(run.stdout, run.stdout_cut) }),
                  ...(run.stderr === undefined ? {} : { stderr: shortenText(run.stderr, run.stderr_cut) }),
              }),
        ...(compilerOutput === ''
            ? {}
            : { compilerOutput: shortenText(compilerOutput, compiling?.stderr_cut) }),
    };
}

const readText = (value: unknown): string => (typeof value === 'string' ? value : '');

function describeStep(step: RunResult | null | undefined): RunResult | null {
    return isJsonObject(step) ? step : null;
}

/** The chat stored in a result, by the names in docs/result-files.md; null if it is not a chat. */
function describeChat(result: JsonObject, conversation: readonly unknown[]): ChatDetail | null {
    const own = ['messages', 'transcript', 'turns', 'prompt'].flatMap((name) => describeTurns(result[name]));
    const turns = (own.length > 0 ? own : describeTurns(conversation)).slice(0, MAX_TURNS);
    const text = (name: string): ShownText | undefined =>
        typeof result[name] === 'string' ? shortenText(result[name], result[`${name}_cut`]) : undefined;
    const answer = text('answer') ?? text('response');
    if (turns.length === 0 && answer === undefined) return null;
    const reasoning = text('reasoning');
    const expected = text('expected');
    const reason = text('score_reason') ?? text('score_problem') ?? text('refusal');
    const scorer = result['scorer'];
    return {
        turns,
        ...(answer === undefined ? {} : { answer }),
        ...(reasoning === undefined ? {} : { reasoning }),
        ...(expected === undefined ? {} : { expected }),
        ...(typeof scorer === 'string' ? { scorer: readName(scorer) } : {}),
        ...(reason === undefined ? {} : { reason }),
    };
}

function describeTurns(value: unknown): ChatDetail['turns'] {
    if (typeof value === 'string' && value !== '') return [{ role: 'user', text: shortenText(value) }];
    if (!Array.isArray(value)) return [];
    return (value as readonly unknown[]).filter(isJsonObject).map((turn) => {
        const content = turn['content'];
        return {
            role: readName(turn['role']),
            text: shortenText(
                typeof content === 'string' ? content : JSON.stringify(content ?? turn, null, 2),
            ),
        };
    });
}
