import picomatch from 'picomatch';
import type { Entry, JudgeResult } from '../model/entry.js';
import { isUnexpected } from '../model/expectation.js';
import type { RerunRequest } from '../model/rerun.js';
import { chooseExpected } from '../model/sample.js';
import { findMissedScore } from '../model/scoring.js';
import { isVerdict } from '../model/verdict.js';
import { type Limits, findExceededLimit } from '../model/limits.js';

/** What `--rerun` asked for, and when: an entry is due while its last attempt is older, so a killed re-run goes on. */
export interface Rerun {
    readonly what: RerunRequest;
    /** ISO 8601, UTC. */
    readonly at: string;
    /** Patterns of ids it was asked for (`--only` of that start); empty: all. */
    readonly only: readonly string[];
}

/** The group of an entry. */
interface EntryPlace {
    readonly id: string;
    readonly group: string;
    /** True where the sample's limit is computed from this group. */
    readonly isMeasured?: boolean;
}

/** Whether one of the requests asks for this finished entry, given the limits of now. */
export function isAskedFor(
    requests: readonly Rerun[],
    { id, group, isMeasured }: EntryPlace,
    entry: Pick<Entry, 'result' | 'limits' | 'attempts' | 'expected' | 'expected_scores'>,
    limits: Limits | null,
): boolean {
    const last = entry.attempts.at(-1)?.started_at ?? '';
    return requests.some(
        (request) =>
            last < request.at &&
            isConcernedBy(request, id) &&
            asksFor(
                request.what,
                { id, group, ...(isMeasured === undefined ? {} : { isMeasured }) },
                entry,
                limits,
            ),
    );
}

const isConcernedBy = ({ only }: Rerun, id: string): boolean =>
    only.length === 0 || only.some((pattern) => matchesId(pattern, id));

/** Whether a sample's computed limit is to be measured again: it is older than a request for that. @param computedAt ISO 8601, UTC */
export function isMeasurementAskedFor(requests: readonly Rerun[], id: string, computedAt: string): boolean {
    return requests.some(
        (request) =>
            request.what === 'computed-limits' && computedAt < request.at && isConcernedBy(request, id),
    );
}

/** Compiled once: there are few patterns and many ids. */
const matchers = new Map<string, (id: string) => boolean>();

/** Like `--only`: a glob in which `*` does not cross `/`; an id is matched by its own text too, whatever signs are in it. */
export function matchesId(pattern: string, id: string): boolean {
    if (pattern === id) return true;
    let matches = matchers.get(pattern);
    if (matches === undefined) {
        matches = picomatch(pattern, { dot: true });
        matchers.set(pattern, matches);
    }
    return matches(id);
}

function asksFor(
    what: RerunRequest,
    { id, group, isMeasured }: EntryPlace,
    entry: Pick<Entry, 'result' | 'limits' | 'expected' | 'expected_scores'>,
    limits: Limits | null,
): boolean {
    switch (what) {
        case 'all':
            return true;
        case 'changed':
            return false;
        case 'failed':
            return isUnexpectedEntry(group, entry);
        case 'tle':
            return entry.result['verdict'] === 'TimeLimitExceeded';
        case 'compile-errors':
            return entry.result['verdict'] === 'CompileError';
        case 'over-limit':
            return limits !== null && hasUsedMore(entry.result as JudgeResult, limits);
        case 'computed-limits':
            // Of the other groups of such a sample, what a lower limit would have stopped; a higher one is the planner's own reason.
            if (isMeasured === undefined) return false;
            return isMeasured || (limits !== null && hasUsedMore(entry.result as JudgeResult, limits));
        default:
            return matchesId(what.glob, id);
    }
}

/** A verdict that nobody expected: a solution that is not accepted, an incorrect one that is. Without expectation: not accepted. */
function isUnexpectedEntry(
    group: string,
    entry: Pick<Entry, 'result' | 'expected' | 'expected_scores'>,
): boolean {
    const named = entry.expected ?? null;
    const verdict = entry.result['verdict'];
    if (chooseExpected(group, named) === null || !isVerdict(verdict))
        return entry.result['accepted'] !== true;
    const missedScore = findMissedScore(entry.expected_scores, entry.result);
    return isUnexpected({ group, verdict, named, missedScore });
}

/** Whether a test of the entry used more than a limit of now allows, or ran into a limit at all. */
function hasUsedMore(result: JudgeResult, limits: Limits): boolean {
    const tests = Array.isArray(result.tests) ? result.tests : [];
    return tests.some(
        (test) =>
            (test.cpu_time ?? 0) > limits.time ||
            (test.memory ?? 0) > (limits.memory ?? Number.POSITIVE_INFINITY) ||
            (test.verdict !== undefined && findExceededLimit(test.verdict) === 'output'),
    );
}
